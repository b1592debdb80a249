import {addressOfServer, hostAndPort, listAddresses} from './address.ts';

/*
Clients of ioredis and of iovalkey, its fork for Valkey: one class for a server and for sentinels, one for clusters. They are recognized by their methods, so that neither package is loaded where it is not used.
*/

/** A client or a cluster of ioredis 5 or 6, or of iovalkey. */
export type IoredisConnection = {
	readonly status: string;
	readonly isCluster: boolean;
	connect(): Promise<void>;
	defineCommand(...parameters: any[]): void;
	duplicate(...parameters: any[]): unknown;
	sendCommand(...parameters: any[]): unknown;
};

/** The methods of both classes, which the types of ioredis hide in part. */
type Common = Omit<IoredisConnection, 'duplicate'> & {
	/** Of arrays of bytes, it takes `Buffer` alone for what it is. */
	callBuffer(name: string, ...arguments_: ReadonlyArray<string | Uint8Array>): unknown;
	on(event: string, listener: (...parameters: any[]) => void): unknown;
	off(event: string, listener: (...parameters: any[]) => void): unknown;
};

export type ClientOptions = {
	readonly host?: string;
	readonly port?: number;
	readonly path?: string | null; // eslint-disable-line @typescript-eslint/no-restricted-types -- ioredis's
	readonly db?: number;
	readonly tls?: unknown;
	readonly sentinels?: ReadonlyArray<{readonly host?: string; readonly port?: number}> | null; // eslint-disable-line @typescript-eslint/no-restricted-types -- ioredis's
	readonly role?: string;
	readonly keyPrefix?: unknown;
	readonly connectTimeout?: number;
};

export type IoredisClient = Common & {
	readonly options: ClientOptions;
	/** `'normal'` unless it takes no commands but those about subscriptions. */
	readonly mode: string;
	readonly stream?: {unref?(): void};
	duplicate(options: Readonly<Record<string, unknown>>): IoredisClient;
	subscribe(channel: string): Promise<unknown>;
	disconnect(): void;
};

type HostAndPort = {readonly host: string; readonly port: number};

export type IoredisCluster = Common & {
	readonly options: {
		readonly keyPrefix?: unknown;
		/** By the address that the cluster gives, the one to connect to. */
		readonly natMap?: Readonly<Record<string, HostAndPort>> | ((address: string) => HostAndPort | null | undefined) | null; // eslint-disable-line @typescript-eslint/no-restricted-types -- ioredis's
	};
	/** The addresses of the nodes that keep each slot, the master first. It changes in place. */
	readonly slots: ReadonlyArray<readonly string[] | undefined>;
	nodes(role: 'all' | 'master'): readonly IoredisClient[];
	/** Asks the nodes where the slots are. */
	refreshSlotsCache(callback?: (error?: Error) => void): void;
};

export const isIoredis = (store: Readonly<Record<string, unknown>>): boolean =>
	['defineCommand', 'sendCommand', 'callBuffer', 'duplicate', 'connect'].every(name => typeof store[name] === 'function')
	// Older ones have neither.
	&& (store.isCluster === true || typeof store.mode === 'string');

export const isIoredisCluster = (connection: IoredisClient | IoredisCluster): connection is IoredisCluster => connection.isCluster;

export const isSentinel = ({options: {sentinels}}: IoredisClient): boolean => (sentinels?.length ?? 0) > 0;

export const addressOf = (connection: IoredisClient | IoredisCluster): string => {
	if (isIoredisCluster(connection)) {
		return listAddresses('a cluster of ioredis', connection.nodes('master').map(({options: {host, port}}) => hostAndPort(host, port)));
	}

	if (isSentinel(connection)) {
		return 'a sentinel of ioredis';
	}

	const {host, port, path, tls, db = 0} = connection.options;
	return addressOfServer({host, port, path: path ?? undefined, tls: Boolean(tls), database: db === 0 ? undefined : db});
};

/** The reason why a client in such a mode takes no commands; `undefined` if it does. */
export const whyUnusable = (connection: IoredisClient | IoredisCluster): string | undefined =>
	isIoredisCluster(connection) || connection.mode === 'normal' ? undefined : `is in ${connection.mode} mode, in which it takes no other commands`;

/**
@throws {TypeError} If it can't be used, now or ever: names what is wrong, and what to do.
*/
export const checkIoredis = (connection: IoredisClient | IoredisCluster): void => {
	const refuse = (what: string): never => {
		throw new TypeError(`The option \`store\` is a client of ioredis ${what}`);
	};

	if (connection.status === 'end') {
		refuse('that is closed: expected one that is open, that is connecting, or that has `lazyConnect`');
	}

	const why = whyUnusable(connection);
	if (why !== undefined) {
		refuse(`that ${why}: give the cache one of its own, as in {store: client.duplicate()}`);
	}

	const {keyPrefix = ''} = connection.options;
	if (typeof keyPrefix !== 'string' || /[\{\}]/v.test(keyPrefix)) {
		refuse(
			`whose \`keyPrefix\` is ${typeof keyPrefix === 'string' ? `'${keyPrefix}'` : `a ${typeof keyPrefix}`}: expected a string without braces, which the cache's own keys need for themselves`,
		);
	}

	if (!isIoredisCluster(connection) && isSentinel(connection) && connection.options.role === 'slave') {
		refuse('with `role: \'slave\'`: expected one with `role: \'master\'`, since a replica takes no writes');
	}
};
