import {env, version} from 'node:process';
import {userFields} from '../http/identity.ts';
import type {RequestHead, ResponseHead} from '../http/message.ts';
import type {Settings} from '../http/settings.ts';
import {clientOptionsOf} from '../store/backends/client-options.ts';
import type {StoreOption} from '../store/backends/connection.ts';
import {isCompressionSupported} from '../store/codec/compression.ts';
import type {KeyRing} from '../store/codec/encryption.ts';
import type {ReplicaCount} from '../store/replicas.ts';
import {parseDuration} from '../types/duration.ts';
import {refuseContradictions, refuseUndefined, warnOfUndefinedStore, warnOfUnsafeMethods} from './contradictions.ts';
import {hintOfClientOption, otherNames, refuseForeignClient, refuseOptionsInStore} from './option-hints.ts';
import {isOptionName, keyRingOf, requestRules, rulesByName} from './option-rules.ts';
import type {ExpireAfter, RedisCacheOptions, RequestCacheOptions} from './options.ts';
import {lifetimesOf} from './own-lifetimes.ts';
import {refuseClientOptions} from './store-options.ts';
import {askAbout, callNamed, requestGiven} from './user-functions.ts';
import {describe, isBoolean, isDuration, isString, validate} from './validate.ts';

/** The settings of one request. */
export type RequestSettings = {
	readonly http: Settings;
	readonly isDisabled: boolean;
	readonly isOnlyIfCached: boolean;
	readonly refreshesAhead: boolean;
	readonly retriesFirst: boolean;
	/** `undefined`: the origin is waited for. */
	readonly staleAfterMs: number | undefined;
	readonly ttlOffsetMs: number;
	readonly maxBodyBytes: number;
	readonly tags: readonly string[];
};

/** The settings of a cache: every option with its value, durations in milliseconds. */
export type CacheSettings = {
	/** `undefined`: a Redis on this machine or, until one answers, memory. */
	readonly store: StoreOption | undefined;
	readonly namespace: string;
	readonly expires: boolean;
	readonly timeoutMs: number;
	readonly memoryBytes: number;
	/** `undefined`: as the store is. */
	readonly isCompressing: boolean | undefined;
	/** `undefined`: nothing is encrypted. */
	readonly keyRing: KeyRing | undefined;
	/** `undefined`: a purge is confirmed when the master has it. */
	readonly replicas: ReplicaCount | undefined;
	readonly hasFastPath: boolean;
	readonly hasStatistics: boolean;
	readonly coalesce: 'process' | 'fleet' | false;
	readonly key: RedisCacheOptions['key'];
	readonly filter: ((request: RequestHead, response?: ResponseHead) => boolean) | undefined;
	readonly user: RedisCacheOptions['user'];
	/** Lower-case. */
	readonly tagField: string | undefined;
	/** The settings of a request that sets nothing itself. */
	readonly request: RequestSettings;
};

type Options = RedisCacheOptions & RequestCacheOptions;

const mebibyte = 1024 * 1024;
const defaultMaxBodyBytes = 25 * mebibyte;
const defaultMemoryBytes = 64 * mebibyte;

/** Longer than replicas take that acknowledge unasked, each second. */
const defaultReplicaTimeoutMs = 2000;

const replicaCountOf = (value: RedisCacheOptions['waitForReplicas']): ReplicaCount | undefined => {
	if (value === undefined) {
		return undefined;
	}

	const {count, timeout = defaultReplicaTimeoutMs} = typeof value === 'number' ? {count: value} : value;
	return {count, timeoutMs: toMs(timeout)};
};

/** The URL that hosts and container files give; an empty one is as good as none. */
const storeOfEnvironment = (): string | undefined => {
	const {REDIS_URL: url} = env;
	if (url === undefined || url === '') {
		return undefined;
	}

	try {
		refuseForeignClient(url);
		clientOptionsOf(url);
	} catch (error) {
		throw new TypeError((error as Error).message.replace('The option `store`', 'The environment variable REDIS_URL'), {cause: error});
	}

	return url;
};

