import KeyvRedis from '@keyv/redis';
import type {RedisClientOptions} from '@redis/client';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import type {Backend} from './backend.ts';
import {borrowLink, createLink, type RedisConnection, type Tracker} from './client.ts';
import {
	adapterBackend,
	keyvBackend,
	mapBackend,
	memoryBackend,
} from './keyv.ts';
import {redisBackend} from './redis.ts';

/** A Redis that runs beside the process, as `embeddedRedis()` gives it. It stays open when the cache is closed. */
export type EmbeddedStore = {
	readonly clientOptions: RedisClientOptions;
	close(): Promise<void>;
};

/**
Where a cache keeps its responses.

- A URL: `redis:`, `rediss:` (TLS), `valkey:`, `valkeys:`, or `unix:` with the path of a socket.
- `'redis'`: `redis://localhost:6379`; `'memory'`: the memory of this process.
- Options of a node-redis client, or a node-redis client, cluster, sentinel or pool: yours, connected when it is not, and never closed.
- A `Keyv`, used as it is; a storage adapter of Keyv's; a `Map`.
- What `embeddedRedis()` gives.
*/
export type StoreOption =
	| 'redis'
	| 'memory'
	| (string & Record<never, never>)
	| URL
	| RedisClientOptions
	| RedisConnection
	| EmbeddedStore
	| Keyv
	| KeyvStoreAdapter
	| Map<any, any>;

const expected = 'expected a redis:, rediss:, valkey:, valkeys: or unix: URL, \'redis\', \'memory\', options of a node-redis client, a client, cluster, sentinel or pool of node-redis 5, a Keyv, a Keyv storage adapter, or a Map';

const clientOptions = [
	'clientInfoTag',
	'clientSideCache',
	'commandOptions',
	'commandsQueueMaxLength',
	'credentialsProvider',
	'database',
	'disableClientInfo',
	'disableOfflineQueue',
	'emitInvalidate',
	'functions',
	'maintEndpointType',
	'maintNotifications',
	'maintRelaxedCommandTimeout',
	'maintRelaxedSocketTimeout',
	'modules',
	'name',
	'password',
	'pingInterval',
	'readonly',
	'RESP',
	'scripts',
	'socket',
	'unstableResp3',
	'url',
	'username',
] satisfies Array<keyof RedisClientOptions>;
const clientOptionNames: ReadonlySet<string> = new Set(clientOptions);

export const isClientOptionName = (name: string): boolean => clientOptionNames.has(name);

type ResolveOptions = {
	readonly namespace: string;
	/** What the word `'memory'` may take. */
	readonly memoryBytes: number;
	/** Hears of keys that were read and then changed, where the backend says so. */
	readonly tracker?: Tracker;
};

/**
The backend that a `store` option stands for. Opens nothing yet.

@throws {TypeError} When the option is none of what `StoreOption` lists: names it, what was given (without secrets) and what is expected.
*/
export const resolveStore = (store: unknown, {namespace, memoryBytes, tracker}: ResolveOptions): Backend => {
	if (store === 'memory') {
		return memoryBackend(memoryBytes, namespace);
	}

	if (store === 'redis') {
		return redisBackend(createLink({url: 'redis://localhost:6379'}, tracker), namespace);
	}

	if (typeof store === 'string' || store instanceof URL) {
		const options = clientOptionsOf(String(store));
		return redisBackend(linkOf(options, tracker, 'a URL'), namespace);
	}

	if (store instanceof Map) {
		return mapBackend(store, namespace);
	}

	if (typeof store !== 'object' || store === null) {
		throw new TypeError(`The option \`store\` is ${describe(store)}: ${expected}`);
	}

	const object = store as Unknown;
	if (isKeyv(object)) {
		return keyvBackend(store as Keyv, namespace);
	}

	if (isConnection(object)) {
		return redisBackend(borrowLink(store as RedisConnection), namespace);
	}

	// Its client is the user's; the adapter itself would turn bytes into text.
	if (store instanceof KeyvRedis) {
		return redisBackend(borrowLink(store.client), namespace);
	}

	if (isAdapter(object)) {
		return adapterBackend(store as KeyvStoreAdapter, namespace);
	}

	if (isEmbedded(object)) {
		return redisBackend(linkOf((store as EmbeddedStore).clientOptions, tracker, 'an embedded Redis'), namespace);
	}

	if (isPlain(object)) {
		return redisBackend(linkOf(checkedOptions(object), tracker, 'options of a node-redis client'), namespace);
	}

	throw new TypeError(`The option \`store\` is ${describe(store)}: ${expected}`);
};

