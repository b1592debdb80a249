import type {ErrorReply} from '@redis/client';
import {isErrorReply, toErrorReply} from '../ports/error-reply.ts';
import {addressOfConnection} from './address.ts';
import {nodesOf} from './cluster-nodes.ts';
import {watchMasters} from './masters.ts';
import {mastersOf, senderOf} from './node-redis-commands.ts';
import {isCluster, isSingle, keepsOrder} from './node-redis-kinds.ts';
import type {RedisConnection} from './redis-connection.ts';
import type {RedisLink} from './redis-link.ts';
import {isSentinel, keepFromPrinting} from './sentinel.ts';

/** A cluster is open before it knows its nodes, and throws until it does. From node-redis 6 on, it says when. */
const isUsable = (connection: RedisConnection): boolean =>
	connection.isReady ?? (connection.isOpen && (!isCluster(connection) || connection.masters.length > 0));

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
