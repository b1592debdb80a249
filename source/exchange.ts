import {primaryKey} from './http/cache-key.ts';
import {validationHeaders, variantValidationHeaders} from './http/conditional.ts';
import {adopt, askVariation, findVariation, knownVariation, purgePath} from './equivalents.ts';
import {decide} from './http/decide.ts';
import type {BypassReason, Decision} from './http/decision.ts';
import {fieldValue, headersOf, rawFieldValue} from './http/header-fields.ts';
import {cacheGroups} from './http/invalidation.ts';
import type {RequestHead, ResponseHead} from './http/message.ts';
import {isEarlyRefreshDue} from './http/early-refresh.ts';
import type {Invalidation, Outcome, PassReason, SharedOutcome, StaleReason} from './http/outcome.ts';
import {isEquivalent, urlVariation, type UrlVariation} from './http/no-vary-search.ts';
import {combine, completed} from './http/partial.ts';
import {settle, settleFailure} from './http/settle.ts';
import {timeToLiveMs} from './http/time-to-live.ts';
import {normalizeUrl} from './http/url.ts';
import {isSelected} from './http/vary.ts';
import {changeMark, generationsFor, groupMark, isForEquivalents, longestExchangeMs, markKeysOf, noMarks, readMarks, resourceMark, type Marks} from './marks.ts';
import {
	observe,
	peek,
	purge,
	remove,
	resourceKey,
	select,
	selectByEntityTag,
	supersede,
	write,
	type ResourceContext,
	type Selection,
} from './resource.ts';
import type {CacheSettings, RequestSettings} from './resolve-options.ts';
import {bounded} from './store/bounded.ts';
import type {TimeToLive} from './store/store.ts';
import type {StoredResponse} from './stored.ts';

/** What all exchanges of one cache share. */
export type ExchangeContext = ResourceContext & {
	readonly settings: CacheSettings;
};

/** What distinguishes a request beyond its head. */
export type KeyInput = {
	readonly body: Uint8Array | string | undefined;
	/** The caller decodes the content coding himself, so what is kept for him is not what others are given. */
	readonly isEncoded: boolean;
	/** What the user's key function adds. */
	readonly extra: string | undefined;
};

/**
One request's passage through the cache: one per hop and attempt.
*/
export type Exchange = {
	readonly request: RequestHead;
	readonly settings: RequestSettings;
	/** Of the resource, in the store; empty when the cache takes no part. */
	readonly key: string;
	readonly keyInput: KeyInput;
	readonly requestTimeMs: number;
	/** By `performance.now()`, which no clock adjustment changes. */
	readonly startedAt: number;
	readonly index: Selection['index'];
	/** The marks as they were before the origin was asked. */
	readonly marks: Marks;
	/** How long the store has delayed the request: what is left of `timeout` is for settling. */
	readonly delayMs: number;
	readonly decision: Decision;
};

/** What an exchange came to. */
export type Settlement = {
	readonly outcome: Outcome | SharedOutcome;
	/** The stored response to answer with in place of what the origin said. */
	readonly answer?: StoredResponse;
	/** What was stored. */
	readonly written?: StoredResponse;
	/** What would have been stored, if the store were there. */
	readonly unstored?: StoredResponse;
};

/**
@param variation - Equivalent URLs have one key then, which is none of a URL alone.
*/
export const keyOf = ({settings}: ExchangeContext, request: RequestHead, {body, isEncoded, extra}: KeyInput, variation?: UrlVariation): string => resourceKey(primaryKey(request, settings.request.http, {
	body,
	extra: isEncoded || extra !== undefined ? JSON.stringify([isEncoded, extra]) : undefined,
	variation,
}));

/** However many steps it takes, a request is delayed once. */
const stepwise = (context: ExchangeContext, spentMs = 0): ExchangeContext => ({...context, store: bounded(context.store, context.settings.timeoutMs, spentMs)});

