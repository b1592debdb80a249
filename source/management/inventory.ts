import type {ExchangeContext, KeyInputOfAny} from '../cache/exchange.ts';
import {storedKeysOf} from '../cache/invalidating.ts';
import {currentAgeSeconds, expiryOf, remainingFreshnessSeconds} from '../http/age.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import {decide} from '../http/decide.ts';
import {headersOf} from '../http/header-fields.ts';
import {requestOfUser, settingsOfUser} from '../http/identity.ts';
import type {HeaderFields, RequestHead} from '../http/message.ts';
import type {Settings} from '../http/settings.ts';
import {normalizeEscapes} from '../http/url.ts';
import {matchesUrlPattern} from '../options/url-pattern.ts';
import {readAll, recordKeyOf} from '../resource/resource.ts';
import {select} from '../resource/selection.ts';
import type {StoreEntry} from '../store/ports/store.ts';
import {readVersions} from '../tags/current-versions.ts';
import {applyPurges, versionKeysOf, originVersionKey} from '../tags/versions.ts';
import {parseDuration} from '../types/duration.ts';
import type {StoredResponse} from '../types/stored.ts';
import {checkFilter, checkFlag, checkRequest} from './arguments.ts';
import type {RequestLike, EntryFilter} from './filters.ts';

/** A stored response, without its body. */
export type CacheEntry = {
	/** Absolute, without userinfo, fragment and ignored parameters, and with `REDACTED` in the place of credentials, such as the value of `api_key`; `docs/security.md` lists their names. */
	readonly url: string;
	/** Upper-case, such as `GET`. */
	readonly method: string;
	readonly statusCode: number;
	/** By lower-case name, as `http.IncomingMessage#headers`. */
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	/** The header fields of the request that select it among the variants of its URL, RFC 9111 §4.1. */
	readonly vary: Readonly<Record<string, string>>;
	/** Bytes of the body. */
	readonly size: number;
	/** By now, in seconds with three decimals, RFC 9111 §4.2.3. */
	readonly age: number;
	/** Whether it may be reused without asking the origin, as far as its age and purges go. */
	readonly isFresh: boolean;
	/** When it was received or last validated. */
	readonly storedAt: Date;
	/** When it stops, or stopped, being fresh; `undefined` when it never does. */
	readonly expiresAt: Date | undefined;
	/** Of `context.cache.tags`, and of the field that the option `tagField` names. */
	readonly tags: readonly string[];
	/** Of `Cache-Groups`, RFC 9875 §2. */
	readonly groups: readonly string[];
};

/** A stored response with its body, as got gave it: decompressed, unless the request had `decompress: false`. */
export type CachedResponse = CacheEntry & {readonly body: Uint8Array};

/** The content as got sends it, with the media type that got gives it. */
const contentOf = ({body, json, form}: RequestLike): {readonly body: string | Uint8Array | undefined; readonly mediaType?: string} => {
	if (json !== undefined) {
		return {body: JSON.stringify(json), mediaType: 'application/json'};
	}

	return form === undefined ? {body} : {body: new URLSearchParams(form as Record<string, string>).toString(), mediaType: 'application/x-www-form-urlencoded'};
};

export const requestHeadOf = (request: RequestLike): RequestHead => {
	const {url, method = 'GET', headers = {}} = request;
	const parsed = new URL(url);
	Object.assign(parsed, {username: '', password: '', hash: ''});
	const fields: HeaderFields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
	const {mediaType} = contentOf(request);
	return {method: method.toUpperCase(), url: parsed.href, headers: mediaType === undefined ? fields : {...fields, 'content-type': fields['content-type'] ?? mediaType}};
};

/** As far as a request that somebody names says it. */
export const keyInputOf = (request: RequestLike): KeyInputOfAny => ({body: contentOf(request).body, extra: request.key, user: request.user});

/** The request and the rules that it is looked up by. */
const lookedUpBy = ({settings}: ExchangeContext, request: RequestLike): {readonly head: RequestHead; readonly http: Settings} => {
	const {http} = settings.request;
	const head = requestHeadOf(request);

	// A request can make its own method one that is looked up.
	const rules = {...http, methods: new Set([...http.methods, head.method])};

	return request.user === undefined ? {head, http: rules} : {head: requestOfUser(head), http: settingsOfUser(rules)};
};

const isFresh = ({policy}: StoredResponse, nowMs: number) => !policy.isInvalidated && !policy.isNoCache && remainingFreshnessSeconds(policy, nowMs) > 0;

const entryOf = (stored: StoredResponse, size: number, nowMs: number): CacheEntry => {
	const {policy} = stored;

	return {
		url: stored.url,
		method: stored.method,
		statusCode: stored.statusCode,
		headers: headersOf(stored.rawHeaders),
		vary: stored.selectingHeaders,
		size,
		age: currentAgeSeconds(policy, nowMs),
		isFresh: isFresh(stored, nowMs),
		storedAt: dateOf(policy.responseTimeMs),
		expiresAt: expiryOf(policy),
		tags: stored.tags,
		groups: stored.groups,
	};
};

