import {access, constants, stat} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/** The needed part of the package `redis-memory-server`, which is not a dependency. */
type RedisMemoryServer = {
	readonly RedisBinary: {
		getPath(): Promise<string>;
	};
};

const names = ['redis-server', 'valkey-server'];

const advice = `Install one of them:
  Debian, Ubuntu   apt-get install redis-server
  Fedora           dnf install valkey
  Alpine           apk add redis
  macOS            brew install redis
  Windows          in WSL: apt-get install redis-server
  anywhere else    npm install redis-memory-server   (downloads and builds one)
or name an executable: embeddedRedis({binary: '/path/to/redis-server'})`;

const isExecutable = async (file: string): Promise<boolean> => {
	try {
		await access(file, constants.X_OK);
		const stats = await stat(file);
		return stats.isFile();
	} catch {
		return false;
	}
};

const findInPath = async (name: string): Promise<string | undefined> => {
	for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
		const file = path.resolve(directory, name);
		// eslint-disable-next-line no-await-in-loop -- The first one wins.
		if (directory !== '' && await isExecutable(file)) {
			return file;
		}
	}

	return undefined;
};

const fromRedisMemoryServer = async (): Promise<string | undefined> => {
	// Behind a name, so that the compiler does not look for it: the package may be absent.
	const packageName = 'redis-memory-server';
	let module: RedisMemoryServer;
	try {
		module = await import(packageName) as RedisMemoryServer;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') {
			return undefined;
		}

		throw error;
	}

	return module.RedisBinary.getPath();
};

const resolveGiven = async (given: string): Promise<string> => {
	const file = given.includes('/') ? path.resolve(given) : await findInPath(given);
	if (file === undefined || !await isExecutable(file)) {
		throw new Error(`embeddedRedis(): the option \`binary\` is '${given}', which is no executable file${given.includes('/') ? '' : ' in PATH'}`);
	}

	return file;
};

/**
The absolute path of the server's executable: the given one, `redis-server` or `valkey-server` in `PATH`, or the one that the package `redis-memory-server` provides.

@throws {Error} If there is none: says how to get one.
*/
export const findBinary = async (given: string | undefined): Promise<string> => {
	if (process.platform === 'win32') {
		throw new Error(`embeddedRedis(): Redis does not run on Windows itself. ${advice}`);
	}

	if (given !== undefined) {
		return resolveGiven(given);
	}

	for (const name of names) {
		// eslint-disable-next-line no-await-in-loop -- The first one wins.
		const file = await findInPath(name);
		if (file !== undefined) {
			return file;
		}
	}

	const file = await fromRedisMemoryServer();
	if (file === undefined) {
		throw new Error(`embeddedRedis(): found neither redis-server nor valkey-server in PATH. ${advice}`);
	}

	return file;
};
