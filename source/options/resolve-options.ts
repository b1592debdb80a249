import {env, version} from 'node:process';
import {inspect} from 'node:util';
import {userFields} from '../http/identity.ts';
import {isSafe} from '../http/invalidation.ts';
import type {LifetimeRule, OwnLifetime, OwnLifetimes} from '../http/lifetime.ts';
import type {RequestHead, ResponseHead} from '../http/message.ts';
import type {Settings} from '../http/settings.ts';
import {requestSpecific} from '../http/status-codes.ts';
import {checkStoreUrl, type StoreOption} from '../store/backends/connection.ts';
import {isCompressionSupported} from '../store/codec/compression.ts';
import {createKeyRing, type KeyRing} from '../store/codec/encryption.ts';
import type {ReplicaCount} from '../store/replicas.ts';
import {lacksUnit, parseDuration} from '../types/duration.ts';
import {warn} from '../types/warning.ts';
import {hintOfClientOption, otherNames, refuseForeignClient, refuseOptionsInStore} from './option-hints.ts';
import type {ExpireAfter, Lifetime, RedisCacheOptions, RequestCacheOptions} from './options.ts';
import {clientOptionsIn, refuseClientOptions} from './store-options.ts';
import {isCovered, quotePattern, matchesUrlPattern, urlPatternExpected, whyNoUrlPattern, type UrlPattern} from './url-pattern.ts';
import {askAbout, requestGiven} from './user-functions.ts';
import {
	describe,
	describeDuration,
	describeLifetime,
	durationExpected,
	isBoolean,
	isDuration,
	isFieldName,
	isLifetime,
	isMethod,
	isString,
	lifetimeExpected,
	validate,
	type Rule,
} from './validate.ts';

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

const modes: readonly string[] = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'] satisfies Array<Settings['mode']>;

const expireAfterExpected = `${durationExpected}; or 'no-store', 'never', or a function`;

const isFunction = (value: unknown) => typeof value === 'function';
const isExpireAfter = (value: unknown): value is ExpireAfter => isLifetime(value) || isFunction(value);
const isArrayOf = (value: unknown, isElement: (element: unknown) => boolean): value is unknown[] => Array.isArray(value) && value.every(element => isElement(element));

const isFilledArrayOf = (isElement: (element: unknown) => boolean) => (value: unknown): boolean => isArrayOf(value, isElement) && value.length > 0;
const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** The first element that is wrong, or what was given if it is no array. */
const tellOffender = (value: unknown, isElement: (element: unknown) => boolean, why: (element: unknown) => string = () => ''): string => {
	const offender: unknown = Array.isArray(value) ? value.find(element => !isElement(element)) : value;

	return `${describe(offender)}${Array.isArray(value) ? why(offender) : ''}`;
};

const isStorableStatus = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 200 && Number(value) <= 599 && !requestSpecific.has(Number(value));

/** With a separator it would be a part of a query. */
const isParameterName = (value: unknown): boolean => isString(value) && value !== '' && !/[&*=?]/v.test(value);

/** The mistake in an entry of `urlsExpireAfter`. */
const whyNoLifetimeByUrl = (entry: unknown): string | undefined => {
	if (!Array.isArray(entry) || entry.length !== 2) {
		return describe(entry);
	}

	const [pattern, lifetime] = entry as [unknown, unknown];
	const why = whyNoUrlPattern(pattern);
	if (why !== undefined) {
		return `the pattern ${why}`;
	}

	return isExpireAfter(lifetime) ? undefined : `the lifetime ${describeLifetime(lifetime)}`;
};

/** The first match wins, so what is general comes last. */
const whyNeverReached = (entries: ReadonlyArray<readonly [pattern: UrlPattern, lifetime: unknown]>): string | undefined => {
	for (const [index, [pattern]] of entries.entries()) {
		const before = entries.slice(0, index).find(([earlier]) => isCovered(pattern, earlier));
		if (before) {
			return `the pattern ${quotePattern(pattern)} behind ${quotePattern(before[0])}, which matches all its URLs: the first match wins, so put it before that one, or leave it out`;
		}
	}

	return undefined;
};