type Unknown = Record<string, unknown>;

const hasMethods = (store: Unknown, ...names: readonly string[]): boolean => names.every(name => typeof store[name] === 'function');

// Another copy of Keyv in `node_modules` is a Keyv too.
const isKeyv = (store: Unknown): boolean => store instanceof Keyv || (isAdapter(store) && hasMethods(store, 'getRaw', 'setMany', 'disconnect') && 'useKeyPrefix' in store);

const isConnection = (store: Unknown): boolean => hasMethods(store, 'connect', 'withTypeMapping', 'sendCommand');

const isAdapter = (store: Unknown): boolean => hasMethods(store, 'get', 'set', 'delete', 'clear');

const isEmbedded = (store: Unknown): boolean => typeof store.clientOptions === 'object' && store.clientOptions !== null;

const isPlain = (store: Unknown): boolean => {
	const prototype: unknown = Object.getPrototypeOf(store);
	return prototype === Object.prototype || prototype === null;
};

/**
Whether a value stands for a store by itself. An object with options of a node-redis client does not: nothing tells it from options of a cache.
*/
export const isStoreOption = (value: unknown): value is StoreOption => {
	if (typeof value !== 'object' || value === null) {
		return typeof value === 'string';
	}

	const store = value as Unknown;
	return value instanceof URL || value instanceof Map || isAdapter(store) || isConnection(store) || isEmbedded(store);
};

const checkedOptions = (options: Record<string, unknown>): RedisClientOptions => {
	const unknownName = Object.keys(options).find(name => !isClientOptionName(name));
	if (unknownName !== undefined) {
		throw new TypeError(`The option \`store\` is an object with \`${unknownName}\`, which is no option of a node-redis client: ${expected}`);
	}

	const {socket: given} = options;
	if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
		throw new TypeError(`The option \`store\` is an object whose \`socket\` is ${describe(given)}: expected an object such as {host: 'localhost', port: 6379}`);
	}

	if (options.url === undefined) {
		return options;
	}

	if (typeof options.url !== 'string') {
		throw new TypeError(`The option \`store\` is an object whose \`url\` is ${describe(options.url)}: expected a redis: or rediss: URL`);
	}

	const {url, ...rest} = options;
	const {socket, ...parsed} = clientOptionsOf(url);
	return {...rest, ...parsed, ...(socket !== undefined && {socket})};
};

const schemes: ReadonlyMap<string, string> = new Map([
	['redis:', 'redis:'],
	['rediss:', 'rediss:'],
	['valkey:', 'redis:'],
	['valkeys:', 'rediss:'],
]);

const clientOptionsOf = (text: string): RedisClientOptions => {
	// A URL that cannot be parsed may hold its password anywhere: only its scheme is told.
	const given = /^[a-z][\d+\-.a-z]*:/iv.exec(text)?.[0];
	const told = given === undefined ? `'${text.slice(0, 40)}'` : `a ${given} URL`;
	if (!URL.canParse(text)) {
		throw new TypeError(`The option \`store\` is ${told}${given === undefined ? '' : ' that cannot be parsed'}: ${expected}`);
	}

	const url = new URL(text);
	if (url.protocol === 'unix:') {
		const db = url.searchParams.get('db');
		return {socket: {path: decodeURIComponent(url.pathname), tls: false}, ...(db !== null && {database: Number(db)})};
	}

	const scheme = schemes.get(url.protocol);
	if (scheme === undefined) {
		throw new TypeError(`The option \`store\` is ${told}: ${expected}`);
	}

	if (!/^(?:\/\d*)?$/v.test(url.pathname)) {
		throw new TypeError('The option `store` is a URL whose path is no database: expected one such as redis://localhost:6379/0');
	}

	return {url: scheme + text.slice(url.protocol.length)};
};

const linkOf = (options: RedisClientOptions, tracker: Tracker | undefined, what: string) => {
	try {
		return createLink(options, tracker);
	} catch (error) {
		// The message of node-redis may quote a URL with its password.
		// eslint-disable-next-line preserve-caught-error
		throw new TypeError(`The option \`store\` is ${what} that node-redis refuses (${error instanceof Error ? error.name : 'unknown error'}): ${expected}`);
	}
};

const describe = (value: unknown): string => {
	if (value === null || value === undefined) {
		return String(value);
	}

	if (typeof value === 'object') {
		return Array.isArray(value) ? 'an array' : `an object of class ${value.constructor?.name ?? 'none'}`;
	}

	return `a ${typeof value}`;
};