/** What is fresh may be due to be refreshed all the same, where the user wants it. */
const decideOn = (request: RequestHead, stored: StoredResponse, nowMs: number, {http, refreshesAhead}: RequestSettings): Decision => {
	const decision = decide(request, stored, nowMs, http);

	return refreshesAhead && decision.kind === 'reuse' && decision.reason === 'fresh' && isEarlyRefreshDue(stored.policy, nowMs, 1 - Math.random())
		? {...decision, refresh: validationHeaders(stored)}
		: decision;
};

type Asked = Pick<Exchange, 'request' | 'settings' | 'keyInput'>;

/** What is stored for a request, under the key of all equivalent URLs if that is known, or else under its own. */
const find = async (context: ExchangeContext, {request, settings, keyInput}: Asked, firstKey: string): Promise<Selection & {readonly key: string}> => {
	const options = {matchHeaders: settings.http.matchHeaders, tags: settings.tags};
	const first = await select(context, request, firstKey, options);
	const variation = first.stored ? undefined : await findVariation(context, request.url);
	const isOwnAlone = variation === undefined && !isForEquivalents(firstKey);
	if (isOwnAlone || first.stored) {
		return {...first, key: firstKey};
	}

	const ownKey = keyOf(context, request, keyInput);
	const key = variation ? keyOf(context, request, keyInput, variation) : ownKey;
	let {marks} = first;
	let index = key === firstKey ? first.index : undefined;
	for (const other of new Set([key, ownKey].filter(each => each !== firstKey))) {
		// eslint-disable-next-line no-await-in-loop -- what is stored for all comes first
		const selection = await select(context, request, other, options);
		marks = new Map([...marks, ...selection.marks]);
		if (selection.stored) {
			return {...selection, marks, key: other};
		}

		index = other === key ? selection.index : index;
	}

	return {stored: undefined, index, marks, key};
};

/**
Looks a request up and decides what to do with it.

@param bypass - Why the cache is to take no part, if that is settled already.
*/
export const lookUp = async (context: ExchangeContext, request: RequestHead, settings: RequestSettings, keyInput: KeyInput, bypass?: BypassReason): Promise<Exchange> => {
	const requestTimeMs = context.now();
	const exchange = {request, settings, keyInput, requestTimeMs, startedAt: performance.now(), key: '', index: undefined, marks: noMarks, delayMs: 0};
	if (bypass) {
		return {...exchange, decision: {kind: 'bypass', reason: bypass}};
	}

	const firstKey = keyOf(context, request, keyInput, knownVariation(context, request.url));
	// What needs no look at the store is decided without one.
	const early = decide(request, undefined, requestTimeMs, settings.http);
	if (early.kind === 'bypass') {
		return {...exchange, key: firstKey, decision: early};
	}

	if (early.kind === 'fetch' && early.reason === 'reload') {
		return {...exchange, key: firstKey, decision: early, marks: await observe(stepwise(context), request, firstKey, settings.tags)};
	}

	const {stored, index, marks, key} = await find(stepwise(context), {request, settings, keyInput}, firstKey);
	const delayMs = performance.now() - exchange.startedAt;
	if (stored) {
		return {...exchange, key, index, marks, delayMs, decision: decideOn(request, stored, requestTimeMs, settings)};
	}

	const decision: Decision = index && early.kind === 'fetch'
		? {kind: 'fetch', reason: 'vary-mismatch', headers: variantValidationHeaders(request, index, requestTimeMs)}
		: early;

	return {...exchange, key, index, marks, delayMs, decision};
};

/**
The look-up of a request for which the memory tier has a response to reuse, without I/O; `undefined` for any other.
*/
export const lookUpNow = (context: ExchangeContext, request: RequestHead, settings: RequestSettings, keyInput: KeyInput): Exchange | undefined => {
	const key = keyOf(context, request, keyInput, knownVariation(context, request.url));
	const selection = peek(context, request, key);
	if (!selection?.stored || !isSelected(request, selection.stored, settings.http.matchHeaders)) {
		return undefined;
	}

	const requestTimeMs = context.now();
	const decision = decideOn(request, selection.stored, requestTimeMs, settings);

	return decision.kind === 'reuse' ? {request, settings, keyInput, requestTimeMs, startedAt: performance.now(), key, index: selection.index, marks: selection.marks, delayMs: 0, decision} : undefined;
};

