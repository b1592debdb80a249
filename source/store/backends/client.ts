import type {Buffer} from 'node:buffer';
import type {ErrorReply, RedisClientOptions} from '@redis/client';
import {durationInWords} from '../../types/duration.ts';
import {atDeadline, idleMs} from '../guard/deadline.ts';
import {isErrorReply, toErrorReply} from '../ports/error-reply.ts';
import {nodeRedis} from '../../types/packages.cjs';
import {addressOfClient, addressOfConnection} from './address.ts';
import {nodesOf} from './cluster-nodes.ts';
import {watchMasters} from './masters.ts';
import {mastersOf, senderOf} from './node-redis-commands.ts';
import {isCluster, isSingle, keepsOrder} from './node-redis-kinds.ts';
import type {RedisConnection} from './redis-connection.ts';
import type {RedisLink, Tracker} from './redis-link.ts';

/** A cluster is open before it knows its nodes, and throws until it does. From node-redis 6 on, it says when. */
const isUsable = (connection: RedisConnection): boolean =>
	connection.isReady ?? (connection.isOpen && (!isCluster(connection) || connection.masters.length > 0));

/** Of TCP for all: TypeScript cannot spread the union of what a socket may be. */
type TcpOptions = Extract<RedisClientOptions['socket'], {port?: number; tls?: false}>;

const connectTimeoutMs = 2000;

/** Node-redis waits for the socket to drain when as much is unsent: with Node's own 16 KiB, commands of one turn go out one by one. */
const sendBufferBytes = 1024 * 1024;

/** A sentinel of node-redis, which tells a list of what it does. */
type TracedSentinel = RedisConnection & {
	setTracer(tracer: Pick<string[], 'push'>): void;
};

const isSentinel = (connection: RedisConnection): connection is TracedSentinel => 'getSentinelNode' in connection && 'setTracer' in connection;

const sentinelFailure = '#connect: exception';

/** Passes over the next line that is printed in this turn of the event loop, if that is an error. */
const dropNextLogOfError = (): void => {
	const {log} = console;
	const restore = () => {
		if (console.log === logOnce) {
			console.log = log;
		}
	};

	const logOnce = (...values: readonly unknown[]) => {
		restore();
		if (!(values[0] instanceof Error)) {
			log(...values);
		}
	};

	console.log = logOnce;
	queueMicrotask(restore);
};

/** Node-redis 5.12 prints the error, with its stack, each time that no sentinel answers. It tells its tracer just before. */
const keepFromPrinting = (sentinel: TracedSentinel): void => {
	sentinel.setTracer({
		push(...messages) {
			if (messages.some(message => message.startsWith(sentinelFailure))) {
				dropNextLogOfError();
			}

			return 0;
		},
	});
};

/** How often a process connects once more that was too busy to see the connection. */
const busyConnectTries = 3;

const trackingOptions = {RESP: 3, emitInvalidate: true} as const; // eslint-disable-line @typescript-eslint/naming-convention -- node-redis's

const createOwnClient = (options: RedisClientOptions, tracker: Tracker | undefined) => {
	// Node.js passes the high-water mark on to the stream, which its types do not say.
	const unsent = {highWaterMark: sendBufferBytes};
	const socket: RedisClientOptions['socket'] = {connectTimeout: connectTimeoutMs, ...unsent, ...options.socket as TcpOptions, reconnectStrategy: false};
	const client = nodeRedis().createClient({
		...options,
		disableOfflineQueue: true,
		// A timer that nothing could unref.
		pingInterval: undefined,
		maintNotifications: 'disabled',
		// Our own tier takes its place.
		clientSideCache: undefined,
		...(tracker === undefined ? {emitInvalidate: false} : trackingOptions),
		// A new object: node-redis merges the parts of a URL into it.
		socket,
	});
	// Each failure is reported by the operation that meets it.
	client.on('error', () => tracker?.lose());
	client.on('end', () => tracker?.lose());
	client.on('invalidate', (key: Buffer | null) => { // eslint-disable-line @typescript-eslint/no-restricted-types -- node-redis's
		if (key === null) {
			tracker?.lose();
		} else {
			tracker?.invalidate(key.toString());
		}
	});
	// The deadline, not the socket, holds the process of a caller that waits for a reply.
	client.unref();
	return client;
};

