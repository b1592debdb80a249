import type {StoreError} from './store-error.ts';

/** An event of the store, reported once per change. */
export type StoreEvent =
	/** An operation of the store failed. */
	| {readonly type: 'error'; readonly error: StoreError}
	/** The store is no longer asked, or no longer written to, until it answers again. */
	| {readonly type: 'degraded'; readonly error: StoreError}
	| {readonly type: 'recovered'}
	/** Other nodes of a cluster have replaced one that does not answer, and the cache had to tell the client. */
	| {readonly type: 'failover'; readonly address: string; readonly replacedBy: readonly string[]};

/** The state of a node. `'unknown'`: the node was not asked yet, or has not answered yet. */
export type NodeState = 'unknown' | 'ok' | 'read-only' | 'unavailable';

/** The state of one node of the store. */
export type NodeReport = {
	readonly state: NodeState;
	/** The time at which this state began. */
	readonly since: Date;
	/** The last error, whether or not an event reported it. */
	readonly lastError: StoreError | undefined;
	readonly lastErrorAt: Date | undefined;
};

/** The health of the store, as `cache.health()` returns it. */
export type StoreHealth = {
	/**
	- `'unknown'`: the store was not needed yet, or has not answered yet. `cache.ready()` asks it.
	- `'ok'`: the store is read and written.
	- `'memory'`: no `store` was given, and no Redis has answered at the default address yet. Until one does, responses are kept in the memory of this process only.
	- `'read-only'`: the store answers but refuses writes, because it is full or a replica. Only writes are suspended. They resume after 20 successful writes over at least two seconds, or any number over ten seconds, without a refusal.
	- `'partial'`: the nodes of a cluster are in different states. Responses on the healthy nodes are used as usual. `nodes` lists the states.
	- `'unavailable'`: the store is not asked until it answers again.
	- `'closed'`: `close()` was called.
	*/
	readonly state: 'unknown' | 'ok' | 'memory' | 'partial' | 'read-only' | 'unavailable' | 'closed';
	/** The time at which this state began. */
	readonly since: Date;
	/** The last error, whether or not an event reported it. */
	readonly lastError: StoreError | undefined;
	readonly lastErrorAt: Date | undefined;
	/** The masters of a cluster with their addresses (`host:port`) and states; absent for other stores, and before the cluster is connected. */
	readonly nodes?: ReadonlyArray<NodeReport & {readonly address: string}>;
};
