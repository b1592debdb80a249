import {adopt} from './equivalents.ts';
import {
	keyOf,
	stepwise,
	type Exchange,
	type ExchangeContext,
} from './exchange.ts';
import {readMarks} from './generations.ts';
import {rawFieldValue} from './http/header-fields.ts';
import {cacheGroups} from './http/invalidation.ts';
import type {RequestHead} from './http/message.ts';
import {urlVariation} from './http/no-vary-search.ts';
import type {PassReason} from './http/outcome.ts';
import {timeToLiveMs} from './http/time-to-live.ts';
import {generationsFor} from './mark-upkeep.ts';
import {
	groupMark,
	isForEquivalents,
	longestExchangeMs,
	markKeysOf,
	pathMark,
	resourceMark,
} from './marks.ts';
import {supersede, write} from './resource.ts';
import type {RequestSettings} from './resolve-options.ts';
import type {TimeToLive} from './store/store.ts';
import type {StoredResponse} from './stored.ts';

const timeToLive = ({settings: {expires}, now}: ExchangeContext, {http, ttlOffsetMs}: RequestSettings, {policy}: StoredResponse): TimeToLive => {
	const milliseconds = timeToLiveMs(policy, now(), http) + ttlOffsetMs;
	return !expires || milliseconds === Infinity ? 'forever' : Math.round(milliseconds);
};

/** So many marks can be looked up in one round trip without a thought. */
const maxMarks = 256;

/** What a response can be purged by, beside its URL. */
const tagged = ({settings: {tagField}}: ExchangeContext, {settings}: Pick<Exchange, 'settings'>, stored: StoredResponse): StoredResponse => {
	const {rawHeaders} = stored;
	const fieldTags = tagField === undefined ? [] : (rawFieldValue(rawHeaders, tagField) ?? '').split(/[\s,]+/v).filter(Boolean);

	return {...stored, marks: [], tags: [...new Set([...settings.tags, ...stored.tags, ...fieldTags])], groups: [...new Set(cacheGroups(rawHeaders))]};
};

export type Storing = Pick<Exchange, 'request' | 'keyInput' | 'key' | 'index' | 'startedAt' | 'requestTimeMs' | 'marks' | 'settings' | 'patience'>;

/** Where a response is stored: its own field says for which URLs. `undefined` if it is for others as well, and one of them may have been purged meanwhile. */
const place = async (context: ExchangeContext, exchange: Storing, {rawHeaders}: StoredResponse, ttl: TimeToLive): Promise<Pick<Storing, 'key' | 'index' | 'marks'> | undefined> => {
	const {request, keyInput, requestTimeMs, marks: seen} = exchange;
	const variation = urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));
	if (!variation && !isForEquivalents(exchange.key)) {
		return exchange;
	}

	const marks = variation ? await adopt(context, {url: request.url, variation, seen, requestTimeMs, timeToLive: ttl}) : seen;
	const key = keyOf(context, request, keyInput, variation);

	return marks && {key, marks, index: key === exchange.key ? exchange.index : undefined};
};

/**
@returns What was stored, or why nothing was.
*/
export const store = async (context: ExchangeContext, exchange: Storing, untagged: StoredResponse): Promise<StoredResponse | PassReason> => {
	const {startedAt, requestTimeMs, settings} = exchange;
	if (settings.http.isReadOnly) {
		return 'read-only';
	}

	const stored = tagged(context, exchange, untagged);
	if (stored.body.byteLength > settings.maxBodyBytes || stored.tags.length + stored.groups.length > maxMarks) {
		return 'too-large';
	}

	const ttl = timeToLive(context, settings, stored);
	if (ttl !== 'forever' && ttl <= 0) {
		return 'past-time-to-live';
	}

	const steps = stepwise(context, exchange);
	const placed = await place(steps, exchange, stored, ttl);
	if (!placed) {
		return 'invalidated';
	}

	const {key, index} = placed;
	const marks = await generationsFor(steps.store, {seen: placed.marks, requestTimeMs}, {key, stored, timeToLive: ttl, nowMs: context.now()});
	if (!marks || performance.now() - startedAt > longestExchangeMs) {
		// The next look-up sees them before it asks the origin.
		context.markKeys.set(key, markKeysOf(key, stored));
		return 'invalidated';
	}

	const {matchHeaders} = settings.http;
	const marked = {...stored, marks};
	if (!write(context, {key, index, stored: marked, startedAt, matchHeaders, timeToLive: ttl})) {
		return 'invalidated';
	}

	if (key !== exchange.key) {
		supersede(context, exchange.key);
	}

	return marked;
};

/** Without the store it cannot be known what a purge means; what this process has purged, it knows. */
export const isUnknown = (context: ExchangeContext, {key, startedAt}: Storing, refusal: PassReason): boolean =>
	refusal === 'invalidated' && !context.store.isHealthy && startedAt >= (context.purgedAt.get(key) ?? -Infinity);

/** RFC 9110 §9.3.3: what answers one request is stored for another. It is newer than what the first one invalidated. */
export const standingFor = async (context: ExchangeContext, {settings, requestTimeMs, patience, ...asked}: Exchange, request: RequestHead, groups: readonly string[]): Promise<Storing> => {
	const keyInput = {...asked.keyInput, body: undefined};
	const key = keyOf(context, request, keyInput);
	const {store: steps} = stepwise(context, {patience});
	const marks = await readMarks(steps, [resourceMark(key), pathMark(request.url), ...groups.map(group => groupMark(request.url, group))]);

	return {
		request,
		keyInput,
		settings,
		key,
		index: undefined,
		requestTimeMs,
		startedAt: Infinity,
		marks,
		patience,
	};
};