const whyNoLifetimesByUrl = (value: unknown): string | undefined => {
	if (!Array.isArray(value)) {
		return describe(value);
	}

	return value.map(entry => whyNoLifetimeByUrl(entry)).find(why => why !== undefined) ?? whyNeverReached(value as ReadonlyArray<readonly [UrlPattern, unknown]>);
};

const isStaleIfErrorRule = (value: unknown): boolean => {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		return false;
	}

	const {statusCodes, for: duration, ...others} = value as Record<string, unknown>;
	const isList = statusCodes === undefined || isArrayOf(statusCodes, code => Number.isSafeInteger(code) && Number(code) >= 400 && Number(code) <= 599);

	return isList && (duration === undefined || isDuration(duration)) && Object.keys(others).length === 0 && Object.keys(value).length > 0;
};

const describeStaleIfError = (value: unknown): string => {
	const {for: duration} = (value ?? {}) as Partial<Record<'for', unknown>>;
	if (lacksUnit(duration)) {
		return `\`for\` as ${describeDuration(duration)}`;
	}

	return lacksUnit(value) ? describeDuration(value) : inspect(value, {depth: 2, breakLength: Infinity});
};

const requestRules: Record<keyof RequestCacheOptions, Rule> = {
	mode: [value => isString(value) && modes.includes(value), `one of ${modes.map(mode => `'${mode}'`).join(', ')}`],
	tags: [value => isArrayOf(value, element => isString(element) && element !== ''), 'an array of strings that are not empty'],
	staleIfError: [
		value => value === 'disconnected' || isBoolean(value) || isDuration(value) || isStaleIfErrorRule(value),
		`'disconnected', a boolean, or ${durationExpected}; or an object such as {statusCodes: [429, 503], for: '1d'}, with status codes from 400 to 599`,
		describeStaleIfError,
	],
	retryFirst: [isBoolean, 'a boolean'],
	staleAfter: [isDuration, durationExpected, describeDuration],
	staleWhileRevalidate: [value => isBoolean(value) || isDuration(value), `a boolean, or ${durationExpected}`, describeDuration],
	refreshAhead: [isBoolean, 'a boolean'],
	expireAfter: [isExpireAfter, expireAfterExpected, describeLifetime],
	cacheControl: [isBoolean, 'a boolean'],
	alwaysRevalidate: [isBoolean, 'a boolean'],
	onlyIfCached: [isBoolean, 'a boolean'],
	readOnly: [isBoolean, 'a boolean'],
	disabled: [isBoolean, 'a boolean'],
	ttlOffset: [isDuration, durationExpected, describeDuration],
	methods: [isFilledArrayOf(isMethod), 'an array of HTTP methods', value => isEmpty(value) ? '[], with which the cache would take no part: say `disabled: true`' : tellOffender(value, isMethod)],
	maxBodySize: [value => typeof value === 'number' && value >= 0, 'a number of bytes, and not negative'],
};

const isPositiveDuration = (value: unknown) => Number(parseDuration(value)) > 0;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

const isReplicaCount = (value: unknown): boolean => {
	if (typeof value !== 'object' || value === null) {
		return isCount(value);
	}

	const {count, timeout, ...others} = value as Record<string, unknown>;
	return isCount(count) && (timeout === undefined || isPositiveDuration(timeout)) && Object.keys(others).length === 0;
};

/** Longer than replicas take that acknowledge unasked, each second. */
const defaultReplicaTimeoutMs = 2000;

const replicaCountOf = (value: RedisCacheOptions['waitForReplicas']): ReplicaCount | undefined => {
	if (value === undefined) {
		return undefined;
	}

	const {count, timeout = defaultReplicaTimeoutMs} = typeof value === 'number' ? {count: value} : value;
	return {count, timeoutMs: toMs(timeout)};
};

const keyRingOf = (value: unknown): KeyRing | undefined => createKeyRing(Array.isArray(value) ? value : [value]);

/** The value is a secret, or was meant to be. */
const tellSecret = (value: unknown): string => {
	if (typeof value === 'string') {
		return `a string of ${value.length} characters`;
	}

	if (value instanceof Uint8Array) {
		return `${value.length} bytes`;
	}

	return Array.isArray(value) ? `[${value.map(element => tellSecret(element)).join(', ')}]` : `a value of type ${typeof value}`;
};

