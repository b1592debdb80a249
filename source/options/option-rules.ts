import {inspect} from 'node:util';
import type {Settings} from '../http/settings.ts';
import {requestSpecific} from '../http/status-codes.ts';
import {createKeyRing, type KeyRing} from '../store/codec/encryption.ts';
import {lacksUnit, parseDuration} from '../types/duration.ts';
import type {ExpireAfter, RedisCacheOptions, RequestCacheOptions} from './options.ts';
import {isCovered, quotePattern, urlPatternExpected, whyNoUrlPattern, type UrlPattern} from './url-pattern.ts';
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
	type Rule,
} from './validate.ts';

/*
The value that each option may have. `describeX` says what was given, without its secrets.
*/

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

export const requestRules: Record<keyof RequestCacheOptions, Rule> = {
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

export const keyRingOf = (value: unknown): KeyRing | undefined => createKeyRing(Array.isArray(value) ? value : [value]);

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

export const cacheRules: Record<Exclude<keyof RedisCacheOptions, keyof RequestCacheOptions>, Rule> = {
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

export const rulesByName: Readonly<Record<string, Rule>> = {...requestRules, ...cacheRules};

/** The names of all options, of a cache and of a request. */
export const optionNames = {
	ofCache: Object.keys(rulesByName).filter(name => name !== 'mode' && name !== 'tags'),
	ofRequest: Object.keys(requestRules),
} as const;

/** Whether an option of that name exists, for a cache or for a request. */
export const isOptionName = (name: string): boolean => Object.hasOwn(rulesByName, name);

/** Whether a request can set an option of that name for itself. */
export const isRequestOptionName = (name: string): boolean => Object.hasOwn(requestRules, name);

/** Whether it is an option that a request can set for itself, with a value that it can have. */
export const isRequestOption = (name: string, value: unknown): boolean => isRequestOptionName(name) && requestRules[name as keyof RequestCacheOptions][0](value);
