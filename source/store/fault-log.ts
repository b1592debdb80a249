import type {NodeReport} from './node-health.ts';
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

/** What a store knows of itself. */
export type StoreHealth = {
	/**
	- `'unknown'`: it was not needed yet, or has not answered yet. `cache.ready()` asks it.
	- `'ok'`: it is asked and written to.
	- `'memory'`: no `store` was given, and no Redis has answered at the default address yet. Until one does, responses are kept in the memory of this process alone.
	- `'read-only'`: it answers, but does not take writes, or not in time: it is full, or a replica. Only writing rests. It takes writes again when it has taken 20 in at least two seconds without refusing one, or any for ten seconds.
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

/** A fault that did not show for so long is a new one when it does. */
const episodeMs = 10_000;
const maxMessages = 20;

/** The message of an error without what Redis adds where a script met it: which script, and on which line. */
const kindOf = ({message}: Error): string => message.replace(/^ERR Error running script .*@user_script: \d+: -?/v, '').replace(/ script: [\da-f]+, on @user_script:\d+\.$/v, '');

/**
Turns a stream of faults into one event per change.

@param toStoreError - What is told of an error that came up.
*/
export const createFaultLog = (onEvent: ((event: StoreEvent) => void) | undefined, toStoreError: (error: Error) => StoreError) => {
	/** Kinds of errors. */
	const reported = new Set<string>();
	/** A permission that is missing is the same error until it is granted, however much time passes in between. */
	const reportedErrors = new WeakSet<Error>();
	let degradations = 0;
	let lastFaultMs = -Infinity;

	const emit = (event: StoreEvent): void => {
		try {
			onEvent?.(event);
		} catch (error) {
			// A listener's own fault: it must end neither a request nor be lost.
			queueMicrotask(() => {
				throw error;
			});
		}
	};

	return {
		failed(error: Error): void {
			const nowMs = performance.now();
			if (degradations === 0 && nowMs - lastFaultMs > episodeMs) {
				reported.clear();
			}

			lastFaultMs = nowMs;
			const kind = kindOf(error);
			if (reported.has(kind) || reported.size >= maxMessages || reportedErrors.has(error)) {
				return;
			}

			reported.add(kind);
			reportedErrors.add(error);
			emit({type: 'error', error: toStoreError(error)});
		},
		degraded(error: Error): void {
			degradations++;
			if (degradations === 1) {
				emit({type: 'degraded', error: toStoreError(error)});
			}
		},
		recovered(): void {
			degradations--;
			if (degradations > 0) {
				return;
			}

			reported.clear();
			emit({type: 'recovered'});
		},
		replaced(address: string, replacedBy: readonly string[]): void {
			emit({type: 'failover', address, replacedBy});
		},
	};
};