const cacheRules: Record<Exclude<keyof RedisCacheOptions, keyof RequestCacheOptions>, Rule> = {
	// The store says itself what it can be.
	store: [() => true, ''],
	namespace: [value => isString(value) && value !== '', 'a string that is not empty'],
	ttl: [
		isBoolean,
		'a boolean',
		value =>
			`${describe(value)}${isDuration(value) || lacksUnit(value) ? '; how long responses are fresh is `expireAfter`, and how much longer they are kept is `ttlOffset`' : ''}`,
	],
	shared: [isBoolean, 'a boolean'],
	urlsExpireAfter: [
		value => whyNoLifetimesByUrl(value) === undefined,
		`an array of [pattern, lifetime], where a pattern is ${urlPatternExpected}, and a lifetime is ${expireAfterExpected}`,
		value => whyNoLifetimesByUrl(value) ?? '',
	],
	statusCodes: [
		isFilledArrayOf(isStorableStatus),
		'an array of status codes from 200 to 599',
		value =>
			isEmpty(value)
				? '[], with which nothing would be stored: say `readOnly: true`'
				: tellOffender(value, isStorableStatus, code =>
					requestSpecific.has(code as number) ? ', which is never stored: it answers the precondition or the range of one request' : '',
				),
	],
	ignoredParameters: [
		value => isArrayOf(value, isParameterName),
		'an array of names, each of one query parameter or body field',
		value =>
			tellOffender(value, isParameterName, name =>
				isString(name) && name.includes('*') ? ', a wildcard, which names do not have: list each, such as \'utm_source\' and \'utm_medium\'' : '',
			),
	],
	matchHeaders: [value => isArrayOf(value, isFieldName), 'an array of header field names'],
	key: [isFunction, 'a function'],
	filter: [isFunction, 'a function'],
	user: [isFunction, 'a function'],
	tagField: [isFieldName, 'a header field name'],
	timeout: [isPositiveDuration, 'a duration longer than zero: milliseconds, or a string such as \'1s\'', describeDuration],
	waitForReplicas: [
		isReplicaCount,
		'a whole number of replicas greater than zero, or an object such as {count: 1, timeout: \'1s\'}, with a duration longer than zero',
		value => inspect(value, {depth: 2, breakLength: Infinity}),
	],
	memory: [
		value => value === false || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0),
		'`false`, or a whole number of bytes greater than zero',
	],
	compression: [isBoolean, 'a boolean'],
	encryption: [
		value => keyRingOf(value) !== undefined,
		'a key of 32 bytes, as a Uint8Array or a string in hexadecimal or base64, or an array of such keys',
		tellSecret,
	],
	fastPath: [isBoolean, 'a boolean'],
	statistics: [isBoolean, 'a boolean'],
	coalesce: [value => [false, 'process', 'fleet'].includes(value as string), '\'process\', \'fleet\' or `false`'],
	targets: [value => isArrayOf(value, isFieldName), 'an array of header field names'],
	cacheStatus: [
		value => isBoolean(value) || (isString(value) && /^[\u{20}-\u{7E}]+$/v.test(value)),
		'a boolean, or a name of printable ASCII characters',
	],
};

const rulesByName: Readonly<Record<string, Rule>> = {...requestRules, ...cacheRules};

/** The names of all options, of a cache and of a request. */
export const optionNames = {
	ofCache: Object.keys(rulesByName).filter(name => name !== 'mode' && name !== 'tags'),
	ofRequest: Object.keys(requestRules),
} as const;

/** Whether an option of that name exists, for a cache or for a request. */
export const isOptionName = (name: string): boolean => Object.hasOwn(rulesByName, name);

/** The protection that is off if the option is left out: those that decide who is given what. */
const withoutIt: ReadonlyArray<readonly [name: 'encryption' | 'filter' | 'key' | 'namespace' | 'user', consequence: string]> = [
	['encryption', 'as from an unset environment variable; leave the option out to store responses unencrypted'],
	['namespace', 'as from an unset environment variable; leave the option out to share what is stored with every cache that has no namespace of its own'],
	['user', 'as from a name that is not exported; leave the option out to tell no users apart by name'],
	['key', 'as from a name that is not exported; leave the option out to tell requests apart by no more than HTTP does'],
	['filter', 'as from a name that is not exported; leave the option out to let the cache take part in every request'],
];

