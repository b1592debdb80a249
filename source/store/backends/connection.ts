import type {RedisClientOptions} from '@redis/client';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import type {Backend} from '../ports/backend.ts';
import {isSqliteOptions, isSqliteUrl, parseSqlite, type SqliteOptions} from '../sqlite/address.ts';
import {sqliteBackend} from '../sqlite/backend.ts';
import {borrowLink} from './borrowed-client.ts';
import {checkedOptions, clientOptionsOf, escapingHint} from './client-options.ts';
import {describe, expected} from './expected-store.ts';
import {ioredisLink} from './ioredis.ts';
import {isIoredis, type IoredisConnection} from './ioredis-kinds.ts';
import {isAdapterOfKeyv6, isKeyv6, type Keyv6} from './keyv-6.ts';
import {adapterBackend, keyvBackend} from './keyv.ts';
import {mapBackend, memoryBackend} from './map.ts';
import {createLink} from './own-client.ts';
import type {RedisConnection} from './redis-connection.ts';
import type {Tracker} from './redis-link.ts';
import {redisBackend} from './redis.ts';

/** A Redis that runs beside the process, as `embeddedRedis()` gives it. It stays open when the cache is closed. */
export type EmbeddedStore = {
	readonly clientOptions: RedisClientOptions;
	close(): Promise<void>;
};

/**
Where a cache keeps its responses.

- A URL: `redis:`, `rediss:` (TLS), `valkey:`, `valkeys:`, such as `redis://localhost:6379/1` with a database; or `unix:` with the path of a socket, such as `unix:///run/redis.sock?db=1`.
- `'redis'`: `redis://localhost:6379`; `'memory'`: the memory of this process.
- A file of SQLite: `sqlite:./cache.db`, relative to the working directory; `sqlite:///absolute/path/cache.db`; `sqlite::memory:`; or, with a bound, `{sqlite: './cache.db', maxSize: 104_857_600}`. Needs Node.js 22.13 or later.
- Options of a node-redis client, without `clientSideCache`, `disableOfflineQueue`, `pingInterval` and `socket.reconnectStrategy`, which are refused: when the connection is opened again is up to the cache. `socket.tls` is a boolean, with the options of TLS beside it.
- A client, cluster, sentinel or pool of node-redis 5 or 6: yours, connected when it is not, and never closed.
- A client or cluster of ioredis 5 or 6, or of iovalkey, with sentinels or without: likewise.
- A `Keyv` of version 5 or 6, used as it is; a storage adapter of Keyv 5; a `Map`.
- The result of `embeddedRedis()`.
*/
export type StoreOption =
	| 'redis'
	| 'memory'
	| (string & Record<never, never>)
	| URL
	| SqliteOptions
	| RedisClientOptions
	| RedisConnection
	| IoredisConnection
	| EmbeddedStore
	| Keyv
	| Keyv6
	| KeyvStoreAdapter
	| Map<any, any>;

type ResolveOptions = {
	readonly namespace: string;
	/** The bytes that the store `'memory'` may take. */
	readonly memoryBytes: number;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** Hears of what has befallen a database file, or files in a folder. */
	readonly onFault: (error: Error) => void;
	/** Hears of keys that were read and then changed, where the backend says so. */
	readonly tracker?: Tracker;
};

/**
The backend that a `store` option stands for. Opens nothing yet.

@throws {TypeError} When the option is none of what `StoreOption` lists: names it, what was given (without secrets) and what is expected.
*/
export const resolveStore = (store: unknown, {namespace, memoryBytes, timeoutMs, onFault, tracker}: ResolveOptions): Backend => {
	if (store === 'memory') {
		return memoryBackend(memoryBytes, namespace);
	}

	if (store === 'redis') {
		return redisBackend(createLink({url: 'redis://localhost:6379'}, tracker), namespace);
	}

	if (isSqliteUrl(store) || isSqliteOptions(store)) {
		return sqliteBackend(parseSqlite(store), {namespace, timeoutMs, onFault});
	}

	if (typeof store === 'string' || store instanceof URL) {
		const options = clientOptionsOf(String(store));
		return redisBackend(linkOf(options, tracker, 'a URL'), namespace);
	}

	if (store instanceof Map) {
		return mapBackend(store, namespace, onFault);
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

	if (isIoredis(object)) {
		return redisBackend(ioredisLink(store as IoredisConnection, {namespace, tracker}), namespace);
	}

	// Its client is the user's; the adapter itself would turn bytes into text.
	if (isKeyvRedis(object)) {
		return redisBackend(borrowLink(object.client), namespace);
	}

	if (isAdapterOfKeyv6(object)) {
		throw new TypeError(`The option \`store\` is a storage adapter of Keyv 6 (${describe(store)}): expected the Keyv around it, as in {store: new Keyv({store: adapter})}`);
	}

	if (isAdapter(object)) {
		return adapterBackend(store as KeyvStoreAdapter, namespace);
	}

	if (isEmbedded(object)) {
		return redisBackend(linkOf(checkedOptions({...object.clientOptions}), tracker, 'an embedded Redis'), namespace);
	}

	if (isPlain(object)) {
		return redisBackend(linkOf(checkedOptions(object), tracker, 'options of a node-redis client'), namespace);
	}

	throw new TypeError(`The option \`store\` is ${describe(store)}: ${expected}`);
};

type Unknown = Record<string, unknown>;

const hasMethods = (store: Unknown, ...names: readonly string[]): boolean => names.every(name => typeof store[name] === 'function');

// Another copy of Keyv in `node_modules` is a Keyv too.
const isKeyv = (store: Unknown): boolean => store instanceof Keyv || isKeyv6(store) || (isAdapter(store) && hasMethods(store, 'getRaw', 'setMany', 'disconnect') && 'useKeyPrefix' in store);

const isConnection = (store: Unknown): boolean => hasMethods(store, 'connect', 'withTypeMapping', 'sendCommand');

const isAdapter = (store: Unknown): boolean => hasMethods(store, 'get', 'set', 'delete', 'clear');

/** Another copy of `@keyv/redis` in `node_modules` is one too. */
const isKeyvRedis = (store: Unknown): store is {readonly client: RedisConnection} => {
	const {client} = store;
	return isAdapter(store) && 'keyPrefixSeparator' in store && typeof client === 'object' && client !== null && isConnection(client as Unknown);
};

export const isEmbedded = (store: unknown): store is EmbeddedStore => {
	const {clientOptions: given} = (store ?? {}) as Unknown;
	return typeof given === 'object' && given !== null;
};

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
	return value instanceof URL || value instanceof Map || isSqliteOptions(value) || isAdapter(store) || isConnection(store) || isIoredis(store) || isEmbedded(store);
};

const linkOf = (options: RedisClientOptions, tracker: Tracker | undefined, what: string) => {
	try {
		return createLink(options, tracker);
	} catch (error) {
		// The message of node-redis may quote a URL with its password.
		// eslint-disable-next-line preserve-caught-error
		throw new TypeError(`The option \`store\` is ${what} that node-redis refuses (${error instanceof Error ? error.name : 'unknown error'})${escapingHint(options.url ?? '')}: ${expected}`);
	}
};
