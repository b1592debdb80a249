import {hasCredential, isRedacted, redacted, redactedUrl} from '../http/credentials.ts';
import {normalizeEscapes, normalizeQuery} from '../http/url.ts';
import type {CacheSettings} from '../options/resolve-options.ts';
import {urlPatternExpected, whyNoUrlPattern} from '../options/url-pattern.ts';
import {
	describe,
	describeDuration,
	describeLifetime,
	describeRedacted,
	durationExpected,
	isBoolean,
	isDuration,
	isMethod,
	isString,
	validate,
	type Rule,
} from '../options/validate.ts';
import {parseDuration} from '../types/duration.ts';
import type {EntriesOptions, EntryFilter, Purgeable, RequestLike} from './filters.ts';

/*
Checks of the arguments of a cache's methods. A mistake is to be reported, rather than that nothing was found.
*/

/** The options that tell requests apart, beside HTTP. */
type RequestSettings = Pick<CacheSettings, 'key' | 'user'>;

const schemes = ['http://', 'https://', 'unix:'];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof URL);

const isFilled = (value: unknown): value is string => isString(value) && value !== '';

const isAbsoluteUrl = (value: unknown): boolean => (isString(value) || value instanceof URL) && URL.canParse(String(value)) && ['http:', 'https:', 'unix:'].includes(new URL(value).protocol);