/** An option that is there and undefined would switch off what it was meant to switch on. */
const refuseUndefined = (options: RedisCacheOptions, where: string) => {
	const [name, consequence] = withoutIt.find(([each]) => isUndefinedIn(options, each)) ?? [];
	if (name !== undefined) {
		throw new TypeError(`Expected the option \`${name}\` in ${where} to be ${cacheRules[name][1]}, got undefined, ${consequence}`);
	}
};

const isUndefinedIn = (object: unknown, name: string): boolean =>
	typeof object === 'object' && object !== null && Object.hasOwn(object, name) && (object as Record<string, unknown>)[name] === undefined;

/** The part of a client's options that would say where Redis is but is undefined, while no other part says it; and the address that node-redis then takes. */
const undefinedPlace = (store: unknown): readonly [name: string, taken: string] | undefined => {
	const options = clientOptionsIn(store) ?? {};
	const {url} = options;
	const socket = (options.socket ?? {}) as Readonly<Record<string, unknown>>;
	if ([url, socket.host, socket.path].some(place => place !== undefined)) {
		return undefined;
	}

	const taken = `redis://localhost:${typeof socket.port === 'number' ? socket.port : 6379}`;
	if (isUndefinedIn(socket, 'host')) {
		return ['store.socket.host', taken];
	}

	return isUndefinedIn(options, 'url') ? ['store.url', taken] : undefined;
};

/** Where an unset variable leaves it to node-redis or to the cache which Redis that is. */
const warnOfUndefinedStore = (options: RedisCacheOptions, where: string) => {
	const place = undefinedPlace(options.store);
	const [name, taken] = place ?? ['store', defaultStore];
	if (place !== undefined || isUndefinedIn(options, 'store')) {
		warn(
			'GOT_REDIS_CACHE_STORE_UNDEFINED',
			`the option \`${name}\` in ${where} is undefined, as from an unset environment variable, so the store is ${taken}; give the address of your Redis, or leave the option out`,
		);
	}
};

const defaultStore = 'the default one: REDIS_URL if it is set, else redis://localhost:6379 or, until it answers, memory';

/** The URL that hosts and container files give; an empty one is as good as none. */
const storeOfEnvironment = (): string | undefined => {
	const {REDIS_URL: url} = env;
	if (url === undefined || url === '') {
		return undefined;
	}

	try {
		refuseForeignClient(url);
		checkStoreUrl(url);
	} catch (error) {
		throw new TypeError((error as Error).message.replace('The option `store`', 'The environment variable REDIS_URL'), {cause: error});
	}

	return url;
};

/**
A request that changes something is to be made each time, whatever the other requests of its method are.

@returns Whether there was anything to warn of.
*/
export const warnOfUnsafeMethods = ({methods = [], filter, key}: Pick<RedisCacheOptions, 'methods' | 'filter' | 'key'>, where: string): boolean => {
	const unsafe = methods.filter(method => !isSafe(method.toUpperCase()));
	const isUnselective = !filter && !key && unsafe.length > 0;
	if (isUnselective) {
		warn(
			'GOT_REDIS_CACHE_UNSAFE_METHODS',
			`with ${unsafe.join(', ')} in the option \`methods\` of ${where}, every such request may be answered from the cache, also one that changes something at the origin; say with \`filter\` which ones only read, or allow single requests, as in {context: {cache: {methods: ['${unsafe[0]}']}}}`,
		);
	}

	return isUnselective;
};

/** Whether a request can set an option of that name for itself. */
export const isRequestOptionName = (name: string): boolean => Object.hasOwn(requestRules, name);

/** Whether it is an option that a request can set for itself, with a value that it can have. */
export const isRequestOption = (name: string, value: unknown): boolean => isRequestOptionName(name) && requestRules[name as keyof RequestCacheOptions][0](value);

const contradict = (first: string, second: string, why: string, where: string) => {
	throw new TypeError(`The options \`${first}\` and \`${second}\` in ${where} contradict each other: ${why}`);
};

