import {isRedacted, redacted} from '../http/credentials.ts';
import type {CacheSettings} from '../options/resolve-options.ts';
import {urlPatternExpected} from '../options/url-pattern.ts';
import {
	describeDuration,
	describeRedacted,
	durationExpected,
	isBoolean,
	isDuration,
	isMethod,
	isString,
	validate,
	type Rule,
} from '../options/validate.ts';
import {isFilled, isObject} from './arguments.ts';
import type {EntryFilter, Purgeable, RequestLike} from './filters.ts';
import {
	describePrefix,
	isAbsoluteUrl,
	isUrlPrefix,
	isWildcardPrefix,
	refuseWildcard,
	whyNoPatternOfStored,
} from './url-arguments.ts';

/*
Checks of what a method is about: requests, filters, purges, and origins with a switch.
*/

/** The options that tell requests apart, beside HTTP. */
type RequestSettings = Pick<CacheSettings, 'key' | 'user'>;

// Not a `Headers` or a `Map`, which have no fields as properties.
const isFieldRecord = (value: unknown): boolean => isObject(value) && !(value instanceof Headers) && !(value instanceof Map);

const isAge = (value: unknown): boolean => value instanceof Date ? !Number.isNaN(value.getTime()) : isDuration(value);

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
