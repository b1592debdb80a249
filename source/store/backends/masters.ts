import {isCluster} from './node-redis-kinds.ts';
import type {RedisConnection} from './redis-connection.ts';

/*
When replies may come from another master than before: after a failover, or where a name now stands for another server.
*/

type Watchers = {
	readonly listeners: Set<() => void>;
	/** The masters of a cluster, as they were last seen. */
	masters: unknown;
};

/** One set of listeners for the life of a connection, for the reason that `borrowLink()` has. */
const watched = new WeakMap<RedisConnection, Watchers>();

const notify = ({listeners}: Watchers): void => {
	for (const listener of listeners) {
		listener();
	}
};

const eventsOf = (connection: RedisConnection): readonly string[] => {
	if (isCluster(connection)) {
		return ['node-ready', 'node-reconnecting'];
	}

	if ('getSentinelNode' in connection) {
		return ['topology-change'];
	}

	// A pool does not say when a connection is ready, but that one has failed.
	return ['totalClients' in connection ? 'error' : 'ready'];
};

const watch = (connection: RedisConnection): Watchers => {
	const known = watched.get(connection);
	if (known) {
		return known;
	}

	const watchers: Watchers = {listeners: new Set(), masters: undefined};
	watched.set(connection, watchers);
	for (const event of eventsOf(connection)) {
		connection.on(event, (change?: {readonly type?: string}) => {
			if (event !== 'topology-change' || change?.type === 'MASTER_CHANGE') {
				notify(watchers);
			}
		});
	}

	return watchers;
};

/** @returns Ends it. */
export const watchMasters = (connection: RedisConnection, onChange: () => void): (() => void) => {
	const {listeners} = watch(connection);
	listeners.add(onChange);

	return () => {
		listeners.delete(onChange);
	};
};

/** To be called with a reply: a cluster that has moved a slot to a node that it was connected to says nothing else. */
export const noteMasters = (connection: RedisConnection): void => {
	const watchers = watched.get(connection);
	if (!watchers || !isCluster(connection) || watchers.masters === connection.masters) {
		return;
	}

	const isFirst = watchers.masters === undefined;
	watchers.masters = connection.masters;
	if (!isFirst) {
		notify(watchers);
	}
};
