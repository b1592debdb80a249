import type {ExchangeContext} from '../cache/exchange.ts';
import {storedKeysOf} from '../cache/keys.ts';
import {currentAgeSeconds, expiryOf, remainingFreshnessSeconds} from '../http/age.ts';
import {dateOf} from '../http/dates.ts';
import {decide} from '../http/decide.ts';
import {headersOf} from '../http/header-fields.ts';
import {requestOfUser, settingsOfUser} from '../http/identity.ts';
import type {RequestHead} from '../http/message.ts';
import type {Settings} from '../http/settings.ts';
import {readAll} from '../resource/read-all.ts';
import {select} from '../resource/selection.ts';
import {recordKeyOf, storeKeyOf} from '../resource/store-keys.ts';
import {switchFor} from '../tags/switching.ts';
import type {StoredResponse} from '../types/stored.ts';
import {checkFlag, checkStoreKey} from './arguments.ts';
import type {RequestLike} from './filters.ts';
import {checkRequest} from './request-arguments.ts';
import {keyInputOf, requestHeadOf} from './request-head.ts';

/** A stored response, without its body. */
export type CacheEntry = {
	/** The key in the store, with the namespace, as Redis's own tools show it: `'http_cache:{mJ3…}'`. `getByKey()` and `deleteByKey()` take it. */
	readonly storeKey: string;
	/** Absolute, without userinfo, fragment and ignored parameters, and with `REDACTED` in the place of credentials, such as the value of `api_key`; `docs/security.md` lists their names. */
	readonly url: string;
	/** Upper-case, such as `GET`. */
	readonly method: string;
	/** The status code. */
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

/** A stored response in a list. */
export type ListedEntry = CacheEntry & {
	/** The time at which the store removes the response, if nothing changes before; `undefined` if never. */
	readonly keptUntil: Date | undefined;
};

/** A stored response with its body, as got gave it: decompressed, unless the request had `decompress: false`. */
export type CachedResponse = CacheEntry & {
	/** The body. */
	readonly body: Uint8Array;
};

/** The request and the rules that it is looked up by. */
const lookedUpBy = ({settings}: ExchangeContext, request: RequestLike): {readonly head: RequestHead; readonly http: Settings} => {
	const {http} = settings.request;
	const head = requestHeadOf(request);

	// A request can make its own method one that is looked up.
	const rules = {...http, methods: new Set([...http.methods, head.method])};

	return request.user === undefined ? {head, http: rules} : {head: requestOfUser(head), http: settingsOfUser(rules)};
};

export const isFresh = ({policy}: StoredResponse, nowMs: number) => !policy.isInvalidated && !policy.isNoCache && remainingFreshnessSeconds(policy, nowMs) > 0;

export const entryOf = (stored: StoredResponse, size: number, {storeKey, nowMs}: {readonly storeKey: string; readonly nowMs: number}): CacheEntry => {
	const {policy} = stored;

	return {
		storeKey,
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

type FoundResponse = {
	/** Without the namespace. */
	readonly key: string;
	readonly stored: StoredResponse;
};

const selectStored = async (context: ExchangeContext, head: RequestHead, key: string, matchHeaders: readonly string[]): Promise<FoundResponse | undefined> => {
	const {stored, index} = await select(context, head, key, {matchHeaders, tags: []});
	return stored && {key: storeKeyOf(key, stored, index), stored};
};

const firstStored = async (context: ExchangeContext, key: string): Promise<FoundResponse | undefined> => {
	const [first] = await readAll(context, key);
	return first && {key: first.storeKey, stored: first.stored};
};

/** The response that answers a request first. */
const find = async (context: ExchangeContext, request: RequestLike): Promise<FoundResponse | undefined> => {
	const {head, http: {matchHeaders}} = lookedUpBy(context, request);
	for (const key of await storedKeysOf(context, head, keyInputOf(request))) {
		// eslint-disable-next-line no-await-in-loop -- the second is seldom asked for
		const found = await (request.headers ? selectStored(context, head, key, matchHeaders) : firstStored(context, key));
		if (found) {
			return found;
		}
	}

	return undefined;
};

/** A key as the store has it, from a key of the cache. */
export const storeNameOf = ({settings, store}: ExchangeContext, key: string): string => `${settings.namespace}:${store.nameOf(key)}`;

const withBodyOf = (context: ExchangeContext, {key, stored}: FoundResponse): CachedResponse => ({
	...entryOf(stored, stored.body.byteLength, {storeKey: storeNameOf(context, key), nowMs: context.now()}),
	body: new Uint8Array(stored.body),
});

export const getStored = async (context: ExchangeContext, request: string | URL | RequestLike): Promise<CachedResponse | undefined> => {
	const found = await find(context, checkRequest(request, 'get()', context.settings));
	return found && withBodyOf(context, found);
};

export const getStoredByKey = async (context: ExchangeContext, given: string): Promise<CachedResponse | undefined> => {
	const key = checkStoreKey(given, 'getByKey()', context.settings.namespace);
	const all = await readAll(context, recordKeyOf(key));
	const named = context.store.nameOf(key);
	const found = all.find(({storeKey}) => context.store.nameOf(storeKey) === named) ?? (key === recordKeyOf(key) ? all[0] : undefined);

	return found && withBodyOf(context, {key: found.storeKey, stored: found.stored});
};

export const hasStored = async (context: ExchangeContext, given: string | URL | RequestLike, options?: {readonly stale?: boolean | undefined}): Promise<boolean> => {
	const request = checkRequest(given, 'has()', context.settings);
	const {stale = false} = checkFlag(options, 'stale', 'has()');
	const found = await find(context, request);
	if (!found || stale) {
		return found !== undefined;
	}

	const {stored} = found;

	const {head, http} = lookedUpBy(context, request);
	const headers = request.headers ? head.headers : stored.selectingHeaders;
	const nowMs = context.now();
	const originSwitch = switchFor(context.store, head.url, nowMs);
	return decide({...head, headers}, stored, nowMs, {...http, originSwitch}).kind === 'reuse';
};
