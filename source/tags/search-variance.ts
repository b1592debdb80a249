import {urlVariation, type UrlVariation} from '../http/no-vary-search.ts';
import type {Store, TimeToLive} from '../store/ports/store.ts';
import {unbounded} from '../store/with-budget.ts';
import type {Hints} from '../types/hints.ts';
import type {StoredMark, StoredRecord} from '../types/stored.ts';
import {timeToLiveOfMark} from './ensure-versions.ts';
import {
	clockToleranceMs,
	generationOf,
	newGeneration,
	originMark,
	pathMark,
	pathOf,
	type MarklessReason,
	type Marks,
} from './versions.ts';

/*
Which URLs are equivalent, `No-Vary-Search`. The last response of a path that has the field says so for the path: the path's mark carries the field's value, and what is stored for equivalent URLs holds as long as that mark is the same. An origin with such a path has it written on its mark, which every look-up reads anyway: nobody else looks for more.
*/
export type EquivalentsContext = {
	readonly store: Store;
	/** What is known of paths, a hint: what the store says wins. */
	readonly variations: Hints<UrlVariation>;
	/** Marks of origins that have such paths. */
	readonly varyingOrigins: Hints<true>;
	/** Paths of such origins that were looked at just now, and of which nothing is known. */
	readonly plainPaths: Hints<true>;
	/** Milliseconds since the epoch. */
	readonly now: () => number;
};

/** Nothing is asked again about a path so soon. */
export const plainPathMs = 60_000;

const asMark = (record: StoredRecord | undefined): StoredMark | undefined => record?.kind === 'mark' ? record : undefined;

/** What this process knows: no I/O. */
export const knownVariation = ({variations}: EquivalentsContext, url: string): UrlVariation | undefined => variations.size === 0 ? undefined : variations.get(pathOf(url));

/** Heeds what was read along with something else. */
export const learnFrom = (context: EquivalentsContext, url: string, {origin, path}: {readonly origin: StoredRecord | undefined; readonly path: StoredRecord | undefined}): void => {
	const ofPath = asMark(path);
	if (ofPath?.noVarySearch !== undefined) {
		remember(context, url, ofPath.noVarySearch);
	} else if (ofPath) {
		context.variations.delete(pathOf(url));
	}

	const ofOrigin = asMark(origin);
	if (!ofOrigin) {
		return;
	}

	if (ofOrigin.noVarySearch !== undefined) {
		context.varyingOrigins.set(originMark(url), true);
		return;
	}

	const known = knownVariation(context, url);
	if (known) {
		// The origin was purged since, and with it what was written on its mark.
		void announce(unbounded(context.store), url, known.field);
	}
};

const remember = (context: EquivalentsContext, url: string, field: string): UrlVariation | undefined => {
	const path = pathOf(url);
	const known = context.variations.get(path);
	if (known?.field === field) {
		return known;
	}

	const variation = urlVariation(field);
	if (variation) {
		context.variations.set(path, variation);
		context.plainPaths.delete(path);
	}

	return variation;
};

const ask = async (context: EquivalentsContext, url: string): Promise<UrlVariation | undefined> => {
	const [record] = await context.store.get([pathMark(url)]);
	const field = asMark(record)?.noVarySearch;
	return field === undefined ? undefined : remember(context, url, field);
};

/** Whether there is more to know of the path of a URL for which nothing was found: where the origin has such paths. */
export const mayVary = (context: EquivalentsContext, url: string): boolean => {
	const {varyingOrigins, plainPaths} = context;
	return knownVariation(context, url) !== undefined || (varyingOrigins.size > 0 && varyingOrigins.has(originMark(url)) && !plainPaths.has(pathOf(url)));
};

/** What there is to know: another round trip, at most. */
export const findVariation = async (context: EquivalentsContext, url: string): Promise<UrlVariation | undefined> => {
	const known = knownVariation(context, url);
	if (known !== undefined || !mayVary(context, url)) {
		return known;
	}

	const variation = await ask(context, url);
	if (!variation) {
		context.plainPaths.set(pathOf(url), true);
	}

	return variation;
};

