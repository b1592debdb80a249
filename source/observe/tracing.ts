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

/** Starts an exchange in a context of its own, such as that of a span. It has to call `begin` once, and to return its result. */
export type Surround = <Result>(message: ExchangeTrace, begin: () => Result) => Result;

const surrounds = new WeakMap<WeakKey, Surround>();

/**
Has a cache's exchanges start in contexts that `surround` makes, since a subscriber to the channel cannot change the context. Only while somebody subscribes to the channel.

@returns A function that ends it.
*/
export const surroundExchanges = (cache: WeakKey, surround: Surround): (() => void) => {
	surrounds.set(cache, surround);

	return () => {
		surrounds.delete(cache);
	};
};

const channel = tracingChannel<unknown, ExchangeTrace>('got-redis-cache:exchange');

export const isTraced = (): boolean => channel.hasSubscribers;

/**
Tells the tracing channel that an exchange starts.

@param begin - The first part of the exchange, which runs with the stores that are bound to the channel.
*/
export const startTrace = <Result>(message: ExchangeTrace, begin: () => Result): {readonly trace: Trace; readonly result: Result} => {
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
	const surround = surrounds.get(message.cache);
	const started = channel.start.runStores(message, () => surround ? surround(message, start) : start());
	channel.end.publish(message);

	return started;
};