/**
A client of our own. It keeps no process alive, waits in no queue, and does not reconnect by itself: the next operation does, or the circuit breaker.

@throws What node-redis throws on options that contradict each other.
*/
export const createLink = (options: RedisClientOptions, tracker: Tracker | undefined): RedisLink => {
	const handshakeTimeoutMs = options.socket?.connectTimeout ?? connectTimeoutMs;
	let isTracking = tracker !== undefined && options.RESP !== 2;
	let client = createOwnClient(options, isTracking ? tracker : undefined);
	let connecting: Promise<void> | undefined;
	let isClosed = false;
	// Node-redis writes at the end of the turn, by `setImmediate()`. Where that was faked, and will never call back, a client writes nothing any more, whatever it is connected to.
	let isSpent = false;
	const watchers = new Set<() => void>();

	const connectOnce = async () => {
		const opening = client;
		let forgetDeadline: (() => void) | undefined;
		let isSilent = false;
		const onConnect = () => {
			forgetDeadline = atDeadline(handshakeTimeoutMs, handshakeTimeoutMs, () => {
				isSilent = true;
				opening.destroy();
			}, {isInBackground: true});
		};

		opening.on('connect', onConnect);
		try {
			await opening.connect();
		} catch (error) {
			isSpent ||= isSilent;
			throw isSilent ? new Error(`Redis took the connection but did not answer within ${durationInWords(handshakeTimeoutMs)}`) : error;
		} finally {
			forgetDeadline?.();
			opening.off('connect', onConnect);
		}
	};

	/** Node-redis gives a connection up that the process was too busy to see. */
	const connectClient = async () => {
		const opening = client;
		for (let triesLeft = busyConnectTries; ; triesLeft--) {
			const idleBeforeMs = idleMs();
			try {
				await connectOnce(); // eslint-disable-line no-await-in-loop -- one attempt after the other
				break;
			} catch (error) {
				const wasBusy = error instanceof nodeRedis().ConnectionTimeoutError && idleMs() - idleBeforeMs < handshakeTimeoutMs / 2;
				if (!wasBusy || triesLeft === 0 || isClosed) {
					throw error;
				}
			}
		}

		if (isClosed) {
			opening.destroy();
		}

		for (const watcher of watchers) {
			watcher();
		}
	};

	const open = async () => {
		if (isSpent) {
			isSpent = false;
			client = createOwnClient(options, isTracking ? tracker : undefined);
		}

		try {
			await connectClient();
		} catch (error) {
			// An old server, or a user without the right to: CLIENT TRACKING is no must.
			if (!isTracking || !isErrorReply(error)) {
				throw error;
			}

			isTracking = false;
			client = createOwnClient(options, undefined);
			await connectClient();
			tracker?.refused(error);
		} finally {
			connecting = undefined;
		}
	};

	return {
		address: addressOfClient(options),
		isSingle: true,
		keepsOrder: true,
		send: senderOf(() => client),
		masters: () => mastersOf(client),
		get isTracking() {
			return isTracking;
		},
		probePatienceMs: 2 * connectTimeoutMs,
		connect(): Promise<void> | undefined {
			if (client.isReady) {
				return undefined;
			}

			if (isClosed) {
				return Promise.reject(new Error('The store is closed'));
			}

			connecting ??= open();
			return connecting;
		},
		watchMasters(onChange) {
			watchers.add(onChange);
			return () => {
				watchers.delete(onChange);
			};
		},
		reset() {
			if (!client.isReady) {
				return;
			}

			client.destroy();
			isSpent = true;
		},
		async close() {
			isClosed = true;
			// All pending commands have been answered, or never will be.
			if (client.isReady) {
				client.destroy();
			}
		},
	};
};

type Readiness = {
	waiting: PromiseWithResolvers<void> | undefined;
	/** Whether it was ever connected: whoever closed it since wants it closed. */
	wasReady: boolean;
	/** The last error since it was last connected. */
	lastError: Error | undefined;
	/** Node-redis tries to reach a sentinel 17 times, unless told otherwise, and then never again. */
	isGivenUp: boolean;
};

const watched = new WeakMap<RedisConnection, Readiness>();

/*
One pair of listeners for the life of the connection, however many caches use it. They are never removed: node-redis hands out objects that inherit from the emitter, and removing the last listener from such an object cuts it off from the events.
*/
const watch = (connection: RedisConnection): Readiness => {
	const known = watched.get(connection);
	if (known !== undefined) {
		return known;
	}

	const readiness: Readiness = {waiting: undefined, wasReady: false, lastError: undefined, isGivenUp: false};
	watched.set(connection, readiness);
	connection.on('error', (error: unknown) => {
		readiness.lastError = error instanceof Error ? error : undefined;
	});
	connection.on(isCluster(connection) ? 'connect' : 'ready', () => {
		readiness.wasReady = true;
		readiness.lastError = undefined;
		readiness.waiting?.resolve();
		readiness.waiting = undefined;
	});
	return readiness;
};

/** A cluster that is refused by all nodes throws an error that says nothing of that. */
const refusalBehind = ({lastError}: Readiness): ErrorReply | undefined => {
	const error = toErrorReply(lastError);
	return isErrorReply(error) ? error : undefined;
};

/**
A connection of the user's: connected when it is not, and never closed.
*/
export const borrowLink = (connection: RedisConnection): RedisLink => {
	const readiness = watch(connection);

	const connectOnce = async (): Promise<void> => {
		const {waiting} = readiness;
		readiness.lastError = undefined;
		if (isSentinel(connection)) {
			keepFromPrinting(connection);
		}

		try {
			await connection.connect();
			waiting?.resolve();
		} catch (error) {
			readiness.isGivenUp = isSentinel(connection) && connection.isOpen;
			waiting?.reject(refusalBehind(readiness) ?? toErrorReply(error));
		} finally {
			readiness.waiting = undefined;
		}
	};

	return {
		get address() {
			return addressOfConnection(connection);
		},
		get connectionError() {
			return readiness.lastError;
		},
		isSingle: isSingle(connection),
		keepsOrder: keepsOrder(connection),
		send: senderOf(() => connection),
		masters: () => mastersOf(connection),
		watchMasters: onChange => watchMasters(connection, onChange),
		isTracking: false,
		// A node that died keeps what it was asked; the next one is asked something else.
		probePatienceMs: isCluster(connection) ? 1000 : 30_000,
		connect(): Promise<void> | undefined {
			if (isUsable(connection)) {
				readiness.wasReady = true;
				return undefined;
			}

			if (!connection.isOpen && readiness.wasReady) {
				return Promise.reject(new Error('The client of the store was closed'));
			}

			if (readiness.isGivenUp) {
				return Promise.reject(new Error('No sentinel answered when the store was to be connected, and node-redis has given up: create the sentinel anew'));
			}

			// Waiting here leaves nothing in the queue of a client that is offline.
			readiness.waiting ??= Promise.withResolvers<void>();
			const {waiting} = readiness;
			if (!connection.isOpen) {
				void connectOnce();
			}

			return waiting.promise;
		},
		reset() {
			// Other commands of the user's are on it.
		},
		...isCluster(connection) && {nodes: nodesOf(connection)},
		async close() {
			// The user's.
		},
	};
};
