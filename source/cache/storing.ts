import {rawFieldValue} from '../http/header-fields.ts';
import {cacheGroups} from '../http/invalidation.ts';
import type {RequestHead} from '../http/message.ts';
import type {PassReason} from '../http/outcome.ts';
import {timeToLiveMs} from '../http/time-to-live.ts';
import type {CacheSettings, RequestSettings} from '../options/resolve-options.ts';
import {isPurgedSince, lastPurgeOf, dropReplaced} from '../resource/purging.ts';
import {tokenFor, tokenNow} from '../resource/write-guard.ts';
import {write} from '../resource/writing.ts';
import {isHeadWithinBounds} from '../store/codec/codec.ts';
import {guardKeyOf, longestExchangeMs} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import {switchFor} from '../tags/switching.ts';
import {noteVersionsOf, readGroupVersions, versionsAsSeen, versionsFor, type StoreRefusal} from '../tags/validity.ts';
import {maxTags, type StoredResponse} from '../types/stored.ts';
import {withinBudgetOf, type Exchange, type ExchangeContext} from './exchange.ts';
import {isUnderFirstKey, keyOf, keyToStore} from './keys.ts';

/** The time to live of a response in the store, which the option `ttl` may leave out. */
export const keptFor = ({expires}: Pick<CacheSettings, 'expires'>, milliseconds: number): TimeToLive => !expires || milliseconds === Infinity ? 'forever' : milliseconds;

const timeToLive = ({settings, now}: ExchangeContext, {http, ttlOffsetMs}: RequestSettings, {policy}: StoredResponse): TimeToLive => {
	const milliseconds = timeToLiveMs(policy, now(), http) + ttlOffsetMs;
	return keptFor(settings, Math.round(milliseconds));
};

/** The number of tags and groups that any response may have. Larger responses may have one for each 64 bytes: a version takes about 150 bytes in Redis. */
const minimalTags = 128;
const bytesPerTag = 64;

/** The most tags and groups for a response. Versions outlive the response by an hour, so that their number must be in proportion to its size. */
const maxTagsOf = ({rawHeaders, body}: StoredResponse): number => {
	const headBytes = rawHeaders.reduce((sum, text) => sum + text.length, 0);
	return Math.min(maxTags, Math.max(minimalTags, Math.floor((headBytes + body.byteLength) / bytesPerTag)));
};

/** Adds the tags and groups by which a response can be purged. */
const tagged = ({settings: {tagField}}: ExchangeContext, {settings}: Pick<Exchange, 'settings'>, stored: StoredResponse): StoredResponse => {
	const {rawHeaders} = stored;
	const fieldTags = tagField === undefined ? [] : (rawFieldValue(rawHeaders, tagField) ?? '').split(/[\s,]+/v).filter(Boolean);

	return {...stored, versions: [], tags: [...new Set([...settings.tags, ...stored.tags, ...fieldTags])], groups: [...new Set(cacheGroups(rawHeaders))]};
};

type Storing = Pick<Exchange, 'request' | 'keyInput' | 'key' | 'index' | 'startedMonoMs' | 'requestTimeMs' | 'versions' | 'guard' | 'settings' | 'budget'>;

/** The result of storing a response. */
export type Storage =
	| {readonly written: StoredResponse; readonly refusal?: undefined; readonly unstored?: undefined}
	/** The response that would have been stored if the store were available, or had nothing newer. */
	| {readonly written?: undefined; readonly refusal: PassReason; readonly unstored?: StoredResponse};

/** Without the store, only the purges of this process are known. */
const notStoredBecause = (context: ExchangeContext, {key, startedMonoMs, versions}: Storing, stored: StoredResponse, reason: StoreRefusal): Storage =>
	reason === 'store-unavailable' && !isPurgedSince(context, key, startedMonoMs)
		? {refusal: reason, unstored: {...stored, versions: versionsAsSeen(versions, key, stored)}}
		: {refusal: 'invalidated'};

/** A response as it would be stored, or the reason why it is not, as far as the response and the options alone tell. */
type Prepared =
	| {readonly stored: StoredResponse; readonly ttl: TimeToLive; readonly refusal?: undefined}
	| {readonly stored?: undefined; readonly ttl?: undefined; readonly refusal: PassReason};