/** The beginning of a URL in the form that stored URLs have; `undefined` where there is none. */
const inStoredForm = (prefix: string): string | undefined => {
	const authority = prefix.slice(prefix.indexOf('://') + 3);
	const isWhole = prefix.startsWith('unix:') || /[#\/?]/v.test(authority);
	if (isWhole) {
		return URL.canParse(prefix) ? redactedUrl(new URL(prefix).href) : undefined;
	}

	// A URL does not say the port that is its scheme's own.
	const isDefaultPort = /:\d+$/v.test(authority) && URL.canParse(prefix) && new URL(prefix).port === '';

	// The host may go on.
	return /[\s@]/v.test(authority) ? undefined : prefix.slice(0, isDefaultPort ? prefix.lastIndexOf(':') : undefined).toLowerCase();
};

const isUrlPrefix = (value: unknown): boolean => {
	if (!isFilled(value) || schemes.some(scheme => scheme.startsWith(value))) {
		return value !== '' && isString(value);
	}

	// A URL has no dot or question mark at its end; what begins with one of them may.
	const completed = /[.?]$/v.test(value) ? `${value}a` : value;

	return schemes.some(scheme => value.startsWith(scheme)) && inStoredForm(completed)?.startsWith(normalizeEscapes(value)) === true;
};

const wholeUrlHint = 'delete() takes the URL as it was requested';

const describePrefix = (value: unknown): string => {
	const storedForm = isString(value) && schemes.some(scheme => value.toLowerCase().startsWith(scheme)) ? inStoredForm(value) : undefined;
	const hint =
		storedForm === undefined || storedForm === value
			? ''
			: `, which no stored URL begins with: they have the form ${describeRedacted(storedForm)}${storedForm.includes('?') ? `, with the query parameters in the order of their names${isRedacted(storedForm) ? `, and ${redacted} in the place of credentials: ${wholeUrlHint}` : ''}` : ''}`;

	return `${describeRedacted(value)}${hint}`;
};

// Not a `Headers` or a `Map`, which have no fields as properties.
const isFieldRecord = (value: unknown): boolean => isObject(value) && !(value instanceof Headers) && !(value instanceof Map);

const isAge = (value: unknown): boolean => value instanceof Date ? !Number.isNaN(value.getTime()) : isDuration(value);

const numerals = ['no argument', 'one argument', 'two arguments'];

/**
Arguments that a method does not take. To pass over them would be to do less than it was told.

@param more - The arguments behind those that the method takes.
@throws {TypeError} If there are any.
*/
export const refuseMore = (more: readonly unknown[], expected: 0 | 1 | 2, where: string, hint?: string): void => {
	if (more.length > 0) {
		throw new TypeError(`Expected ${expected === 0 ? numerals[0] : `at most ${numerals[expected]}`} in ${where}, got ${expected + more.length}${hint === undefined ? '' : `: ${hint}`}`);
	}
};

const urlRule: Rule = [isAbsoluteUrl, 'an absolute URL such as \'https://api.example.com/items\'', describeRedacted];

const requestRules: Readonly<Record<keyof RequestLike, Rule>> = {
	url: urlRule,
	method: [isMethod, 'an HTTP method'],
	headers: [isFieldRecord, 'an object of header fields by name', describeRedacted],
	body: [value => isString(value) || value instanceof Uint8Array, 'a string or a Uint8Array', describeRedacted],
	json: [() => true, ''],
	form: [isObject, 'an object of fields by name', describeRedacted],
	key: [isString, 'a string', describeRedacted],
	user: [isFilled, 'a string that is not empty', describeRedacted],
};

/** The query of a pattern, as far as it can be told. */
const queryOf = (pattern: unknown): string => {
	if (isString(pattern)) {
		return pattern.split('?', 2)[1] ?? '';
	}

	const {search} = pattern as {readonly search?: unknown};

	return isString(search) ? search : '';
};

/** A stored URL has its query parameters in the order of their names, and no credentials. */
const whyNoPatternOfStored = (pattern: unknown): string | undefined => {
	const why = whyNoUrlPattern(pattern);
	if (why !== undefined) {
		return why;
	}

	if (hasCredential(queryOf(pattern))) {
		return `a pattern with a credential in its query, which matches no stored URL: those have ${redacted} in its place; ${wholeUrlHint}`;
	}

	const query = isString(pattern) ? pattern.split('?', 2)[1] : undefined;
	const isInOrder = query === undefined || query.includes('*') || normalizeQuery(query, new Set()) === query;

	return isInOrder ? undefined : `${describeRedacted(pattern)}, which matches no stored URL: the query parameters of those are in the order of their names`;
};

const isNames = (value: unknown): boolean => isFilled(value) || (Array.isArray(value) && value.every(element => isFilled(element)));

const commonRules = {
	origin: [isAbsoluteUrl, 'an absolute URL such as \'https://api.example.com\'', describeRedacted],
	url: urlRule,
	tag: [isNames, 'a string that is not empty, or an array of such strings'],
	prefix: [isUrlPrefix, 'the beginning of an absolute URL, such as \'https://api.example.com/items\'', describePrefix],
	pattern: [value => whyNoPatternOfStored(value) === undefined, urlPatternExpected, value => whyNoPatternOfStored(value) ?? ''],
	olderThan: [isAge, `${durationExpected}; or a Date`, describeDuration],
} satisfies Record<string, Rule>;

const filterRules: Readonly<Record<keyof EntryFilter, Rule>> = {...commonRules, stale: [isBoolean, 'a boolean']};

const purgeRules = {
	...commonRules,
	group: [value => isString(value) || (Array.isArray(value) && value.every(element => isString(element))), 'a string, or an array of strings'],
	stale: [value => value === true, 'true'],
} satisfies Record<string, Rule>;

/** Where a property belongs that says what several responses have in common. */
const hintOfFilter = (name: string, where: string): string | undefined => {
	if (where === 'has()' && name === 'stale') {
		return 'it goes into a second argument, as in has(url, {stale: true})';
	}

	const property = name === 'tags' ? 'tag' : name;
	if (where === 'delete()' && (property === 'soft' || Object.hasOwn(purgeRules, property))) {
		return property === 'soft' ? 'a soft purge is invalidate({url}, {soft: true})' : `what has it in common is purged by invalidate({${property}: …})`;
	}

	return Object.hasOwn(filterRules, property) ? `what has it in common is listed by entries({${property}: …})` : undefined;
};

/** Where a `*` can only be meant as a wildcard: in a host, and at the end of a path. A query may well end with one, and a path have one in its middle. */
const hasWildcard = (text: string): boolean => {
	const [location = '', query] = text.split('?', 2);
	const host = /^[^\/]*\/\/(?<host>[^\/]*)/v.exec(location)?.groups?.host ?? '';

	return host.includes('*') || (query === undefined && location.endsWith('*'));
};

const refuseWildcard = (given: string | URL | undefined, property: string, where: string, isMeant: (text: string) => boolean = hasWildcard): void => {
	if (given !== undefined && isMeant(String(given))) {
		throw new TypeError(
			`Expected the ${property} in ${where} without a wildcard, got ${describeRedacted(given)}, in which \`*\` is a character like any other; did you mean \`pattern\`, as in invalidate({pattern: '*.example.com/items'}) and entries({pattern: …})?`,
		);
	}
};

/** A prefix ends with a wildcard anyway. */
const isWildcardPrefix = (prefix: string): boolean => prefix.endsWith('*') || hasWildcard(prefix);

/** A name that the cache does not use in keys finds nothing that is stored without it. */
const refuseUnusedNames = (request: RequestLike, where: string, settings: RequestSettings): void => {
	const isUnused = {user: request.user !== undefined && !settings.user, key: request.key !== undefined && !settings.key};
	const name = Object.entries(isUnused).find(([, is]) => is)?.[0];
	if (name !== undefined) {
		throw new TypeError(
			`The property \`${name}\` in ${where} finds nothing in a cache without the option \`${name}\`: leave it out, or give this cache the function \`${name}\` that it was stored by`,
		);
	}
};

/** Without what also tells requests apart, nothing is found: no purge would do what it confirms. */
const refuseIncomplete = ({method, body, json, form, headers = {}, key}: RequestLike, where: string, settings: RequestSettings): void => {
	const contents = Object.entries({body, json, form}).filter(([, value]) => value !== undefined).map(([name]) => name);
	if (contents.length > 1) {
		throw new TypeError(`Expected at most one of body, json and form in ${where}, got ${contents.join(', ')}`);
	}

	if (method === undefined && contents.length > 0) {
		throw new TypeError(
			`The property \`${contents[0]}\` in ${where} needs the \`method\` of the request, as in {url, method: 'POST', ${contents[0]}}: without it, this is about a GET request with that content`,
		);
	}

	if (body !== undefined && Object.keys(headers).every(name => name.toLowerCase() !== 'content-type')) {
		throw new TypeError(
			`The property \`body\` in ${where} needs the \`content-type\` that it was sent with, as in {body, headers: {'content-type': 'text/plain'}}, with undefined if it had none; or give \`json\` or \`form\` as to got`,
		);
	}

	if (key === undefined && settings.key) {
		throw new TypeError(
			`Expected the property \`key\` in ${where}, since this cache has the option \`key\`: what that returns for the request; with whatever key, invalidate({url: …}) purges and entries({url: …}) lists`,
		);
	}
};

/**
A request by its URL or by more than that.

@throws {TypeError} If it is none, its URL is not absolute, or something is missing that tells the requests of this cache apart.
*/
export const checkRequest = (given: unknown, where: string, settings: RequestSettings): RequestLike => {
	if (isString(given) && !isAbsoluteUrl(given)) {
		throw new TypeError(`Expected ${urlRule[1]} in ${where}, got ${describeRedacted(given)}`);
	}

	const request = isString(given) || given instanceof URL ? {url: given} : given;
	if (!isObject(request)) {
		throw new TypeError(`Expected a URL or an object such as {url, method} in ${where}, got ${describeRedacted(request)}`);
	}

	validate(request, requestRules, {where, noun: 'property', hint: name => hintOfFilter(name, where)});
	if (request.url === undefined) {
		throw new TypeError(`Expected the property \`url\` in ${where} to be ${urlRule[1]}, got undefined`);
	}

	const checked = request as unknown as RequestLike;
	if (isRedacted(String(checked.url))) {
		throw new TypeError(
			`Expected the URL in ${where} to be the one that was requested, got ${describeRedacted(checked.url)} with ${redacted} in the place of a credential, as it is listed: invalidate({url: …}) takes that`,
		);
	}

	refuseWildcard(checked.url, 'URL', where);
	refuseUnusedNames(checked, where, settings);
	refuseIncomplete(checked, where, settings);

	return checked;
};

/**
A request, or several.

@throws {TypeError} If one of them is none, or its URL is not absolute.
*/
export const checkRequests = (given: unknown, where: string, settings: RequestSettings): RequestLike[] => Array.isArray(given)
	? given.map(element => checkRequest(element, where, settings))
	: [checkRequest(given, where, settings)];

const refuseWildcards = ({url, origin, prefix}: Pick<EntryFilter, 'url' | 'origin' | 'prefix'>, where: string): void => {
	refuseWildcard(url, 'property `url`', where);
	refuseWildcard(origin, 'property `origin`', where);
	refuseWildcard(prefix, 'property `prefix`', where, isWildcardPrefix);
};

/** A purge, or a switch, of more than was named. */
const refusePathInOrigin = (origin: string | URL, where: string, consequence: string): void => {
	const {protocol, pathname, search} = new URL(origin);
	if (protocol !== 'unix:' && (pathname !== '/' || search !== '')) {
		throw new TypeError(`Expected the property \`origin\` in ${where} without a path, got ${describeRedacted(origin)}: ${consequence}`);
	}
};

/**
@throws {TypeError} If it is no filter.
*/
export const checkFilter = (given: unknown): EntryFilter => {
	const where = 'entries()';
	if (!isObject(given)) {
		throw new TypeError(`Expected an object such as {prefix: 'https://api.example.com/'} in ${where}, got ${describeRedacted(given)}`);
	}

	validate(given, filterRules, {where, noun: 'property'});
	refuseWildcards(given, where);
	return given;
};

/** Where a property belongs that says how to purge, or which single request. */
const hintOfPurge = (name: string): string | undefined => {
	if (name === 'soft') {
		return 'it goes into a second argument, as in invalidate({tag: \'items\'}, {soft: true})';
	}

	return Object.hasOwn(requestRules, name) ? `what is stored for one request is removed by delete({url, ${name}})` : undefined;
};

/**
@throws {TypeError} If it does not say what to purge.
*/
export const checkPurgeable = (given: unknown): Purgeable => {
	const where = 'invalidate()';
	if (!isObject(given)) {
		throw new TypeError(
			`Expected an object such as {tag: 'items'} in ${where}, got ${describeRedacted(given)}; what is stored for a URL is removed by delete(), and for all users of it by invalidate({url: …})`,
		);
	}

	validate(given, purgeRules, {where, noun: 'property', hint: hintOfPurge});
	const names = Object.keys(given);
	// Nothing in common would be everything.
	const missing = Object.entries(given).find(([, value]) => value === undefined);
	if (missing) {
		throw new TypeError(`Expected the property \`${missing[0]}\` in ${where} to have a value, got undefined`);
	}

	if (names.length === 1 && names[0] === 'group') {
		throw new TypeError(`The property \`group\` in ${where} needs the \`origin\` whose group it is, as in {group: 'items', origin: 'https://api.example.com'}`);
	}

	if (names.length !== ('group' in given && 'origin' in given ? 2 : 1)) {
		throw new TypeError(`Expected exactly one of tag, group with origin, origin, url, prefix, pattern, olderThan and stale in ${where}, got ${names.join(', ') || 'none'}`);
	}

	const purgeable = given as unknown as Purgeable;
	refuseWildcards(purgeable, where);
	if (purgeable.origin !== undefined && purgeable.group === undefined) {
		refusePathInOrigin(purgeable.origin, where, 'all of the origin would be purged; did you mean `prefix` or `url`?');
	}

	return purgeable;
};

const expectedSwitchable = 'an object such as {origin: \'https://api.example.com\'}';

/**
@throws {TypeError} If it does not name an origin.
*/
export const checkSwitchable = (given: unknown, where: string): string | URL => {
	if (!isObject(given)) {
		throw new TypeError(`Expected ${expectedSwitchable} in ${where}, got ${describeRedacted(given)}`);
	}

	validate(given, {origin: commonRules.origin}, {where, noun: 'property', hint: name => Object.hasOwn(purgeRules, name) ? 'a switch is about all of an origin' : undefined});
	const {origin} = given;
	if (origin === undefined) {
		throw new TypeError(`Expected the property \`origin\` in ${where} to be ${commonRules.origin[1]}, got undefined`);
	}

	refuseWildcards(given, where);
	refusePathInOrigin(origin as string | URL, where, 'a switch is about all of an origin');

	return origin as string | URL;
};

/**
@returns The milliseconds.
@throws {TypeError} If it is no duration for which a switch can be in force.
*/
export const checkSwitchDuration = (given: unknown, where: string): number => {
	const milliseconds = parseDuration(given);
	if (milliseconds === undefined || milliseconds === 0) {
		throw new TypeError(`Expected \`duration\` in ${where} to be a duration longer than zero: milliseconds, or a string such as '30m', got ${describeDuration(given)}`);
	}

	return milliseconds;
};

/**
A key as the store has it, without the namespace.

@throws {TypeError} If it is none of this cache.
*/
export const checkStoreKey = (given: unknown, where: string, namespace: string): string => {
	const prefix = `${namespace}:`;
	const key = isString(given) && given.startsWith(prefix) ? given.slice(prefix.length) : given;
	if (!isString(key) || !/^\{[^\{\}]+\}(?::.+)?$/sv.test(key)) {
		throw new TypeError(`Expected a key of this cache in ${where}, such as '${prefix}{…}', got ${describeRedacted(given)}`);
	}

	return key;
};

/**
@throws {TypeError} If it is not what `entries()` can be told beside a filter.
*/
export const checkEntriesOptions = (given: unknown, where: 'entries()' | 'export()'): EntriesOptions => {
	if (!isObject(given)) {
		throw new TypeError(`Expected an object with options in ${where}, got ${describeRedacted(given)}`);
	}

	validate(
		given,
		{onUnreadable: [value => typeof value === 'function', 'a function']},
		{
			where,
			noun: 'property',
			hint: () => `one filter has all properties, as in ${where.replace('()', '')}({tag, origin}); the second argument takes \`onUnreadable\``,
		},
	);
	return given;
};

const hourMs = 60 * 60 * 1000;

/** The longest time that the statistics of a fleet go back, in milliseconds. */
export const longestSinceMs = 48 * hourMs;

const isSince = (value: unknown): boolean => {
	const sinceMs = parseDuration(value) ?? 0;
	return sinceMs > 0 && sinceMs <= longestSinceMs;
};

const minuteMs = 60_000;

const isStep = (value: unknown): boolean => {
	const stepMs = parseDuration(value) ?? 0;
	return stepMs > 0 && stepMs <= longestSinceMs && stepMs % minuteMs === 0;
};

/** The time that statistics go back, and the length of the steps of their timeline, in milliseconds. */
export type StatsPeriod = {
	readonly sinceMs: number;
	/** Whole minutes; `undefined` without a timeline. */
	readonly stepMs: number | undefined;
};

/**
@throws {TypeError} If it is not what `fleetStats()` can be told.
*/
export const checkStatsPeriod = (given: unknown = {}): StatsPeriod => {
	validate(given, {
		since: [isSince, `a duration longer than zero, and no longer than two days: ${durationExpected}`, describeDuration],
		step: [isStep, `a duration of whole minutes, and no longer than two days: ${durationExpected}`, describeDuration],
	}, {where: 'fleetStats()', noun: 'property'});
	const {since, step} = given as {readonly since?: unknown; readonly step?: unknown};

	return {sinceMs: parseDuration(since) ?? hourMs, stepMs: parseDuration(step)};
};

const eventNames: ReadonlySet<unknown> = new Set(['error', 'degraded', 'recovered', 'failover', 'closed', 'exchange']);

/**
@throws {TypeError} If there is no such event: nobody would ever hear of it.
*/
export const checkEventName = (given: unknown, where: string): void => {
	if (!eventNames.has(given)) {
		throw new TypeError(`Expected one of ${[...eventNames].join(', ')} in ${where}, got ${describe(given)}`);
	}
};

/**
@throws {TypeError} If it is not what a method can be told.
*/
export const checkFlag = <Name extends string>(given: unknown, name: Name, where: string): Partial<Record<Name, boolean>> => {
	if (given === undefined) {
		return {};
	}

	if (!isObject(given)) {
		throw new TypeError(`Expected an object such as {${name}: true} in ${where}, got ${describe(given)}`);
	}

	validate(given, {[name]: [isBoolean, 'a boolean']}, {where, noun: 'property'});
	return given as unknown as Partial<Record<Name, boolean>>;
};

/**
@throws {TypeError} If it is no lifetime that what is stored can have.
*/
export const checkLifetime = (given: unknown, where: string): void => {
	if (given === 'never' || isDuration(given)) {
		return;
	}

	const hint = given === 'no-store' ? '; delete() removes what is stored' : '';
	throw new TypeError(`Expected \`expireAfter\` in ${where} to be ${durationExpected}; or 'never', got ${describeLifetime(given)}${hint}`);
};
