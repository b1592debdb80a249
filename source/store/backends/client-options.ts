import type {RedisClientOptions} from '@redis/client';
import {describe, expected} from './expected-store.ts';

/*
The options of a node-redis client, and the URLs that stand for them.
*/

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

/** @throws {TypeError} If they are not such options. */
export const checkedOptions = (options: Readonly<Record<string, unknown>>): RedisClientOptions => {
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
export const escapingHint = (url: string): string => {
	const location = url.slice(url.indexOf('://') + 3);
	const credentials = location.slice(0, Math.max(location.lastIndexOf('@'), 0));

	return /[#\/?@]|%(?![\da-f]{2})/iv.test(credentials) ? '; its user and password need encodeURIComponent(), as for # and /' : '';
};

/** @throws {TypeError} If it is no URL of a Redis. */
export const clientOptionsOf = (text: string): RedisClientOptions => {
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

const socketOptionsOf = ({host, pathname, search, hash}: URL): RedisClientOptions => {
	const database = /^\?db=(?<database>\d+)$/v.exec(search)?.groups?.database;
	if (host !== '' || pathname === '' || hash !== '' || (search !== '' && database === undefined)) {
		throw new TypeError('The option `store` is a unix: URL that is more than the path of a socket and a database: expected one such as unix:///run/redis.sock or unix:///run/redis.sock?db=1');
	}

	return {socket: {path: decodeURIComponent(pathname), tls: false}, ...(database !== undefined && {database: Number(database)})};
};
