import {isErrorReply} from '../ports/error-reply.ts';
import {mapOf, mastersOfCluster, type ClusterMap} from './ioredis-cluster.ts';
import {senderOfClient, senderOfCluster, toError} from './ioredis-commands.ts';
import {addressOf, checkIoredis, isIoredisCluster, isSentinel, whyUnusable, type IoredisClient, type IoredisCluster, type IoredisConnection} from './ioredis-kinds.ts';
import {createTracking} from './ioredis-tracking.ts';
import type {RedisLink, SendCommand, Tracker} from './redis-link.ts';

/** The state of a client, for all caches that share it. */
type Watched = {
	waiting: PromiseWithResolvers<void> | undefined;
	/** Whether it was ever connected: whoever closed it since wants it closed. */
	wasReady: boolean;
	/** The last error since it was last connected. */
	lastError: Error | undefined;
	/** Called when replies may come from another master than before. */
	readonly onOtherMaster: Set<() => void>;
	/** Called when the connection is lost, or is another one. */
	readonly onOtherConnection: Set<() => void>;
	readonly clusterMap: ClusterMap | undefined;
};

const watched = new WeakMap<IoredisClient | IoredisCluster, Watched>();

const notify = (listeners: ReadonlySet<() => void>): void => {
	for (const listener of listeners) {
		listener();
	}
};

/** A node that is connected again may have lost its data; one that is new may have been a replica. */
const watchNodes = (cluster: IoredisCluster, clusterMap: ClusterMap, onReady: () => void): void => {
	const watchNode = (node: IoredisClient) => {
		node.on('ready', onReady);
	};

	for (const node of cluster.nodes('master')) {
		watchNode(node);
	}

	cluster.on('+node', watchNode);
	for (const event of ['+node', '-node', 'refresh']) {
		cluster.on(event, clusterMap.forget);
	}
};

/** One set of listeners for the life of a client, however many caches use it. */
const watch = (connection: IoredisClient | IoredisCluster): Watched => {
	const known = watched.get(connection);
	if (known) {
		return known;
	}

	const clusterMap = isIoredisCluster(connection) ? mapOf(connection) : undefined;
	const sender = isIoredisCluster(connection) ? senderOfCluster(connection) : senderOfClient(connection);
	const state: Watched = {
		waiting: undefined,
		wasReady: connection.status === 'ready',
		lastError: undefined,
		onOtherMaster: new Set(),
		onOtherConnection: new Set(),
		clusterMap,
	};
	watched.set(connection, state);

	connection.on('error', (error: unknown) => {
		state.lastError = toError(error);
	});
	connection.on('ready', () => {
		state.wasReady = true;
		state.lastError = undefined;
		notify(state.onOtherMaster);
		notify(state.onOtherConnection);
		state.waiting?.resolve();
		state.waiting = undefined;
	});
	connection.on('close', () => {
		sender.abandon();
		notify(state.onOtherConnection);
	});
	connection.on('end', () => {
		state.waiting?.reject(state.lastError ?? closedError());
		state.waiting = undefined;
	});
	if (clusterMap && isIoredisCluster(connection)) {
		watchNodes(connection, clusterMap, () => {
			notify(state.onOtherMaster);
		});
	}

	return state;
};

const closedError = () => new Error('The client of the store was closed');

/** A cluster asks nobody where the slots of a node went that it lost, unless it is told to. */
const clusterSender = (cluster: IoredisCluster, {clusterMap, onOtherMaster}: Watched): SendCommand => {
	const {send} = senderOfCluster(cluster);

	return async (key, arguments_) => {
		try {
			const reply = await send(arguments_, 'bytes');
			if (clusterMap?.noteReply(key)) {
				notify(onOtherMaster);
			}

			return reply;
		} catch (error) {
			if (!isErrorReply(error) || error.message.startsWith('CLUSTERDOWN')) {
				cluster.refreshSlotsCache();
			}

			throw error;
		}
	};
};

export type IoredisLinkOptions = {
	readonly namespace: string;
	readonly tracker: Tracker | undefined;
};

/**
A client of ioredis or iovalkey, which is the user's: connected when it is not, and never closed.

@throws {TypeError} If the client can't be used.
*/
export const ioredisLink = (given: IoredisConnection, {namespace, tracker}: IoredisLinkOptions): RedisLink => {
	const connection = given as IoredisClient | IoredisCluster;
	checkIoredis(connection);

	// The prefix has been checked.
	const keyPrefix = (connection.options.keyPrefix ?? '') as string;
	const state = watch(connection);
	const sendToClient: SendCommand = isIoredisCluster(connection)
		? clusterSender(connection, state)
		: async (_key, arguments_) => senderOfClient(connection).send(arguments_, 'bytes');
	const send: SendCommand = async (key, arguments_) => {
		// Nothing is left in the queue of a client that is offline.
		if (connection.status !== 'ready') {
			throw state.lastError ?? new Error('The client of the store is not connected');
		}

		return sendToClient(key, arguments_);
	};

	const tracking = tracker === undefined || isIoredisCluster(connection)
		? undefined
		: createTracking({client: connection, prefix: `${keyPrefix}${namespace}:`, tracker, send: async arguments_ => send('', arguments_)});
	if (tracking) {
		state.onOtherConnection.add(tracking.restart);
	}

	const connectClient = async (waiting: PromiseWithResolvers<void>): Promise<void> => {
		state.lastError = undefined;
		try {
			await connection.connect();
			waiting.resolve();
		} catch (error) {
			// The client tells the cause by an event alone.
			waiting.reject(state.lastError ?? toError(error));
			if (state.waiting === waiting) {
				state.waiting = undefined;
			}
		}
	};

	return {
		get address() {
			return addressOf(connection);
		},
		get connectionError() {
			return state.lastError;
		},
		keyPrefix,
		get isTracking() {
			return tracking?.isOn ?? false;
		},
		proveTracking: tracking?.prove,
		connect() {
			if (connection.status === 'ready') {
				const why = whyUnusable(connection);
				if (why !== undefined) {
					return Promise.reject(new Error(`The client of the store ${why}`));
				}

				tracking?.ensure();
				return undefined;
			}

			if (connection.status === 'end' && state.wasReady) {
				return Promise.reject(closedError());
			}

			state.waiting ??= Promise.withResolvers<void>();
			const {waiting} = state;
			if (connection.status === 'wait' || connection.status === 'end') {
				void connectClient(waiting);
			}

			return waiting.promise;
		},
		send,
		masters: () => isIoredisCluster(connection)
			? mastersOfCluster(connection)
			: [{address: undefined, send: senderOfClient(connection).send}],
		watchMasters(onChange) {
			state.onOtherMaster.add(onChange);
			return () => {
				state.onOtherMaster.delete(onChange);
			};
		},
		reset() {
			// Other commands of the user's are on it.
		},
		nodes: state.clusterMap,
		isSingle: !isIoredisCluster(connection) && !isSentinel(connection),
		keepsOrder: true,
		// A node that died keeps what it was asked; the next one is asked something else.
		probePatienceMs: isIoredisCluster(connection) ? 1000 : 30_000,
		async close() {
			if (!tracking) {
				return;
			}

			state.onOtherConnection.delete(tracking.restart);
			tracking.close();
		},
	};
};