/**
The exchange of a request that refreshes what a caller has been given: it asks the origin whatever is stored, unless that is newer by now.

@param seen - What the caller was given.
*/
export const asRefresh = (exchange: Exchange, seen: StoredResponse): Exchange => {
	const {decision} = exchange;
	if (decision.kind !== 'reuse' || decision.stored.policy.responseTimeMs > seen.policy.responseTimeMs) {
		return exchange;
	}

	const {stored} = decision;
	const headers = validationHeaders(stored);

	return {
		...exchange,
		decision: Object.keys(headers).length === 0 ? {kind: 'fetch', reason: 'no-validator', stored} : {kind: 'validate', reason: 'stale', stored, headers},
	};
};

/** The exchange of a request that is made once more, as what was stored and what the origin said of it do not go together: it is not to be asked about that again. */
export const askedAgain = (exchange: Exchange): Exchange => {
	const {decision} = exchange;
	if (decision.kind === 'fetch') {
		return {...exchange, decision: {...decision, headers: undefined}};
	}

	return decision.kind === 'validate' ? {...exchange, decision: {kind: 'fetch', reason: 'not-stored'}} : exchange;
};

const timeToLive = ({settings: {expires}, now}: ExchangeContext, {http, ttlOffsetMs}: RequestSettings, {policy}: StoredResponse): TimeToLive => {
	const milliseconds = timeToLiveMs(policy, now(), http) + ttlOffsetMs;
	return !expires || milliseconds === Infinity ? 'forever' : Math.round(milliseconds);
};

/** So many marks can be looked up in one round trip without a thought. */
const maxMarks = 256;

/** What a response can be purged by, beside its URL. */
const tagged = ({settings: {tagField}}: ExchangeContext, {settings}: Pick<Exchange, 'settings'>, stored: StoredResponse): StoredResponse => {
	const headers = headersOf(stored.rawHeaders);
	const fieldTags = tagField === undefined ? [] : (fieldValue(headers, tagField) ?? '').split(/[\s,]+/v).filter(Boolean);

	return {...stored, marks: [], tags: [...new Set([...settings.tags, ...stored.tags, ...fieldTags])], groups: [...new Set(cacheGroups(headers))]};
};

type Storing = Pick<Exchange, 'request' | 'keyInput' | 'key' | 'index' | 'startedAt' | 'requestTimeMs' | 'marks' | 'settings' | 'delayMs'>;

/** Where a response is stored: its own field says for which URLs. */
const place = async (context: ExchangeContext, exchange: Storing, {rawHeaders}: StoredResponse): Promise<Pick<Storing, 'key' | 'index' | 'marks'>> => {
	const {request, keyInput, marks} = exchange;
	const variation = urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));
	if (!variation && !isForEquivalents(exchange.key)) {
		return exchange;
	}

	const adopted = variation && await adopt(context, {...exchange, url: request.url, variation, seen: marks});
	const key = keyOf(context, request, keyInput, adopted && variation);

	return {key, marks: adopted ?? marks, index: key === exchange.key ? exchange.index : undefined};
};

