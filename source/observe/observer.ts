import {debuglog} from 'node:util';
import type {Refusals} from '../cache/refusals.ts';
import type {PassReason} from '../http/outcome.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {debugLine} from './debug-line.ts';
import {reportOf, type Ending, type ExchangeReport} from './exchange-report.ts';
import {failed, notStoredOf} from './info.ts';
import type {ObservedExchange} from './observed-exchange.ts';
import type {Statistics} from './statistics.ts';
import type {Trace} from './tracing.ts';

export type ExchangeListener = (report: ExchangeReport) => void;

export type ObserverOptions = {
	/** Returns the listeners of the event `exchange`. */
	readonly listeners: () => readonly ExchangeListener[];
	/** Returns the number of these listeners, without making a list. */
	readonly listenerCount: () => number;
	/** Reports the error that a listener threw. */
	readonly reportError: (what: string, error: unknown) => void;
	readonly now: () => number;
	/** Counts exchanges; `undefined` if the user disabled that. */
	readonly statistics: Pick<Statistics, 'count'> | undefined;
	/** Receives the reasons why responses were not stored. */
	readonly refusals: Refusals;
};

/**
Receives each exchange when it is over, and tells everybody who wants to know. A report is made only if somebody reads it.
*/
export type Observer = {
	/** Receives a stored response that answered a call without a request. */
	endHit(state: ObservedExchange, statusCode: number, bytes: number, trace: Trace | undefined): void;

	end(state: ObservedExchange, ending: Ending, trace: Trace | undefined): void;
};

const debug = debuglog('got-redis-cache');

export const createObserver = ({listeners, listenerCount, reportError, now, statistics, refusals}: ObserverOptions): Observer => {
	const noteRefusal = ({exchange: {key}, settlement, forwardStatus}: ObservedExchange, reason: PassReason | undefined): void => {
		if (reason !== undefined && reason !== 'bypassed' && key !== '') {
			refusals.set(key, {reason, statusCode: forwardStatus, atMs: now()});
		} else if (settlement?.written) {
			refusals.delete(key);
		}
	};

	const tell = (listener: ExchangeListener, report: ExchangeReport): void => {
		try {
			listener(report);
		} catch (error) {
			try {
				reportError('A listener of the event `exchange` threw', error);
			} catch (error_) {
				// The error is the listener's own, and must neither fail the request nor be lost.
				queueMicrotask(() => {
					throw error_;
				});
			}
		}
	};

	const isRead = (): boolean => listenerCount() > 0 || debug.enabled;

	const report = (state: ObservedExchange, ending: Ending, trace: Trace | undefined): void => {
		const made = reportOf(state, ending, now(), ownTimers.now());
		if (debug.enabled) {
			debug('%s', debugLine(made));
		}

		trace?.finish(made);
		for (const listener of listeners()) {
			tell(listener, made);
		}
	};

	return {
		endHit(state, statusCode, bytes, trace) {
			const isReported = trace !== undefined || isRead();
			if (!isReported && statistics === undefined) {
				return;
			}

			const ending = {statusCode, bytes};
			statistics?.count(state, ending);
			if (isReported) {
				report(state, ending, trace);
			}
		},
		end(state, ending, trace) {
			statistics?.count(state, ending);
			noteRefusal(state, notStoredOf(ending.error === undefined ? state : failed(state)));
			if (trace !== undefined || isRead()) {
				report(state, ending, trace);
			}
		},
	};
};
