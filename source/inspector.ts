import './node-version.ts';
import {inspect} from 'node:util'; // eslint-disable-line import-x/order -- The version of Node.js is checked first.
import type {RedisCache} from './index.ts';
import {createHandler, type InspectorHandler} from './inspector/handler.ts';
import {startServer} from './inspector/server.ts';

export type {InspectorHandler} from './inspector/handler.ts';

/** A cache to inspect, and the place of its page on your server. */
export type InspectorHandlerOptions = {
	/** The result of `redisCache()`. */
	cache: RedisCache;

	/**
	The path that the handler is mounted at, such as `'/cache'`.

	@default the path that Express has mounted it at, or else `'/'`
	*/
	basePath?: string | undefined;

	/**
	Whether the page only shows. Purges, `freeze()`, `bypass()`, `thaw()` and the check of the store are refused.

	@default false
	*/
	readOnly?: boolean | undefined;
};

/** A cache to inspect. */
export type InspectorOptions = {
	/** The result of `redisCache()`. */
	cache: RedisCache;

	/**
	The port to listen to, on 127.0.0.1.

	@default a free one
	*/
	port?: number | undefined;

	/**
	Whether the page only shows. Purges, `freeze()`, `bypass()`, `thaw()` and the check of the store are refused.

	@default false
	*/
	readOnly?: boolean | undefined;
};

/** A running inspector. */
export type Inspector = {
	/** The address of the page, with its token. Everybody who has it can see and purge all that is stored. */
	readonly url: string;

	/** Stops listening. The cache stays open. */
	close(): Promise<void>;

	/** `close()`, for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
};

const describe = (value: unknown): string => inspect(value, {depth: 0, breakLength: Infinity});

const refuseUnknown = (options: unknown, known: readonly string[], where: string): void => {
	if (typeof options !== 'object' || options === null) {
		throw new TypeError(`Expected an object with the option \`cache\` in ${where}, got ${describe(options)}`);
	}

	const unknown = Object.keys(options).find(name => !known.includes(name));
	if (unknown !== undefined) {
		throw new TypeError(`Unknown option \`${unknown}\` in ${where}: expected one of ${known.join(', ')}`);
	}
};

const checkCache = (cache: unknown, where: string): void => {
	if (typeof (cache as Partial<RedisCache> | undefined)?.getByKey !== 'function') {
		throw new TypeError(`Expected the option \`cache\` in ${where} to be what redisCache() returns, got ${describe(cache)}`);
	}
};

const checkReadOnly = (readOnly: unknown, where: string): boolean => {
	if (readOnly !== undefined && typeof readOnly !== 'boolean') {
		throw new TypeError(`Expected the option \`readOnly\` in ${where} to be a boolean, got ${describe(readOnly)}`);
	}

	return readOnly ?? false;
};

/** Without the slash at its end. */
const checkBasePath = (basePath: unknown): string | undefined => {
	if (basePath === undefined) {
		return undefined;
	}

	if (typeof basePath !== 'string' || !/^\/(?!\/)[^\s#?]*$/v.test(basePath)) {
		throw new TypeError(`Expected the option \`basePath\` in inspectorHandler() to be a path such as '/cache', got ${describe(basePath)}`);
	}

	return basePath.replace(/\/$/v, '');
};

/**
Makes a handler that serves the inspector's page: what is stored, what the cache did, purges. Mount it in a server of yours, behind your own authentication: **the handler asks nobody who they are**, and everybody who reaches it can see and purge all that is stored. Requests of other sites are refused.

@returns A request listener of `node:http`, which frameworks take as well.
@throws {TypeError} If an option is unknown or wrong.

@example
```
import {createServer} from 'node:http';
import process from 'node:process';
import {redisCache} from 'got-redis-cache';
import {inspectorHandler} from 'got-redis-cache/inspector';

const inspector = inspectorHandler({cache: redisCache()});
const credentials = `Basic ${btoa(`admin:${process.env.ADMIN_PASSWORD}`)}`;

createServer((request, response) => {
	if (request.headers.authorization === credentials) {
		inspector(request, response);
	} else {
		response.writeHead(401, {'www-authenticate': 'Basic'}).end();
	}
}).listen(8080);
```
*/
export const inspectorHandler = (options: InspectorHandlerOptions): InspectorHandler => {
	const where = 'inspectorHandler()';
	refuseUnknown(options, ['cache', 'basePath', 'readOnly'], where);
	const {cache, basePath, readOnly} = options;
	checkCache(cache, where);

	return createHandler({cache, basePath: checkBasePath(basePath), isReadOnly: checkReadOnly(readOnly, where)});
};

/**
Serves the inspector's page on 127.0.0.1, for those who have its `url` with the random token in it. It keeps the process running until it is closed.

@throws {TypeError} If an option is unknown or wrong.
@throws {Error} If the port cannot be listened to.

@example
```
import {redisCache} from 'got-redis-cache';
import {startInspector} from 'got-redis-cache/inspector';

const {url} = await startInspector({cache: redisCache()});

console.log(url);
```
*/
export const startInspector = async (options: InspectorOptions): Promise<Inspector> => {
	const where = 'startInspector()';
	refuseUnknown(options, ['cache', 'port', 'readOnly'], where);
	const {cache, port = 0, readOnly} = options;
	checkCache(cache, where);
	if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
		throw new TypeError(`Expected the option \`port\` in ${where} to be a whole number from 0 to 65535, got ${describe(port)}`);
	}

	const {url, close} = await startServer(cache, port, checkReadOnly(readOnly, where));

	return {url, close, [Symbol.asyncDispose]: close};
};
