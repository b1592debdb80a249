import {existsSync, readFileSync} from 'node:fs';
import process from 'node:process';
import {createCluster, type RedisClientOptions} from '@redis/client';
import ms, {type StringValue} from 'ms';
import {redisCache, type RedisCache} from '../../index.ts';
import {Failure} from '../terminal/failure.ts';
import type {ProgramOptions} from './config.ts';
import {storeFailure} from './failures.ts';
import type {Given} from './given.ts';
import {fileOf} from './sqlite-file.ts';

/** The part of a request that the options `user` and `key` of a cache make. */
export type Distinction = {
	readonly user?: string | undefined;
	readonly key?: string | undefined;
};

/**
The store that the global options name.
*/
export type StoreAccess = {
	readonly url: string;
	/** The URL without user and password. */
	readonly address: string;
	readonly namespace: string;
	/** The namespace and the store, for messages of what was not found: somebody may have asked the wrong one. */
	readonly place: string;
	/** Whether the options of a program's cache were given; otherwise it is taken to have the defaults. */
	readonly isConfigured: boolean;
	readonly isCluster: boolean;
	/** The longest that an answer is waited for. */
	readonly timeoutMs: number;
	/** The path of a file of SQLite; `undefined` for a Redis. */
	readonly file: string | undefined;
	/** Whether keys for encrypted responses were given. */
	readonly hasEncryptionKeys: boolean;
	/** Opens the cache; connects with the first operation. */
	open(options?: Distinction & {
		/** Whether the cache has statistics. Otherwise the requests of a command do not count among those of the fleet. */
		readonly isCounting?: boolean;
		/** Whether a file of SQLite may be created. Otherwise one that is not there is taken for a mistake. */
		readonly isFileCreated?: boolean;
		/** Whether requests of any user may be asked about. */
		readonly hasUsers?: boolean;
		/** Whether the options of the program are left out, for what is about a whole origin. */
		readonly isPlain?: boolean;
	}): RedisCache;
	/** Makes a client for the cluster of which the store is a node; it is not connected yet. */
	openCluster(): ReturnType<typeof openCluster>;
	/** Throws the failure of the store, if it has failed. */
	throwIfFailed(): void;
	close(): Promise<void>;
};

const readKeys = (file: string): string => {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new Failure('wrongUsage', `--encryption-file cannot be read (${(error as Error).message}): give the path of a file with one key a line`);
	}
};

const encryptionKeys = (given: Given): string[] | undefined => {
	const file = given.text('encryption-file');
	const text = file === undefined ? process.env.GOT_REDIS_CACHE_ENCRYPTION : readKeys(file);
	const keys = (text ?? '').split(/[\s,]+/v).filter(key => key !== '');
	if (file !== undefined && keys.length === 0) {
		throw new Failure('wrongUsage', `--encryption-file '${file}' has no key: write one a line, in hexadecimal or base64`);
	}

	return keys.length === 0 ? undefined : keys;
};

/** The URL that was given; `undefined` if there is none, neither as an option nor in the environment. */
const givenUrlOf = (given: Given): string | undefined => given.text('store') ?? (process.env.REDIS_URL === '' ? undefined : process.env.REDIS_URL);

const storeUrlOf = (given: Given): string => {
	const url = givenUrlOf(given) ?? 'redis://localhost:6379';
	if (url === 'memory' || url === 'sqlite::memory:') {
		throw new Failure('wrongUsage', `--store is '${url}', which no other process sees: give the URL of a Redis, or of a file, such as sqlite:./cache.db`);
	}

	return url;
};

const inSchemeOfRedis = (url: string): string => url.replace(/^valkey(?=s?:)/v, 'redis');

/** The options of node-redis for a URL that the library has accepted. */
export const clientOptionsOf = (url: string): RedisClientOptions => {
	if (!url.startsWith('unix:')) {
		return {url: inSchemeOfRedis(url === 'redis' ? 'redis://localhost:6379' : url)};
	}

	const {pathname, searchParams} = new URL(url);
	const database = searchParams.get('db');
	return {socket: {path: decodeURIComponent(pathname), tls: false}, ...(database !== null && {database: Number(database)})};
};

