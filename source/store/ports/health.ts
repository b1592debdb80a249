import type {StoreError} from './store-error.ts';

/** What a store reports of itself, once per change. */
export type StoreEvent =
	/** An operation failed. */
	| {readonly type: 'error'; readonly error: StoreError}
	/** The store is not asked, or not written to, until it answers again. */
	| {readonly type: 'degraded'; readonly error: StoreError}
	| {readonly type: 'recovered'}
	/** Other nodes of a cluster have taken the place of one that does not answer, and its client had to be told. */
	| {readonly type: 'failover'; readonly address: string; readonly replacedBy: readonly string[]};

/** `'unknown'`: it was not asked yet, or has not answered yet. */
export type NodeState = 'unknown' | 'ok' | 'read-only' | 'unavailable';

/** What is known of one node of the store. */
export type NodeReport = {
	readonly state: NodeState;
	/** Since when it has been in this state. */
	readonly since: Date;
	/** What went wrong last, whether or not an event told of it. */
	readonly lastError: StoreError | undefined;
	readonly lastErrorAt: Date | undefined;
};

/** What a store knows of itself. */
export type StoreHealth = {
	/**
	- `'unknown'`: it was not needed yet, or has not answered yet. `cache.ready()` asks it.
	- `'ok'`: it is asked and written to.
	- `'memory'`: no `store` was given, and no Redis has answered at the default address yet. Until one does, responses are kept in the memory of this process alone.
	- `'read-only'`: it answers, but refuses to write: it is full, or a replica. Only writing rests. It takes writes again when it has taken 20 in at least two seconds without refusing one, or any for ten seconds.
	- `'partial'`: some nodes of a cluster are in another state than others: what lies on the others is used as ever. `nodes` tells which.
	- `'unavailable'`: it is not asked, until it answers again.
	- `'closed'`: by `close()`.
	*/
	readonly state: 'unknown' | 'ok' | 'memory' | 'partial' | 'read-only' | 'unavailable' | 'closed';
	/** Since when it has been in this state. */
	readonly since: Date;
	/** What went wrong last, whether or not an event told of it. */
	readonly lastError: StoreError | undefined;
	readonly lastErrorAt: Date | undefined;
	/** The masters of a cluster, by their addresses (`host:port`), each with its state; absent for any other store, and before the cluster is connected. */
	readonly nodes?: ReadonlyArray<NodeReport & {readonly address: string}>;
};
