import type {RequestError} from 'got';
import {staleInstead} from '../cache/decide-outcome.ts';
import {abortFlight} from './coalescing/resolve-flight.ts';
import {prepareRecovery, takeRecovery} from './patches/recovery.ts';
import type {GotContext} from './state/context.ts';
import {failureOf} from './state/failure.ts';
import type {GotOptions} from './state/got-options.ts';
import {handOver} from './state/report.ts';
import type {GotExchange} from './state/request-state.ts';

/** The state that a failed attempt leaves to the one that answers in its place. */
export type Recovered = Pick<GotExchange, 'retryCount' | 'exchange' | 'settlement' | 'forwardStatus' | 'previous' | 'trace'>;

/** Has a stale response answer if the attempt of a promise fails, and one may. */
export const prepareForFailure = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	if (!staleInstead(context, state.exchange, 'network-error') && !staleInstead(context, state.exchange, 'timeout')) {
		return;
	}

	prepareRecovery(options, (error: RequestError): Recovered | undefined => {
		const {exchange, retryCount, previous} = state;
		// A hook may throw the error of another request.
		const failure = error.options === options ? failureOf(error, exchange.settings.http) : undefined;
		const outcome = failure && staleInstead(context, exchange, failure);
		if (outcome) {
			abortFlight(options, error);
		}

		return outcome && {
			...handOver(state),
			exchange,
			retryCount,
			previous,
			settlement: {outcome, answer: outcome.answer},
			forwardStatus: error.response?.statusCode,
		};
	}, {answering: [state.owner], retriesFirst: state.exchange.settings.retriesFirst});
};

/** The state that the failed attempt before left to this one, whose user's retry options and hooks come back. */
export const takeRecovered = (options: GotOptions): Recovered | undefined => takeRecovery(options) as Recovered | undefined;
