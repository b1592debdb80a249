import {isPromise} from 'node:util/types';
import type {RedisClientOptions} from '@redis/client';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import type {Backend} from '../ports/backend.ts';
import {isSqliteOptions, isSqliteUrl, parseSqlite, type SqliteOptions} from '../sqlite/address.ts';
import {sqliteBackend} from '../sqlite/backend.ts';
import {borrowLink, createLink} from './client.ts';
import {ioredisLink} from './ioredis.ts';
import {isIoredis, type IoredisConnection} from './ioredis-kinds.ts';
import {isAdapterOfKeyv6, isKeyv6, type Keyv6} from './keyv-6.ts';
import {adapterBackend, keyvBackend} from './keyv.ts';
import {mapBackend, memoryBackend} from './map.ts';
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

const expected =
	'expected a redis:, rediss:, valkey:, valkeys:, unix: or sqlite: URL, \'redis\', \'memory\', options of a node-redis client, a client, cluster, sentinel or pool of node-redis, a client or cluster of ioredis or iovalkey, a Keyv, a Keyv storage adapter, or a Map';

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

const makers: ReadonlyMap<string, string> = new Map([
	['rootNodes', 'createCluster'],
	['sentinelRootNodes', 'createSentinel'],
	['minimum', 'createClientPool'],
	['maximum', 'createClientPool'],
	['acquireTimeout', 'createClientPool'],
	['cleanupDelay', 'createClientPool'],
]);

/** The function of node-redis that takes options of these names, where it is not `createClient()`. */
export const makerOf = (names: readonly string[]): string | undefined => makers.get(names.find(name => makers.has(name)) ?? '');

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

const checkedOptions = (options: Readonly<Unknown>): RedisClientOptions => {
	const names = Object.keys(options);
	const unknownName = names.find(name => !isClientOptionName(name));
	if (unknownName !== undefined) {
		const maker = makerOf(names);
		throw new TypeError(
			`The option \`store\` is an object with \`${unknownName}\`, which is no option of a node-redis client: ${maker ? `expected what node-redis' \`${maker}()\` makes of it` : expected}`,
		);
	}

	const {socket: given} = options;
	if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
		throw new TypeError(`The option \`store\` is an object whose \`socket\` is ${describe(given)}: expected an object such as {host: 'localhost', port: 6379}`);
	}

	// A misspelt one is not told from those of Node.js' sockets, which every version of it adds to.
	const misplaced = Object.keys(given ?? {}).find(name => name !== 'socket' && isClientOptionName(name));
	if (misplaced !== undefined) {
		throw new TypeError(`The option \`store\` is an object whose \`socket\` has \`${misplaced}\`, an option of the client: expected it beside \`socket\`, as in {socket: {…}, ${misplaced}}`);
	}

	if (options.url === undefined) {
		return options;
	}

	if (typeof options.url !== 'string') {
		throw new TypeError(`The option \`store\` is an object whose \`url\` is ${describe(options.url)}: expected a redis: or rediss: URL`);
	}

	const {url, ...rest} = options;
	const fromUrl = clientOptionsOf(url);
	return {...rest, ...fromUrl, socket: {...given, ...fromUrl.socket}};
};

const schemes: ReadonlyMap<string, string> = new Map([
	['redis:', 'redis:'],
	['rediss:', 'rediss:'],
	['valkey:', 'redis:'],
	['valkeys:', 'rediss:'],
]);

/** A host and a port, perhaps behind user information, perhaps with a database. `localhost:6379` would otherwise be a URL of the scheme `localhost:`. */
const isWithoutScheme = (text: string): boolean => /^(?:[^\/]*@)?(?:[\w\-.]+|\[[\d:a-f]+\]):\d+(?:\/\d*)?$/iv.test(text);

/** The part before the last `@` is meant as user and password, which are often pasted as they are. */
const escapingHint = (url: string): string => {
	const location = url.slice(url.indexOf('://') + 3);
	const credentials = location.slice(0, Math.max(location.lastIndexOf('@'), 0));

	return /[#\/?@]|%(?![\da-f]{2})/iv.test(credentials) ? '; its user and password need encodeURIComponent(), as for # and /' : '';
};

const clientOptionsOf = (text: string): RedisClientOptions => {
	// The part before an `@` may be a password.
	const shown = text.replace(/^.*@/sv, '…@');
	if (isWithoutScheme(text)) {
		throw new TypeError(`The option \`store\` is '${shown}', without a scheme: expected 'redis://${shown}'`);
	}

	// A URL that cannot be parsed may hold its password anywhere: only its scheme is told.
	const given = /^[a-z][\d+\-.a-z]*:/iv.exec(text)?.[0];
	const told = given === undefined ? `'${shown.slice(0, 40)}'` : `a ${given} URL`;
	if (!URL.canParse(text)) {
		throw new TypeError(`The option \`store\` is ${told}${given === undefined ? '' : ' that cannot be parsed'}${escapingHint(text)}: ${expected}`);
	}

	const url = new URL(text);
	if (url.protocol === 'unix:') {
		return socketOptionsOf(url);
	}

	const scheme = schemes.get(url.protocol);
	if (scheme === undefined) {
		throw new TypeError(`The option \`store\` is ${told}: ${expected}`);
	}

	if (!/^(?:\/\d*)?$/v.test(url.pathname)) {
		throw new TypeError(`The option \`store\` is a URL whose path is no database${escapingHint(text)}: expected one such as redis://localhost:6379/0`);
	}

	// Node-redis passes them by, and what follows an unescaped `?` or `#` in a password is taken for one.
	if (url.search !== '' || url.hash !== '') {
		throw new TypeError('The option `store` is a URL with a query or a fragment, which node-redis ignores: expected a database as its path, such as redis://localhost:6379/0, other options beside it, as in {url, name}, and a password with `encodeURIComponent()`');
	}

	return {url: scheme + text.slice(url.protocol.length)};
};

/** @throws {TypeError} If it is no URL of a store. */
export const checkStoreUrl = (text: string): void => {
	clientOptionsOf(text);
};

const socketOptionsOf = ({host, pathname, search, hash}: URL): RedisClientOptions => {
	const database = /^\?db=(?<database>\d+)$/v.exec(search)?.groups?.database;
	if (host !== '' || pathname === '' || hash !== '' || (search !== '' && database === undefined)) {
		throw new TypeError('The option `store` is a unix: URL that is more than the path of a socket and a database: expected one such as unix:///run/redis.sock or unix:///run/redis.sock?db=1');
	}

	return {socket: {path: decodeURIComponent(pathname), tls: false}, ...(database !== undefined && {database: Number(database)})};
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

const describe = (value: unknown): string => {
	if (value === null || value === undefined) {
		return String(value);
	}

	if (isPromise(value)) {
		return 'a promise, which has to be awaited first, such as that of embeddedRedis()';
	}

	if (typeof value === 'object') {
		return Array.isArray(value) ? 'an array' : `an object of class ${value.constructor?.name ?? 'none'}`;
	}

	return `a ${typeof value}`;
};
