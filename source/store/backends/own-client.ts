import type {Buffer} from 'node:buffer';
import type {RedisClientOptions} from '@redis/client';
import {durationInWords} from '../../types/duration.ts';
import {atDeadline, forgetDeadline, idleMs, type Deadline} from '../guard/deadline.ts';
import {isErrorReply} from '../ports/error-reply.ts';
import {nodeRedis} from '../../types/packages.cjs';
import {addressOfClient} from './address.ts';
import {mastersOf, senderOf} from './node-redis-commands.ts';
import type {RedisLink, Tracker} from './redis-link.ts';

/** Of TCP for all: TypeScript cannot spread the union of what a socket may be. */
type TcpOptions = Extract<RedisClientOptions['socket'], {port?: number; tls?: false}>;

const connectTimeoutMs = 2000;

/** Node-redis waits for the socket to drain when as much is unsent: with Node's own 16 KiB, commands of one turn go out one by one. */
const sendBufferBytes = 1024 * 1024;

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
		let deadline: Deadline | undefined;
		let isSilent = false;
		const onConnect = () => {
			deadline = atDeadline(handshakeTimeoutMs, handshakeTimeoutMs, () => {
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
			opening.off('connect', onConnect);
			if (deadline) {
				forgetDeadline(deadline);
			}
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
