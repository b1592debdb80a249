import {isBoolean, isString, validate, type Rule} from '../options/validate.ts';
import type {StoredPolicy, StoredRange} from '../types/stored.ts';

/**
A stored response as plain data: all that another cache needs to answer with it.
*/
export type ExportedResponse = {
	/** The key of its URL in the store, without the namespace: `'{mJ3…}'`. */
	readonly key: string;
	/** Tells caches that name keys alike: only for a key that the option `encryption` hides and that the URL alone does not tell. */
	readonly naming?: string | undefined;
	/** The URL as `cache.entries()` lists it. */
	readonly url: string;
	/** Upper-case. */
	readonly method: string;
	/** The status code. */
	readonly statusCode: number;
	/** The reason phrase, such as `'OK'`; empty with HTTP/2. */
	readonly statusMessage: string;
	/** Such as `'1.1'`. */
	readonly httpVersion: string;
	/** Names and values as received, with order, case and repetition. */
	readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
	/** The names of the request's header fields that select among the variants of the URL: of `Vary`, and of the option `matchHeaders`. */
	readonly selectedBy: readonly string[];
	/** The values of those that the request had. */
	readonly vary: Readonly<Record<string, string>>;
	/** The body as got gave it: decompressed, unless the request had `decompress: false`. */
	readonly body: Uint8Array;
	/** The bytes in `body`, of a partial response. */
	readonly range?: StoredRange | undefined;
	/** The tags that it was stored with. */
	readonly tags: readonly string[];
	/** The cache groups that it belongs to (RFC 9875). */
	readonly groups: readonly string[];
	/** Its freshness, as it was worked out when the response was stored or last validated. */
	readonly policy: StoredPolicy;
	/** The time at which the store removes it; `undefined` if never. */
	readonly keptUntil: Date | undefined;
};

/** The result of `cache.import()`: how many responses… */
export type ImportResult = {
	/** …were stored. */
	readonly imported: number;
	/** …were past their `keptUntil`. */
	readonly expired: number;
	/** …have a key that this cache does not find, because another one has hidden it. */
	readonly unnamed: number;
	/** …the store did not take, or that are too large. */
	readonly unwritten: number;
};

const where = 'import()';

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

const isLifetime = (value: unknown): boolean => value === Infinity || isNumber(value);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(element => isString(element));

const isFields = (value: unknown): boolean => Array.isArray(value) && value.every(element => isStrings(element) && (element as unknown[]).length === 2);

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.values(value).every(element => isString(element));

const isHttpUrl = (value: unknown): boolean => isString(value) && URL.canParse(value) && ['http:', 'https:', 'unix:'].includes(new URL(value).protocol);

const rules: Readonly<Record<keyof ExportedResponse, Rule>> = {
	key: [value => isString(value) && /^\{[^\{\}]+\}(?::encoded)?$/v.test(value), 'a key such as \'{mJ3…}\''],
	naming: [isString, 'a string'],
	url: [isHttpUrl, 'an absolute URL'],
	method: [value => isString(value) && /^[\-A-Z]+$/v.test(value), 'an HTTP method in upper case'],
	statusCode: [value => Number.isSafeInteger(value) && Number(value) >= 100 && Number(value) <= 999, 'a status code'],
	statusMessage: [isString, 'a string'],
	httpVersion: [isString, 'a string'],
	headers: [isFields, 'an array of names and values'],
	selectedBy: [isStrings, 'an array of names'],
	vary: [isRecord, 'an object of strings'],
	body: [value => value instanceof Uint8Array, 'a Uint8Array', () => 'another value'],
	range: [value => typeof value === 'object' && value !== null, 'an object'],
	tags: [isStrings, 'an array of strings'],
	groups: [isStrings, 'an array of strings'],
	policy: [value => typeof value === 'object' && value !== null, 'an object'],
	keptUntil: [value => value instanceof Date && !Number.isNaN(value.getTime()), 'a Date'],
};

const policyRules: Readonly<Record<keyof StoredPolicy, Rule>> = {
	isShared: [isBoolean, 'a boolean'],
	freshnessLifetimeSeconds: [isLifetime, 'a number'],
	correctedInitialAgeSeconds: [isNumber, 'a number'],
	requestTimeMs: [isNumber, 'a number'],
	responseTimeMs: [isNumber, 'a number'],
	isNoCache: [isBoolean, 'a boolean'],
	isMustRevalidate: [isBoolean, 'a boolean'],
	isImmutable: [isBoolean, 'a boolean'],
	staleWhileRevalidateSeconds: [isNumber, 'a number'],
	staleIfErrorSeconds: [isNumber, 'a number'],
	isInvalidated: [isBoolean, 'a boolean'],
};

const rangeRules: Readonly<Record<keyof StoredRange, Rule>> = {
	firstByte: [isCount, 'a whole number'],
	lastByte: [isCount, 'a whole number'],
	completeLength: [isCount, 'a whole number'],
};

const mayBeMissing: ReadonlySet<string> = new Set(['naming', 'range', 'keptUntil', 'staleWhileRevalidateSeconds', 'staleIfErrorSeconds']);

const check = (given: unknown, rulesOfAll: Readonly<Record<string, Rule>>, part: string): void => {
	validate(given, rulesOfAll, {where: part, noun: 'property'});
	const missing = Object.entries(rulesOfAll).find(([name]) => !mayBeMissing.has(name) && (given as Readonly<Record<string, unknown>>)[name] === undefined);
	if (missing) {
		throw new TypeError(`Expected the property \`${missing[0]}\` in ${part} to be ${missing[1][1]}, got undefined`);
	}
};

/**
@throws {TypeError} If it is no exported response: names the property.
*/
export const checkExported = (given: unknown): ExportedResponse => {
	check(given, rules, where);
	const exported = given as ExportedResponse;
	check(exported.policy, policyRules, where);
	if (exported.range !== undefined) {
		check(exported.range, rangeRules, where);
	}

	return exported;
};