/** The library waits no longer than this for a connection. */
const libraryConnectTimeoutMs = 2000;

/** The milliseconds of a duration; `NaN` for what the library refuses when the cache is opened. */
const millisecondsOf = (duration: string): number => {
	try {
		return ms(duration as StringValue) ?? NaN;
	} catch {
		return NaN;
	}
};

const openCluster = (url: string, signal: AbortSignal) => {
	const {url: rootUrl} = clientOptionsOf(url);
	if (rootUrl === undefined || !URL.canParse(rootUrl)) {
		throw new Failure('wrongUsage', '--cluster needs the redis: or rediss: URL of a node with --store');
	}

	const {username, password, protocol} = new URL(rootUrl);
	const defaults = {
		...(username !== '' && {username: decodeURIComponent(username)}),
		...(password !== '' && {password: decodeURIComponent(password)}),
		// Node-redis' `destroy()` passes by the node that it is still asking for the others, whose connection would keep the process running.
		socket: protocol === 'rediss:' ? {tls: true as const, signal} : {signal},
	};
	const cluster = createCluster({rootNodes: [{url: rootUrl}], defaults});
	// Without a listener, an `'error'` event would end the process.
	cluster.on('error', () => undefined);
	return cluster;
};

export const createStoreAccess = (given: Given, config?: ProgramOptions): StoreAccess => {
	const url = storeUrlOf(given);
	const namespace = given.text('namespace') ?? config?.namespace ?? 'http_cache';
	const isCluster = given.flag('cluster');
	const file = fileOf(url);
	if (isCluster && file !== undefined) {
		throw new Failure('wrongUsage', '--cluster needs the redis: or rediss: URL of a node with --store');
	}

	const keys = encryptionKeys(given) ?? config?.encryption;
	const timeout = given.text('timeout') ?? '5s';
	const timeoutMs = millisecondsOf(timeout);
	const opened: RedisCache[] = [];
	const clusters: Array<ReturnType<typeof openCluster>> = [];
	const ending = new AbortController();
	let lastError: Error | undefined;

	const connection = () => {
		if (!isCluster) {
			return file === undefined && timeoutMs < libraryConnectTimeoutMs ? {url: url === 'redis' ? 'redis://localhost:6379' : url, socket: {connectTimeout: timeoutMs}} : url;
		}

		const cluster = openCluster(url, ending.signal);
		clusters.push(cluster);
		return cluster;
	};

	const address = url.replace(/(?<=\/\/)[^\/]*@/v, '');

	return {
		url,
		address,
		namespace,
		place: `the namespace '${namespace}' of ${address}${givenUrlOf(given) === undefined ? ' (the default: REDIS_URL is not set)' : ''}`,
		isConfigured: config !== undefined,
		isCluster,
		timeoutMs,
		file,
		hasEncryptionKeys: keys !== undefined,
		open({user, key, isCounting = false, hasUsers = false, isFileCreated = false, isPlain = false} = {}) {
			if (file !== undefined && !isFileCreated && !existsSync(file)) {
				throw new Failure('wrongUsage', `--store leads to ${file}, where no file is: give the path of a file that a cache has written`);
			}

			const cache = redisCache({
				...hasUsers && {user: () => undefined},
				...!isPlain && config,
				store: connection(),
				namespace,
				// A command that is run once gains nothing from a copy in memory.
				memory: false,
				statistics: isCounting,
				timeout: timeout as '5s',
				...keys && {encryption: keys},
				...(user !== undefined && {user: () => user}),
				...(key !== undefined && {key: () => key}),
			});
			cache.on('error', error => {
				lastError = error;
			});
			opened.push(cache);
			return cache;
		},
		openCluster: () => openCluster(url, ending.signal),
		throwIfFailed() {
			const unwell = opened.map(cache => cache.health()).find(({state}) => ['unavailable', 'partial', 'read-only'].includes(state));
			const error = unwell?.lastError ?? lastError;
			if (error) {
				throw storeFailure(error);
			}
		},
		async close() {
			await Promise.all(opened.map(async cache => cache.close()));
			for (const cluster of clusters) {
				if (cluster.isOpen) {
					cluster.destroy();
				}
			}

			ending.abort();
		},
	};
};