/** What is stored for a request, the one that answers it first. */
const find = async (context: ExchangeContext, request: RequestLike): Promise<StoredResponse | undefined> => {
	const {head, http: {matchHeaders}} = lookedUpBy(context, request);
	for (const key of await storedKeysOf(context, head, keyInputOf(request))) {
		// eslint-disable-next-line no-await-in-loop -- the second is seldom asked for
		const [found] = request.headers ? [await select(context, head, key, {matchHeaders, tags: []})] : await readAll(context, key);
		if (found?.stored) {
			return found.stored;
		}
	}

	return undefined;
};

export const getStored = async (context: ExchangeContext, request: string | URL | RequestLike): Promise<CachedResponse | undefined> => {
	const stored = await find(context, checkRequest(request, 'get()', context.settings));
	return stored && {...entryOf(stored, stored.body.byteLength, context.now()), body: new Uint8Array(stored.body)};
};

export const hasStored = async (context: ExchangeContext, given: string | URL | RequestLike, options?: {readonly stale?: boolean | undefined}): Promise<boolean> => {
	const request = checkRequest(given, 'has()', context.settings);
	const {stale = false} = checkFlag(options, 'stale', 'has()');
	const stored = await find(context, request);
	if (!stored || stale) {
		return stored !== undefined;
	}

	const {head, http} = lookedUpBy(context, request);
	const headers = request.headers ? head.headers : stored.selectingHeaders;
	return decide({...head, headers}, stored, context.now(), http).kind === 'reuse';
};

type Found = StoreEntry & {readonly stored: StoredResponse};

const batchSize = 200;

/** Those of a batch that nobody purged. */
const withoutPurged = async ({store}: ExchangeContext, batch: readonly StoreEntry[]): Promise<Found[]> => {
	const responses = batch.flatMap(entry => entry.record.kind === 'response' ? [{...entry, stored: entry.record}] : []);
	const names = new Set(responses.flatMap(({key, stored}) => versionKeysOf(recordKeyOf(key), stored)));
	const indexKeys = [...new Set(responses.filter(({stored}) => stored.indexId !== '').map(({key}) => recordKeyOf(key)))];
	const [versions, indexes] = await Promise.all([readVersions(store, [...names]), store.get(indexKeys)]);
	const indexIds = new Map(indexKeys.map((key, position) => {
		const index = indexes[position];
		return [key, index?.kind === 'index' ? index.indexId : ''];
	}));

	return responses.flatMap(({stored, ...entry}) => {
		const key = recordKeyOf(entry.key);
		const isListed = stored.indexId === '' || stored.indexId === indexIds.get(key);
		const held = isListed && applyPurges(versionKeysOf(key, stored), stored, versions);
		return held ? [{...entry, stored: held}] : [];
	});
};

// All that is stored and holds.
export const holding = async function * (context: ExchangeContext): AsyncGenerator<Found> {
	let batch: StoreEntry[] = [];
	for await (const entry of context.store.entries()) {
		batch.push(entry);
		if (!(batch.length >= batchSize)) {
			continue;
		}

		yield * await withoutPurged(context, batch);
		batch = [];
	}

	yield * await withoutPurged(context, batch);
};

/** With a URL in the form that stored ones have. */
export const toStoredForm = ({settings}: ExchangeContext, filter: EntryFilter): EntryFilter => filter.url === undefined
	? filter
	: {...filter, url: redactedUrl(requestHeadOf({url: filter.url}).url, settings.request.http.ignoredParameters)};

/**
@param filter - From `toStoredForm()`.
*/
export const isMatch = (stored: StoredResponse, filter: EntryFilter, nowMs: number): boolean => {
	const {tags, policy} = stored;
	const {origin, tag, url, prefix, pattern, olderThan, stale} = filter;
	const storedBeforeMs = olderThan instanceof Date ? olderThan.getTime() : nowMs - (parseDuration(olderThan) ?? 0);

	return (origin === undefined || originVersionKey(stored.url) === originVersionKey(new URL(origin).href))
		&& (tag === undefined || [tag].flat().some(each => tags.includes(each)))
		&& (url === undefined || stored.url === url)
		&& (prefix === undefined || stored.url.startsWith(normalizeEscapes(prefix)))
		&& (pattern === undefined || matchesUrlPattern(pattern, stored.url))
		&& (olderThan === undefined || policy.responseTimeMs < storedBeforeMs)
		&& (stale === undefined || isFresh(stored, nowMs) !== stale);
};

export const listEntries = async function * (context: ExchangeContext, given: EntryFilter = {}): AsyncGenerator<CacheEntry> {
	const filter = toStoredForm(context, checkFilter(given));
	for await (const {stored, bodyBytes} of holding(context)) {
		const nowMs = context.now();
		if (isMatch(stored, filter, nowMs)) {
			yield entryOf(stored, bodyBytes, nowMs);
		}
	}
};