const toMs = (value: unknown): number => parseDuration(value) ?? 0;
const toSeconds = (value: unknown): number => toMs(value) / 1000;

/** The result of a function of the user's decides who shares what: a promise is neither true nor false, and no name. */
const returning = <Arguments extends readonly unknown[], Result>(
	name: string,
	decide: ((...parameters: Arguments) => Result) | undefined,
	isValid: (value: unknown) => value is Result,
	expected: string,
): typeof decide =>
	decide
	&& ((...parameters) => {
		const result: unknown = callNamed(name, decide, ...parameters);
		if (!isValid(result)) {
			throw new TypeError(`Expected the function \`${name}\` to return ${expected}, got ${describe(result)}`);
		}

		return result;
	});

const filterOf = (given: RedisCacheOptions['filter']): CacheSettings['filter'] => {
	const filter = returning('filter', given, isBoolean, 'a boolean');

	return filter && ((request, head) => head === undefined ? filter(requestGiven(request)) : askAbout(head, response => filter(requestGiven(request), response), true));
};

const staleAllowance = <Word extends string>(value: Word | boolean | number | string): Word | boolean | number => isDuration(value) ? toSeconds(value) : value as Word | boolean;

const staleIfErrorSettings = (value: RequestCacheOptions['staleIfError'] = 'disconnected'): Pick<Settings, 'staleIfError' | 'failureStatusCodes'> => {
	if (typeof value !== 'object') {
		return {staleIfError: staleAllowance<'disconnected'>(value)};
	}

	return {
		staleIfError: value.for === undefined ? true : toSeconds(value.for),
		failureStatusCodes: value.statusCodes && new Set(value.statusCodes),
	};
};

/** A string that a missing name comes to would be one user, or one tenant, to the cache. */
const namesNobody: ReadonlySet<unknown> = new Set(['', 'undefined', 'null', 'NaN', '[object Object]', '[object Promise]']);

/** All requests are of the same tenant to a key that is empty, which a cache without tenants may want. */
const isKey = (value: unknown): value is string => value === '' || (isString(value) && !namesNobody.has(value));

const isUser = (value: unknown): value is string | undefined => value === undefined || (isString(value) && !namesNobody.has(value));

const cacheStatusName = (value: boolean | string) => value === true ? 'got-redis-cache' : value;

/**
@param ofRequest - The lifetime that the request sets for itself; that of the cache is among the options.
*/
const httpSettings = (options: Options, ofRequest: ExpireAfter | undefined): Settings => ({
	isShared: options.shared ?? true,
	mode: options.mode ?? 'default',
	...staleIfErrorSettings(options.staleIfError),
	staleWhileRevalidate: staleAllowance<never>(options.staleWhileRevalidate ?? false),
	lifetimes: lifetimesOf(options, ofRequest),
	heedsCacheControl: options.cacheControl ?? true,
	methods: new Set((options.methods ?? ['GET', 'HEAD', 'QUERY']).map(method => method.toUpperCase())),
	statusCodes: options.statusCodes && new Set(options.statusCodes),
	alwaysRevalidates: options.alwaysRevalidate ?? false,
	isReadOnly: options.readOnly ?? false,
	targets: (options.targets ?? []).map(target => target.toLowerCase()),
	cacheStatus: cacheStatusName(options.cacheStatus ?? true),
	matchHeaders: [...options.matchHeaders ?? [], ...options.shared === false ? userFields : []].map(name => name.toLowerCase()),
	hasOwnKey: options.key !== undefined,
	ignoredParameters: new Set((options.ignoredParameters ?? []).map(name => name.toLowerCase())),
});

