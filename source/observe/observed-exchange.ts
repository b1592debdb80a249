import type {Exchange} from '../cache/exchange.ts';
import type {ExchangeResult} from '../cache/decide-outcome.ts';
import type {StoredResponse} from '../types/stored.ts';

/** The state of one exchange, from which `cacheInfo()`, `Cache-Status` and the report are made. */
export type ObservedExchange = {
	readonly exchange: Exchange;
	/** Whether memory was used because no Redis has answered yet. */
	readonly isMemoryOnly: boolean;
	/** The result of the exchange; `undefined` while the origin is being asked. */
	readonly settlement: ExchangeResult | undefined;
	/** The status code of the origin's response. */
	readonly forwardStatus: number | undefined;
	/** Whether the response to another request answered, RFC 9211 §2.6; `undefined` if the request did not wait for another one. */
	readonly isCollapsed?: boolean;
	/** Whether another process made the request whose response answered. */
	readonly isFromFleet?: boolean;
	/** The start of the attempt, by `performance.now()`. */
	readonly startedMonoMs: number;
	/** The time when the origin was asked; `undefined` if it was not, or if got made the request as it would without the cache. */
	readonly askedMonoMs?: number | undefined;
	/** The time when the origin's response came; `undefined` if that is the end of the exchange. */
	readonly answeredMonoMs?: number | undefined;
	/** How long the request waited for a rate limit; `undefined` if it did not. */
	readonly waitedMs?: number | undefined;
	/** The number of retries before this attempt. */
	readonly retryCount: number;
	/** The hop whose redirect led to this one. */
	readonly previous?: ObservedExchange | undefined;
};

/** The stored response that answers in the origin's place. */
export const storedAnswer = ({exchange, settlement}: Pick<ObservedExchange, 'exchange' | 'settlement'>): StoredResponse | undefined => {
	if (settlement?.answer) {
		return settlement.answer;
	}

	return exchange.decision.kind === 'reuse' ? exchange.decision.stored : undefined;
};

/** Whether the origin answers. */
export const isAsked = (state: ObservedExchange): boolean => storedAnswer(state) === undefined && state.exchange.decision.kind !== 'unavailable';