/**
@returns What was stored, or why nothing was.
*/
const store = async (context: ExchangeContext, exchange: Storing, untagged: StoredResponse): Promise<StoredResponse | PassReason> => {
	const {startedAt, requestTimeMs, settings, delayMs} = exchange;
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

	const steps = stepwise(context, delayMs);
	const {key, index, marks: seen} = await place(steps, exchange, stored);
	const marks = await generationsFor(steps.store, {seen, requestTimeMs}, {key, stored, timeToLive: ttl, nowMs: context.now()});
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

/** Whether what another request was given is stored for a request's URL as well. */
export const isForUrl = ({key, request, settings}: Exchange, {url, rawHeaders}: StoredResponse): boolean =>
	!isForEquivalents(key) || isEquivalent(normalizeUrl(request.url, settings.http.ignoredParameters), url, urlVariation(rawFieldValue(rawHeaders, 'no-vary-search')));

/** The exchange of a request whose URL turned out to be equivalent to no other. */
export const underOwnUrl = (context: ExchangeContext, exchange: Exchange): Exchange => ({...exchange, key: keyOf(context, exchange.request, exchange.keyInput), index: undefined});

/** Without the store it cannot be known what a purge means; what this process has purged, it knows. */
const isUnknown = (context: ExchangeContext, {key, startedAt}: Storing, refusal: PassReason): boolean =>
	refusal === 'invalidated' && !context.store.isHealthy && startedAt >= (context.purgedAt.get(key) ?? -Infinity);

const whatWasStored = async (context: ExchangeContext, exchange: Storing, stored: StoredResponse): Promise<Pick<Settlement, 'written' | 'unstored'>> => {
	const written = await store(context, exchange, stored);
	if (typeof written !== 'string') {
		return {written};
	}

	return isUnknown(context, exchange, written) ? {unstored: stored} : {};
};

/** RFC 9110 §9.3.3: what answers one request is stored for another. It is newer than what the first one invalidated. */
const standingFor = async (context: ExchangeContext, {settings, requestTimeMs, delayMs, ...asked}: Exchange, request: RequestHead, groups: readonly string[]): Promise<Storing> => {
	const keyInput = {...asked.keyInput, body: undefined};
	const key = keyOf(context, request, keyInput);
	const marks = await readMarks(context.store, [resourceMark(key), ...groups.map(group => groupMark(request.url, group))]);

	return {
		request,
		keyInput,
		settings,
		key,
		index: undefined,
		requestTimeMs,
		startedAt: Infinity,
		marks,
		delayMs,
	};
};

/**
Carries an outcome out, but for its invalidation.

@param body - Of the response that led to it, complete.
*/
export const carryOut = async (context: ExchangeContext, exchange: Exchange, outcome: Outcome, body: Uint8Array): Promise<Settlement> => {
	switch (outcome.kind) {
		case 'store': {
			const complete = completed(exchange.request, outcome.head, body);
			if (!complete) {
				return {outcome: {kind: 'pass', reason: 'incomplete'}};
			}

			const storing = outcome.as ? await standingFor(context, exchange, outcome.as, outcome.invalidation?.groups ?? []) : exchange;
			const written = await store(context, storing, complete);
			if (typeof written !== 'string') {
				return {outcome, written};
			}

			return {outcome: {kind: 'pass', reason: written}, unstored: !outcome.as && isUnknown(context, storing, written) ? complete : undefined};
		}

		case 'combine': {
			const answer = combine(outcome.stored, outcome.head, body);
			if (!answer) {
				// Who asked for the whole has no use for the part.
				return exchange.decision.kind === 'validate'
					? carryOut(context, exchange, {kind: 'refetch', reason: 'validator-mismatch'}, body)
					: {outcome: {kind: 'pass', reason: 'partial'}};
			}

			return {outcome, answer, ...await whatWasStored(context, exchange, answer)};
		}

		case 'freshen': {
			const answer = outcome.stored;
			return {outcome, answer, ...await whatWasStored(context, exchange, answer)};
		}

		case 'reuse-stale': {
			return {outcome, answer: outcome.stored};
		}

		case 'refetch': {
			if (exchange.decision.kind !== 'fetch' && !exchange.settings.http.isReadOnly) {
				// What the origin did not mean is of no use to the next request either.
				await remove(stepwise(context), exchange.key);
			}

			return {outcome};
		}

		case 'pass': {
			if (outcome.update) {
				await store(context, exchange, outcome.update);
			}

			return {outcome};
		}
	}
};

/** Of a request, decoded or not, under its own URL or under that of equivalent ones. */
export const keysOf = (context: ExchangeContext, request: RequestHead, input: Pick<KeyInput, 'body' | 'extra'>, variation?: UrlVariation): string[] =>
	[false, true].map(isEncoded => keyOf(context, request, {...input, isEncoded}, variation));

/**
Removes all that is stored for a request, and so for those whose URLs are equivalent.

@returns Whether the store confirmed it.
*/
export const purgeRequest = async (context: ExchangeContext, request: RequestHead, input: Pick<KeyInput, 'body' | 'extra'>): Promise<boolean> => {
	const purgeKeys = async (variation?: UrlVariation) => Promise.all(keysOf(context, request, input, variation).map(async key => purge(context, key)));
	const purgeEquivalents = async () => {
		const {variations, isConfirmed} = await purgePath(context, request.url);
		const purged = await Promise.all(variations.map(async variation => purgeKeys(variation)));
		return [isConfirmed, ...purged.flat()];
	};

	const confirmations = await Promise.all([purgeKeys(), purgeEquivalents()]);
	return confirmations.flat().every(Boolean);
};

/** The keys that a request's responses may be stored under, the first before the others. */
export const storedKeysOf = async (context: ExchangeContext, request: RequestHead, input: Pick<KeyInput, 'body' | 'extra'>): Promise<string[]> => {
	const variation = await askVariation(context, request.url);
	return [...variation ? keysOf(context, request, input, variation) : [], ...keysOf(context, request, input)];
};

/** Purges what a response has made invalid, RFC 9111 §4.4 and RFC 9875. */
export const invalidate = async (context: ExchangeContext, {keyInput, request}: Exchange, {urls, groups}: Invalidation) => {
	const nowMs = context.now();
	const steps = stepwise(context);
	await Promise.all([
		...urls.map(async url => purgeRequest(steps, {method: 'GET', url, headers: {}}, {body: undefined, extra: keyInput.extra})),
		// RFC 9875 §3
		...groups.map(async group => changeMark(context.store, groupMark(request.url, group), {isSoft: false, nowMs})),
	]);
};

const isFilteredOut = ({settings}: ExchangeContext, {request}: Exchange, {statusCode, rawHeaders}: ResponseHead) => settings.filter?.(request, {statusCode, headers: headersOf(rawHeaders)}) === false;

/** What a response leads to; its body may still be on its way. */
export const outcomeOf = (context: ExchangeContext, exchange: Exchange, response: ResponseHead): Outcome => {
	const outcome = settle({
		request: exchange.request,
		decision: exchange.decision,
		response,
		requestTimeMs: exchange.requestTimeMs,
		responseTimeMs: context.now(),
		settings: exchange.settings.http,
	});

	return outcome.kind === 'store' && isFilteredOut(context, exchange, response) ? {kind: 'pass', reason: 'filtered', invalidation: outcome.invalidation} : outcome;
};

/** The exchange with the variant that a 304 names, where all were asked about: RFC 9111 §4.3.4. */
const withNamedVariant = async (context: ExchangeContext, exchange: Exchange, {statusCode, rawHeaders}: ResponseHead): Promise<Exchange> => {
	const {key, index, decision} = exchange;
	const etag = rawFieldValue(rawHeaders, 'etag');
	if (statusCode !== 304 || etag === undefined || !index || decision.kind !== 'fetch' || decision.headers === undefined) {
		return exchange;
	}

	const stored = await selectByEntityTag(context, key, index, etag);
	return stored ? {...exchange, decision: {...decision, stored}} : exchange;
};

/**
Settles an exchange with the origin's response: stores, freshens, invalidates, or falls back to what is stored.

@param body - The complete body; the store keeps bytes of its own.
*/
export const settleResponse = async (context: ExchangeContext, asked: Exchange, response: ResponseHead, body: Uint8Array): Promise<Settlement> => {
	const exchange = await withNamedVariant(context, asked, response);
	const outcome = outcomeOf(context, exchange, response);

	if ('invalidation' in outcome && outcome.invalidation) {
		// The next request of this process must not be given what this one changed.
		await invalidate(context, exchange, outcome.invalidation);
	}

	return carryOut(context, exchange, outcome, body);
};

type ReuseStale = Extract<Outcome, {kind: 'reuse-stale'}>;

/** The stale response that may stand in for a failure to get any, or any that is useful, RFC 9111 §4.2.4. */
export const staleInstead = (context: ExchangeContext, {request, decision, settings}: Exchange, failure: StaleReason): ReuseStale | undefined => {
	const outcome = settleFailure({
		request,
		decision,
		failure,
		nowMs: context.now(),
		settings: settings.http,
	});

	return outcome.kind === 'reuse-stale' ? outcome : undefined;
};