const requestSettings = (options: Options, ofRequest?: ExpireAfter): RequestSettings => ({
	http: httpSettings(options, ofRequest),
	isDisabled: options.disabled ?? false,
	isOnlyIfCached: options.onlyIfCached ?? false,
	refreshesAhead: options.refreshAhead ?? false,
	retriesFirst: options.retryFirst ?? false,
	staleAfterMs: options.staleAfter === undefined ? undefined : toMs(options.staleAfter),
	ttlOffsetMs: toMs(options.ttlOffset ?? '1h'),
	maxBodyBytes: options.maxBodySize ?? defaultMaxBodyBytes,
	tags: options.tags ?? [],
});

/**
@throws {TypeError} On an unknown option, a value of the wrong type, or options that contradict each other: names the option, what was given and what is expected.
*/
export const resolveOptions = (options: RedisCacheOptions): CacheSettings => {
	const where = 'redisCache()';
	const {mode, tags, ...rules} = rulesByName;
	validate(options, rules, {
		where,
		noun: 'option',
		synonyms: otherNames,
		hint: name => isOptionName(name) ? `each request sets it for itself, as in {context: {cache: {${name}: …}}}` : hintOfClientOption(name, Object.keys(options), isOptionName),
	});
	refuseUndefined(options, where);
	warnOfUndefinedStore(options, where);
	warnOfUnsafeMethods(options, where);
	// A `null` was meant to be a store.
	const {store = storeOfEnvironment()} = options;
	refuseForeignClient(store);
	refuseOptionsInStore(store, isOptionName);
	refuseClientOptions(store);
	refuseContradictions(options, where);
	if (!isCompressionSupported && options.compression) {
		throw new TypeError(`The option \`compression\` in ${where} needs Node.js 22.15 or later, for Zstandard; this is ${version}`);
	}

	return {
		store,
		namespace: options.namespace ?? 'http_cache',
		expires: options.ttl ?? true,
		timeoutMs: toMs(options.timeout ?? 250),
		memoryBytes: options.memory === false ? 0 : options.memory ?? defaultMemoryBytes,
		isCompressing: options.compression,
		keyRing: options.encryption === undefined ? undefined : keyRingOf(options.encryption),
		replicas: replicaCountOf(options.waitForReplicas),
		hasFastPath: options.fastPath ?? true,
		hasStatistics: options.statistics ?? true,
		coalesce: options.coalesce ?? 'process',
		key: returning('key', options.key, isKey, 'a string, and not one that a missing value comes to; \'\' for none'),
		filter: filterOf(options.filter),
		user: returning('user', options.user, isUser, 'a string that names a user, or undefined'),
		tagField: options.tagField?.toLowerCase(),
		request: requestSettings(options),
	};
};

const hintOfCacheOption = (name: string): string | undefined => {
	if (name === 'ttl') {
		return 'how long a response is fresh is `expireAfter`, and how much longer it is kept is `ttlOffset`';
	}

	if (name === 'hooks' || name === 'handlers') {
		return 'a cache is an extension, as in got.extend(redisCache()); here go options of one request, or `false`';
	}

	return isOptionName(name) ? 'it is one of the whole cache, in redisCache()' : undefined;
};

/**
The settings of a request: what it sets in `context.cache`, over what the cache was made with. `false` leaves the cache out.

@throws {TypeError} As `resolveOptions()`.
*/
export const resolveRequestOptions = (cacheOptions: RedisCacheOptions, requestOptions: unknown): RequestSettings => {
	if (requestOptions === false) {
		return requestSettings({...cacheOptions, disabled: true});
	}

	const where = '`context.cache`';
	if (requestOptions === null || requestOptions === true) {
		throw new TypeError(`Expected an object with options in ${where}, got ${describe(requestOptions)}; \`false\` leaves the cache out of a request`);
	}

	validate(requestOptions, requestRules, {
		where,
		noun: 'option',
		synonyms: otherNames,
		hint: hintOfCacheOption,
	});

	const given = Object.fromEntries(Object.entries(requestOptions as RequestCacheOptions).filter(([, value]) => value !== undefined)) as RequestCacheOptions;
	refuseContradictions({...cacheOptions, ...given}, where);
	const {expireAfter, ...others} = given;

	return requestSettings({...cacheOptions, ...others}, expireAfter);
};