/** What is known of the path of a URL, whatever it takes. */
export const askVariation = async (context: EquivalentsContext, url: string): Promise<UrlVariation | undefined> => await ask(context, url) ?? knownVariation(context, url);

/** Where marks are made only by those who change them. */
const unmarked: StoredMark = {kind: 'mark', generation: '', softGeneration: '', purgedAtMs: 0};

/** Where marks are made for all, that of an origin is there, or will be by the next time. */
const announce = async (store: Store, url: string, noVarySearch: string): Promise<void> => {
	await store.update(originMark(url), current => {
		const mark = asMark(current) ?? (store.isAtomic ? undefined : unmarked);
		return mark?.noVarySearch === undefined ? mark && {...mark, noVarySearch} : undefined;
	}, 'keep');
};

type Adoption = {
	readonly url: string;
	readonly variation: UrlVariation;
	/** The marks as they were before the origin was asked. */
	readonly seen: Marks;
	/** Of the response. */
	readonly timeToLive: TimeToLive;
};

/**
Writes on the mark of a path what a response says.

@returns The marks with that of the path, or why there are none: the store does not answer.
*/
export const adopt = async (context: EquivalentsContext, {url, variation: {field}, seen, timeToLive}: Adoption): Promise<Marks | MarklessReason> => {
	const {store} = context;
	const name = pathMark(url);
	if (seen.get(name) && knownVariation(context, url)?.field === field) {
		return seen;
	}

	const updated = await store.update(name, current => {
		const mark = asMark(current);
		return mark?.noVarySearch === field ? undefined : {kind: 'mark', generation: newGeneration(), softGeneration: '', purgedAtMs: mark?.purgedAtMs ?? 0, noVarySearch: field};
	}, timeToLiveOfMark(timeToLive));
	await announce(store, url, field);
	remember(context, url, field);

	return updated?.record ? new Map([...seen, [name, generationOf(updated.record)]]) : 'store-unavailable';
};

/** So long a note on the mark of an origin holds for, before it is to be written anew. */
const noteMs = 10_000;

/** Notes on the mark of an origin that one of its URLs is purged: by somebody who may not know which URLs are equivalent to it. Without that mark nothing holds that is stored of the origin. */
const noteUrlPurge = async ({store, now}: EquivalentsContext, url: string): Promise<boolean> => {
	const updated = await store.update(originMark(url), current => {
		const mark = asMark(current) ?? (store.isAtomic ? undefined : unmarked);
		return mark && (mark.urlsPurgedUntilMs ?? 0) <= now() ? {...mark, urlsPurgedUntilMs: now() + noteMs} : undefined;
	}, 'keep', 'purge');

	return updated !== undefined;
};

/** Whether a URL of the origin may have been purged since a request was sent, or shortly before. */
export const wasUrlPurged = async ({store}: EquivalentsContext, url: string, requestTimeMs: number): Promise<boolean> => {
	const [record] = await store.get([originMark(url)]);
	const untilMs = asMark(record)?.urlsPurgedUntilMs;

	return untilMs !== undefined && untilMs + clockToleranceMs >= requestTimeMs;
};

/**
What a purge has to know of equivalent URLs. First it is noted on the mark of the origin: whoever stores a response for the first time under what makes URLs equivalent has written that on the mark of the path before, and looks at that of the origin after that.

@returns What makes URLs equivalent to it, and whether the store confirmed it.
*/
export const purgePath = async (context: EquivalentsContext, url: string): Promise<{readonly variations: readonly UrlVariation[]; readonly isConfirmed: boolean}> => {
	const isNoted = await noteUrlPurge(context, url);
	const known = knownVariation(context, url);
	const told = await ask(context, url);

	return {variations: [...new Set([told, known])].filter(variation => variation !== undefined), isConfirmed: isNoted};
};
