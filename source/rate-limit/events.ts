import {EventEmitter} from 'node:events';
import {describe} from '../options/validate.ts';

/** A request that a limit kept from its origin. */
export type LimitedRequest = {
	/** The host that the limit is for, with its port if the URL has one. */
	readonly host: string;
	/** The limit that decided, such as `'100/m'`; `'origin'`: what the origin has said. */
	readonly limit: string;
	/** The fate of the request: it waits, a stale response answered, it failed, or it was a refresh in the background, which gave way. */
	readonly outcome: 'waits' | 'stale' | 'failed' | 'gave-way';
	/** How long it is until the next turn, in milliseconds. */
	readonly waitMs: number;
	/** The time of the next turn. */
	readonly until: Date;
};

/** A response of an origin that refuses a request, or leaves no others. */
export type OriginLimit = {
	/** The host that answered, with its port if the URL has one. */
	readonly host: string;
	/** The status code of the response. */
	readonly statusCode: number;
	/** The time until which no request is sent. */
	readonly until: Date;
};

/** The events of a rate limit, with the arguments of their listeners. */
export type RateLimitEvents = {
	/** A limit kept a request from its origin, for now or altogether. */
	limited: [request: LimitedRequest];
	/** An origin answered 429, or 503 with `Retry-After`, or said that nothing is left of a quota. */
	origin: [limit: OriginLimit];
	/** Redis refused a script, so that each process counts for itself; or a listener threw. */
	error: [error: Error];
};

const names: readonly unknown[] = ['limited', 'origin', 'error'] satisfies Array<keyof RateLimitEvents>;

export type Events = {
	/**
	@throws {TypeError} If there is no such event.
	*/
	on<Event extends keyof RateLimitEvents>(event: Event, listener: (...parameters: RateLimitEvents[Event]) => void): void;
	/** Calls the listeners. No request fails by one that throws. `make` is called only if there is one. */
	emit<Event extends keyof RateLimitEvents>(event: Event, make: () => RateLimitEvents[Event][0]): void;
};

export const createEvents = (): Events => {
	const emitter = new EventEmitter();

	const emit = (event: keyof RateLimitEvents, make: () => unknown): void => {
		// Without a listener, an `'error'` event would end the process.
		if (emitter.listenerCount(event) === 0) {
			return;
		}

		try {
			emitter.emit(event, make());
		} catch (error) {
			if (event === 'error') {
				// The error is the listener's own, and must not be lost.
				queueMicrotask(() => {
					throw error;
				});
			} else {
				emit('error', () => new Error(`got-redis-cache: A listener of the event \`${event}\` of rateLimit() threw: ${error instanceof Error ? error.message : String(error)}`, {cause: error}));
			}
		}
	};

	return {
		on(event, listener) {
			if (!names.includes(event)) {
				throw new TypeError(`Expected the event in on() to be 'limited', 'origin' or 'error', got ${describe(event)}`);
			}

			emitter.on(event, listener as never);
		},
		emit,
	};
};