/** Adds tags and the time to live, and checks the limits of the options. */
export const prepareToStore = (context: ExchangeContext, {settings}: Pick<Exchange, 'settings'>, untagged: StoredResponse): Prepared => {
	if (settings.http.isReadOnly) {
		return {refusal: 'read-only'};
	}

	const stored = tagged(context, {settings}, untagged);
	if (stored.body.byteLength > Math.min(settings.maxBodyBytes, context.store.mostBodyBytes) || stored.tags.length + stored.groups.length > maxTagsOf(stored)) {
		return {refusal: 'too-large'};
	}

	const ttl = timeToLive(context, settings, stored);

	return ttl !== 'forever' && ttl <= 0 ? {refusal: 'past-time-to-live'} : {stored, ttl};
};

export const store = async (context: ExchangeContext, exchange: Storing, untagged: StoredResponse): Promise<Storage> => {
	const {startedMonoMs, requestTimeMs, settings} = exchange;
	const prepared = prepareToStore(context, exchange, untagged);
	if (prepared.refusal !== undefined) {
		return {refusal: prepared.refusal};
	}

	const {stored, ttl} = prepared;
	const steps = withinBudgetOf(context, exchange);
	// Nothing is awaited that is known already: each wait is a turn of the microtask queue.
	const placed = isUnderFirstKey(exchange, stored) ? exchange : await keyToStore(steps, exchange, stored, ttl);
	if (typeof placed === 'string') {
		return notStoredBecause(context, exchange, stored, placed);
	}

	const {key, index} = placed;
	const versions = await versionsFor(steps.store, {seen: placed.versions, requestTimeMs}, {key, stored, timeToLive: ttl, nowMs: context.now()});
	const held = tokenNow(placed.guard) ?? await tokenFor(steps.store, placed.guard);
	const refusal = typeof versions === 'string' ? versions : held.refusal;
	if (typeof versions === 'string' || held.refusal !== undefined || ownTimers.now() - startedMonoMs > longestExchangeMs) {
		// The next look-up reads these versions before it asks the origin.
		noteVersionsOf(context, key, stored);
		return notStoredBecause(context, exchange, stored, refusal ?? 'invalidated');
	}

	// An operator may have set the switch while the origin was asked.
	if (switchFor(context.store, stored.url, context.now()) === 'bypass') {
		return {refusal: 'bypassed'};
	}

	if (!steps.store.isWritable(key)) {
		return notStoredBecause(context, exchange, stored, 'store-unavailable');
	}

	const {token} = held;
	const {matchHeaders} = settings.http;
	const written = {...stored, versions: [token, ...versions]};
	if (!isHeadWithinBounds(written)) {
		return {refusal: 'too-large'};
	}

	const unwritten = write(context, {key, index, stored: written, token, startedMonoMs, matchHeaders, timeToLive: ttl});
	if (unwritten) {
		// The requests that have waited for this response began just as early.
		return {refusal: 'invalidated', ...unwritten === 'superseded' && {unstored: written}};
	}

	if (key !== exchange.key) {
		dropReplaced(context, exchange.key);
	}

	return {written};
};

/** RFC 9110 §9.3.3: prepares to store a response under another request. The response is newer than the responses that it invalidated. */
export const storeUnderRequest = async (context: ExchangeContext, {settings, requestTimeMs, budget, guard, ...asked}: Exchange, request: RequestHead, groups: readonly string[]): Promise<Storing> => {
	const keyInput = {...asked.keyInput, body: undefined};
	const key = keyOf(context, request, keyInput);
	const {store: steps} = withinBudgetOf(context, {budget});
	const [versions, held] = await Promise.all([
		readGroupVersions(steps, request.url, groups),
		tokenFor(steps, guard),
	]);
	// The exchange itself has purged the resource. If another purge happened in the meantime, the former token differs from the exchange's.
	const purge = lastPurgeOf(context, key);
	const isOwn = purge?.token !== undefined && held.refusal === undefined && (purge.formerToken ?? '') === held.token;

	return {
		request,
		keyInput,
		settings,
		key,
		index: undefined,
		requestTimeMs,
		startedMonoMs: isOwn ? ownTimers.now() : asked.startedMonoMs,
		versions: isOwn ? new Map([...versions, [guardKeyOf(key), purge.token ?? '']]) : versions,
		guard: isOwn ? {kind: 'seen', token: purge.token ?? ''} : guard,
		budget,
	};
};
