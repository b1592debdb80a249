import {isClientOptionName, makerOf} from '../store/backends/client-options.ts';
import {isEmbedded, isStoreOption} from '../store/backends/connection.ts';

/*
Where an option belongs that was given elsewhere, or under another name: in the store, beside it, or with a request.
*/

type IsOptionName = (name: string) => boolean;

/** The names of an option in other caches and other clients of Redis, in lower case, letters alone. */
export const otherNames: ReadonlyMap<string, string> = new Map([
	...['adapter', 'backend', 'client', 'connection', 'redis', 'storage'].map(name => [name, 'store'] as const),
	...['cachename', 'keyprefix', 'prefix'].map(name => [name, 'namespace'] as const),
	...['expiration', 'expires', 'expiry', 'lifetime', 'maxage'].map(name => [name, 'expireAfter'] as const),
	...['cachekey', 'generatekey', 'keyfn', 'keygenerator'].map(name => [name, 'key'] as const),
	...['identity', 'owner', 'tenant', 'userid'].map(name => [name, 'user'] as const),
	...['cachepredicate', 'filterfn', 'predicate', 'shouldcache'].map(name => [name, 'filter'] as const),
	['allowablecodes', 'statusCodes'],
	['allowablemethods', 'methods'],
	['enabled', 'disabled'],
	['interpretheader', 'cacheControl'],
	['private', 'shared'],
	['sie', 'staleIfError'],
	['swr', 'staleWhileRevalidate'],
]);

const socketOptionNames: ReadonlySet<string> = new Set(['connectTimeout', 'family', 'host', 'keepAlive', 'path', 'port', 'tls']);

/** Ioredis' name for `database`. */
const isDatabase = (name: string): boolean => name === 'db';

const isOfClient = (name: string): boolean => isClientOptionName(name) || socketOptionNames.has(name) || isDatabase(name);

/** Options of a client by their names alone, since a value may be a secret. */
const inClient = (names: readonly string[]): string => {
	const ofSocket = names.filter(name => socketOptionNames.has(name));
	const ofClient = names.filter(name => isClientOptionName(name) && !(name === 'socket' && ofSocket.length > 0));
	const parts = [
		...ofSocket.length === 0 ? [] : [`socket: {${ofSocket.join(', ')}}`],
		...ofClient,
		...names.some(name => isDatabase(name)) ? ['database'] : [],
	];

	return parts.length === 0 ? '…' : `{${parts.join(', ')}}`;
};

/** By their names: `{store: {url}, ttlOffset}`. */
const inPlace = (names: readonly string[], isOptionName: IsOptionName): string => {
	const maker = makerOf(names);
	const ofCache = names.filter(name => name !== 'store' && isOptionName(name));

	return `{${[`store: ${maker ? `${maker}(…)` : inClient(names)}`, ...ofCache].join(', ')}}`;
};

/**
Options of a client of Redis that stand among those of the cache.

@param given - The names of all that was given with it.
*/
export const hintOfClientOption = (name: string, given: readonly string[], isOptionName: IsOptionName): string | undefined => {
	if (isUpstash(given)) {
		return `it is one of @upstash/redis; ${upstashHint}`;
	}

	if (isClientOptionName(name) || makerOf([name]) !== undefined) {
		return `options of node-redis go into \`store\`, as in ${inPlace(given, isOptionName)}`;
	}

	return isOfClient(name) ? `where the Redis is goes into \`store\`, as in ${inPlace(given, isOptionName)}` : undefined;
};

const upstashHint = 'over HTTP there are no replies in bytes, no messages when a key changes, and no time within which a command is known to be lost. The cache speaks Redis\'s own protocol, so pass the rediss:// URL of the same database, as in {store: \'rediss://…\'}';

/** Its options, not those of a client of Redis. */
const isUpstash = (names: readonly string[]): boolean => names.includes('url') && names.includes('token');

/** By its methods: a client may be of another copy of its package. */
const foreignClient = (store: Readonly<Record<string, unknown>>): string | undefined => {
	const has = (...names: readonly string[]) => names.every(name => typeof store[name] === 'function');
	if (has('defineCommand', 'sendCommand', 'duplicate')) {
		return 'a client of an old ioredis: pass its address, as in {store: \'redis://…\'}, or a client of ioredis 5 or 6, of iovalkey, or of node-redis 5';
	}

	if (has('createScript', 'pipeline') && !has('connect')) {
		return `a client of @upstash/redis, which speaks HTTP: ${upstashHint}`;
	}

	return (has('sendCommand', 'connect', 'multi') && !has('withTypeMapping')) || has('send_command')
		? 'a client of an old node-redis: pass its address, as in {store: \'redis://…\'}, or a client that createClient() of node-redis 5 makes'
		: undefined;
};

/**
@throws {TypeError} If the store is a client of another package or version than the cache takes, or an address that such a client goes by: says what to pass instead.
*/
export const refuseForeignClient = (store: unknown): void => {
	if ((typeof store === 'string' || store instanceof URL) && /^https?:\/\/[^\/]*\.upstash\.io(?:[\/:]|$)/v.test(String(store))) {
		throw new TypeError(`The option \`store\` is the address of Upstash's HTTP API: ${upstashHint}`);
	}

	if (typeof store !== 'object' || store === null || isStoreOption(store)) {
		return;
	}

	const foreign = foreignClient(store as Record<string, unknown>) ?? (isUpstash(Object.keys(store)) ? `an object with options of @upstash/redis: ${upstashHint}` : undefined);
	if (foreign !== undefined) {
		throw new TypeError(`The option \`store\` is ${foreign}`);
	}
};

/**
@throws {TypeError} If options of the cache stand among those of a node-redis client, or options of either beside an embedded Redis' own properties; or if options of a socket stand beside it.
*/
export const refuseOptionsInStore = (store: unknown, isOptionName: IsOptionName): void => {
	if (typeof store !== 'object' || store === null || (isStoreOption(store) && !isEmbedded(store))) {
		return;
	}

	const names = Object.keys(store);
	const misplaced = names.find(name => name !== 'store' && isOptionName(name));
	if (misplaced !== undefined) {
		throw new TypeError(`Unknown option \`${misplaced}\` in \`store\`: options of the cache go beside it, as in ${inPlace(names, isOptionName)}`);
	}

	const ofClient = isEmbedded(store) ? names.find(name => isClientOptionName(name)) : undefined;
	if (ofClient !== undefined) {
		throw new TypeError(`Unknown option \`${ofClient}\` in \`store\`: options of node-redis go into its \`clientOptions\``);
	}

	const misnamed = isEmbedded(store) ? undefined : names.find(name => isOfClient(name) && !isClientOptionName(name));
	if (misnamed !== undefined) {
		throw new TypeError(`Unknown option \`${misnamed}\` in \`store\`: the options are those of node-redis, as in ${inPlace(names, isOptionName)}`);
	}
};