const refuseContradictions = (options: Options, where: string) => {
	if (options.cacheControl === false && options.expireAfter === undefined && options.urlsExpireAfter === undefined) {
		throw new TypeError(`The option \`cacheControl: false\` in ${where} needs \`expireAfter\` or \`urlsExpireAfter\`: otherwise no response would have a lifetime`);
	}

	if (options.store === 'memory' && options.memory === false) {
		contradict('store: \'memory\'', 'memory: false', 'the one keeps responses in the memory of the process, of which the other leaves none', where);
	}

	if (options.ttl === false && options.ttlOffset !== undefined) {
		contradict('ttl: false', 'ttlOffset', 'a key without TTL has nothing to add the offset to', where);
	}

	const credential = options.user && options.matchHeaders?.find(name => userFields.includes(name.toLowerCase()));
	if (credential !== undefined) {
		contradict('user', `matchHeaders: ['${credential}']`, 'the one replaces what the other tells requests apart by', where);
	}

	if (options.mode === 'only-if-cached' && options.alwaysRevalidate) {
		contradict('mode: \'only-if-cached\'', 'alwaysRevalidate', 'the one forbids to ask the origin, the other demands it', where);
	}

	if (options.onlyIfCached && options.alwaysRevalidate) {
		contradict('onlyIfCached', 'alwaysRevalidate', 'the one forbids to ask the origin, the other demands it', where);
	}

	if (options.onlyIfCached && (['reload', 'no-store', 'no-cache'].includes(options.mode ?? 'default'))) {
		contradict('onlyIfCached', `mode: '${options.mode}'`, 'the one forbids to ask the origin, the other demands it', where);
	}
};

const toMs = (value: unknown): number => parseDuration(value) ?? 0;
const toSeconds = (value: unknown): number => toMs(value) / 1000;

/** Says which function it was; `cause` is the error as it came. */
const callNamed = <Arguments extends readonly unknown[], Result>(name: string, call: (...parameters: Arguments) => Result, ...parameters: Arguments): Result => {
	try {
		return call(...parameters);
	} catch (error) {
		throw new Error(`The function \`${name}\` of redisCache() threw: ${error instanceof Error ? error.message : describe(error)}`, {cause: error});
	}
};

/** A lifetime as the rules of HTTP take it, in seconds. */
const toRule = (expireAfter: ExpireAfter): LifetimeRule => {
	if (typeof expireAfter !== 'function') {
		return toOwnLifetime(expireAfter);
	}

	return (request, head) => askAbout(head, response => {
		const lifetime = callNamed('expireAfter', expireAfter, response, requestGiven(request));
		if (lifetime !== undefined && !isLifetime(lifetime)) {
			throw new TypeError(`Expected the function \`expireAfter\` to return ${lifetimeExpected}, or undefined, got ${describeLifetime(lifetime)}`);
		}

		return lifetime === undefined ? undefined : toOwnLifetime(lifetime);
	}, Infinity);
};

const toOwnLifetime = (lifetime: Lifetime): OwnLifetime => {
	if (lifetime === 'no-store') {
		return lifetime;
	}

	return lifetime === 'never' ? Infinity : toSeconds(lifetime);
};

/** `http/lifetime.ts` chooses among them. */
const lifetimesOf = ({expireAfter, urlsExpireAfter = []}: RedisCacheOptions, ofRequest: ExpireAfter | undefined): OwnLifetimes | undefined => {
	const given = [ofRequest, ...urlsExpireAfter.map(([, lifetime]) => lifetime), expireAfter];
	if (given.every(lifetime => lifetime === undefined)) {
		return undefined;
	}

	const rulesByUrl = urlsExpireAfter.map(([pattern, lifetime]) => [pattern, toRule(lifetime)] as const);

	return {
		ofRequest: ofRequest === undefined ? undefined : toRule(ofRequest),
		ofUrl: url => rulesByUrl.find(([pattern]) => matchesUrlPattern(pattern, url))?.[1],
		ofCache: expireAfter === undefined ? undefined : toRule(expireAfter),
		hasNoStore: given.includes('no-store'),
	};
};

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
