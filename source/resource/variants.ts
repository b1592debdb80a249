import {randomBytes} from 'node:crypto';
import {rawFieldValue} from '../http/header-fields.ts';
import {variantId} from '../http/vary.ts';
import {longIdOf, shortIdOf} from '../store/ports/long-keys.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import type {StoredResponse, VariantIndex, VariantReference} from '../types/stored.ts';

// A larger number of variants indicates a field that should not be in `Vary`.
const maxVariants = 64;

/** Longer entity tags are left out of the index: many of them would exceed the store's limit, and no variant could be written. */
const longestEtag = 1024;

const etagOf = ({rawHeaders}: StoredResponse): string => {
	const etag = rawFieldValue(rawHeaders, 'etag') ?? '';
	return etag.length > longestEtag ? '' : etag;
};

const hasSameNames = (first: readonly string[], second: readonly string[]) => first.length === second.length && first.every((name, position) => name === second[position]);

type NewVariant = {
	readonly stored: StoredResponse;
	readonly vary: readonly string[];
	readonly nowMs: number;
	readonly timeToLive: TimeToLive;
	/** Whether the store writes the body in pieces. */
	readonly isLong: boolean;
};

type IndexChange = {
	readonly index: VariantIndex;
	/** The id of the new variant. */
	readonly id: string;
	/** The variants that the index no longer names. */
	readonly dropped: readonly VariantReference[];
};

/** Adds one variant to an index. */
export const indexWith = (known: VariantIndex | undefined, {stored, vary, nowMs, timeToLive, isLong}: NewVariant): IndexChange => {
	const isContinued = known !== undefined && hasSameNames(known.vary, vary);
	const shortId = variantId(stored.selectingHeaders);
	const reference: VariantReference = {
		id: isLong ? longIdOf(shortId) : shortId,
		keptUntilMs: timeToLive === 'forever' ? Number.MAX_SAFE_INTEGER : nowMs + timeToLive,
		etag: etagOf(stored),
	};
	const others = (known?.variants ?? []).filter(variant => variant.id !== reference.id && variant.keptUntilMs > nowMs);
	const kept = isContinued ? others.filter(({id}) => shortIdOf(id) !== shortId).slice(0, maxVariants - 1) : [];
	const index: VariantIndex = {
		kind: 'index',
		indexId: isContinued ? known.indexId : randomBytes(9).toString('base64url'),
		vary,
		variants: [reference, ...kept],
	};

	return {index, id: reference.id, dropped: others.filter(variant => !kept.includes(variant))};
};

/** An index is kept as long as any of its variants. */
export const indexTimeToLive = ({variants}: VariantIndex, nowMs: number): TimeToLive => {
	const keptUntilMs = Math.max(...variants.map(variant => variant.keptUntilMs));
	return keptUntilMs === Number.MAX_SAFE_INTEGER ? 'forever' : keptUntilMs - nowMs;
};
