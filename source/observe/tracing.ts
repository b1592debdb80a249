import {AsyncLocalStorage} from 'node:async_hooks';
import {tracingChannel} from 'node:diagnostics_channel';
import type {ExchangeReport} from './exchange-report.ts';

/**
The message of the tracing channel `got-redis-cache:exchange`, one object for each exchange.
*/
export type ExchangeTrace = {
	/** The request's method, in upper case. */
	readonly method: string;
	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;
	/** The cache, as `redisCache()` returned it. */
	readonly cache: WeakKey;
	/** The report; absent until the exchange is over, and if it failed before it was looked up. */
	result?: ExchangeReport;
	/** The error of an exchange that failed. */
	error?: unknown;
};

/** An exchange that the tracing channel was told of. */
export type Trace = {
	/** Runs a function in the context of the exchange, with the stores that are bound to the channel. */
	run<Result>(operation: () => Result): Result;
	finish(report: ExchangeReport): void;
	/** Ends the trace of a request that failed before it was looked up. */
	fail(error: unknown): void;
};

/** The span of an exchange, or whatever else surrounds it. */
export type Surrounding = {
	/** Calls `begin` once in the context of the exchange, and returns its result. */
	run<Result>(begin: () => Result): Result;
	/** Receives the message when the exchange is over. */
	end(message: ExchangeTrace): void;
};

const surroundings = new Map<WeakKey, (message: ExchangeTrace) => Surrounding | undefined>();

/**
Has the exchanges of a cache run in contexts of their own, since a subscriber to the channel cannot change the context.

@param surround - Called at the start of each exchange, in the context of its caller.
@returns A function that ends it.
*/
export const surroundExchanges = (cache: WeakKey, surround: (message: ExchangeTrace) => Surrounding | undefined): (() => void) => {
	surroundings.set(cache, surround);

	return () => {
		surroundings.delete(cache);
	};
};

const channel = tracingChannel<unknown, ExchangeTrace>('got-redis-cache:exchange');

export const isTraced = (): boolean => channel.hasSubscribers || surroundings.size > 0;

/**
Tells the tracing channel, and who surrounds the exchanges of this cache, that an exchange starts.

@param begin - The first part of the exchange, which runs with the stores that are bound to the channel.
*/
export const startTrace = <Result>(message: ExchangeTrace, begin: () => Result): {readonly trace: Trace; readonly result: Result} => {
	const surrounding = surroundings.get(message.cache)?.(message);
	let isOver = false;
	const end = () => {
		if (isOver) {
			return;
		}

		isOver = true;
		if ('error' in message) {
			channel.error.publish(message);
		}

		channel.asyncStart.publish(message);
		channel.asyncEnd.publish(message);
		surrounding?.end(message);
	};

	const traceIn = (run: Trace['run']): Trace => ({
		run,
		finish(report) {
			message.result = report;
			if (report.error !== undefined) {
				message.error = report.error;
			}

			end();
		},
		fail(error) {
			message.error = error;
			end();
		},
	});

	const start = () => ({trace: traceIn(AsyncLocalStorage.snapshot()), result: begin()});
	const started = channel.start.runStores(message, () => surrounding ? surrounding.run(start) : start());
	channel.end.publish(message);

	return started;
};
