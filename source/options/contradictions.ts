import {userFields} from '../http/identity.ts';
import {isSafe} from '../http/invalidation.ts';
import {warn} from '../types/warning.ts';
import {cacheRules} from './option-rules.ts';
import type {RedisCacheOptions, RequestCacheOptions} from './options.ts';
import {clientOptionsIn} from './store-options.ts';

/*
Options that are valid each by itself, but not together, or not as they were probably meant.
*/

type Options = RedisCacheOptions & RequestCacheOptions;

/** The protection that is off if the option is left out: those that decide who is given what. */
const withoutIt: ReadonlyArray<readonly [name: 'encryption' | 'filter' | 'key' | 'namespace' | 'user', consequence: string]> = [
	['encryption', 'as from an unset environment variable; leave the option out to store responses unencrypted'],
	['namespace', 'as from an unset environment variable; leave the option out to share what is stored with every cache that has no namespace of its own'],
	['user', 'as from a name that is not exported; leave the option out to tell no users apart by name'],
	['key', 'as from a name that is not exported; leave the option out to tell requests apart by no more than HTTP does'],
	['filter', 'as from a name that is not exported; leave the option out to let the cache take part in every request'],
];

/** An option that is there and undefined would switch off what it was meant to switch on. */
export const refuseUndefined = (options: RedisCacheOptions, where: string) => {
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
export const warnOfUndefinedStore = (options: RedisCacheOptions, where: string) => {
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

const contradict = (first: string, second: string, why: string, where: string) => {
	throw new TypeError(`The options \`${first}\` and \`${second}\` in ${where} contradict each other: ${why}`);
};

export const refuseContradictions = (options: Options, where: string) => {
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
