import type {EventEmitter} from 'node:events';
import type {ExchangeReport} from '../observe/exchange-report.ts';
import type {StoreEvent} from '../store/ports/health.ts';
import type {StoreError} from '../store/ports/store-error.ts';

/** A node of a cluster that others have replaced. All are addresses (`host:port`). */
export type Failover = {
	/** The address of the node that did not answer. */
	readonly address: string;
	/** The addresses of the nodes that have taken its place. */
	readonly replacedBy: readonly string[];
};

/** The events of a cache, with what listeners are called with. */
export type RedisCacheEvents = {
	/** Something went wrong that no request is told of: the store failed (once per change, not once per request), which is a `StoreError`, or a background refresh did, whose error is the `cause`. */
	error: [error: Error];
	/** The store is given up for now, or only not written to: requests go on without it. `error` is what decided it. */
	degraded: [error: StoreError];
	/** The store is in use again. */
	recovered: []; // eslint-disable-line @typescript-eslint/no-restricted-types -- No arguments.
	/** A node of a cluster did not answer, and others have taken its place without the client's notice: the client was told, and the cache uses the new nodes. */
	failover: [failover: Failover];
	/** `close()` was called, and the connection has ended. */
	closed: []; // eslint-disable-line @typescript-eslint/no-restricted-types -- No arguments.
	/** A request that went through the cache is over: answered, failed or aborted. Redirects, retries and refreshes in the background are requests of their own. A listener that throws is reported as an `error` event. */
	exchange: [report: ExchangeReport];
};

export type Emitter = EventEmitter<RedisCacheEvents>;

/** Emits an error, if somebody listens: without a listener, an `'error'` event would end the process. */
export const emitError = (emitter: Emitter, error: Error): void => {
	if (emitter.listenerCount('error') > 0) {
		emitter.emit('error', error);
	}
};

/** Tells listeners of what the store reports. */
export const emitStoreEvent = (emitter: Emitter, event: StoreEvent): void => {
	switch (event.type) {
		case 'error': {
			emitError(emitter, event.error);
			break;
		}

		case 'degraded': {
			emitter.emit('degraded', event.error);
			break;
		}

		case 'failover': {
			emitter.emit('failover', {address: event.address, replacedBy: event.replacedBy});
			break;
		}

		case 'recovered': {
			emitter.emit('recovered');
			break;
		}
	}
};
