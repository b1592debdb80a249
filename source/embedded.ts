import './node-version.ts';
import {findBinary} from './embedded/binary.ts';
import {pidOf, socketPathOf} from './embedded/directory.ts';
import {leave} from './embedded/ownership.ts';
import {shareServer} from './embedded/registry.ts';
import {preparePlace, startServer} from './embedded/server.ts';
import {isString, validate, type Rule} from './options/validate.ts';

/** Where an embedded Redis keeps its data, and how it is run. */
export type EmbeddedRedisOptions = {
	/**
	A file, such as `'./cache.rdb'`, that keeps the data on disk, in Redis' own RDB format: read at the start, saved every minute in which something changed and when the server ends. Its directory has to exist. Processes of one user on one machine that give the same path share one server; the first one starts it, and it ends after the last one.

	While the server runs, the directory `{path}.server` lies beside the file and tells other processes where it is.

	@default undefined, a server of its own that leaves nothing behind
	*/
	path?: string | undefined;

	/**
	The server's executable: its path, or its name in `PATH`. It may be any server that takes the configuration and the commands of Redis 6 or later.

	@default `redis-server` in `PATH`, or else `valkey-server`, or else the one that the package `redis-memory-server` provides, where that is installed
	*/
	binary?: string | undefined;
};

/** A running server of one's own. */
export type EmbeddedRedis = {
	/** The Unix socket on which it listens. Its directory, and so the server, is open to the current user alone. */
	readonly socketPath: string;

	/** Options for `createClient()` of node-redis. */
	readonly clientOptions: {
		/** The options of the socket. */
		socket: {
			/** The Unix socket, as `socketPath`. */
			path: string;
			/** A Unix socket is not encrypted. */
			tls: false;
		};
	};

	/** The id of the server's process. */
	readonly pid: number;

	/**
	Gives the server up. Resolves when it has saved its data, where it keeps any, and has ended; at once while other processes share it. Calling it is optional, and calling it again does nothing.
	*/
	close(): Promise<void>;

	/** `close()`, for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
};

const isPath = (value: unknown): boolean => isString(value) && value !== '' && !value.includes('\0');

const rules: Readonly<Record<keyof EmbeddedRedisOptions, Rule>> = {
	path: [isPath, 'a path'],
	binary: [isPath, 'a path, or a name in `PATH`'],
};

/**
Starts a real Redis (or Valkey) server of this process's own, for a script, a laptop or a test: no daemon to set up, no port to choose.

The server listens on a Unix socket that only the current user may open, never on TCP. It ends when its owner does, also when that is killed, and it does not keep its owner running. A `path` keeps the data for the next run and shares the server with the processes that give the same path.

The server has no limit of memory and evicts nothing before its TTL. Set one with the command `CONFIG SET maxmemory 100mb`: what was not used for the longest time then goes first. Not available on Windows, where it needs WSL.

@returns A server for `redisCache({store})`; other clients connect to `socketPath`.
@throws {TypeError} On an unknown option or one of the wrong type.
@throws {Error} If there is no executable (says how to install one), or the server does not start: the data is corrupt, the directory not writable. No process stays behind.

@example
```
import got from 'got';
import {redisCache} from 'got-redis-cache';
import {embeddedRedis} from 'got-redis-cache/embedded';

const client = got.extend(redisCache({store: await embeddedRedis({path: './cache.rdb'})}));
```
*/
export const embeddedRedis = async (options: EmbeddedRedisOptions = {}): Promise<EmbeddedRedis> => {
	validate(options, rules, {where: 'embeddedRedis()', noun: 'option'});
	if ('path' in options && options.path === undefined) {
		throw new TypeError('Expected the option `path` in embeddedRedis() to be a path, got undefined, as from an unset environment variable; leave the option out for a server that keeps nothing');
	}

	const binary = async () => findBinary(options.binary);

	const ownership = options.path === undefined
		? await startServer(await binary(), await preparePlace())
		: await shareServer(options.path, binary);
	const pid = await pidOf(ownership.directory);
	const socketPath = socketPathOf(ownership.directory);

	let closing: Promise<void> | undefined;
	const close = async () => {
		closing ??= leave(ownership);
		return closing;
	};

	return {
		socketPath,
		clientOptions: {socket: {path: socketPath, tls: false}},
		pid,
		close,
		[Symbol.asyncDispose]: close,
	};
};
