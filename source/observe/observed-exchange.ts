import type {Exchange} from '../cache/exchange.ts';
import type {ExchangeResult} from '../cache/settlement.ts';
import type {StoredResponse} from '../types/stored.ts';

/** What is known of one exchange: `cacheInfo()` and `Cache-Status` are made of it. */
export type ObservedExchange = {
	readonly exchange: Exchange;
	/** Whether memory stood in for a Redis that has not answered yet. */
	readonly isMemoryOnly: boolean;
	/** What the exchange came to; `undefined` while the origin is asked. */
	readonly settlement: ExchangeResult | undefined;
	/** The status code of the origin's response. */
	readonly forwardStatus: number | undefined;
	/** Whether the response to another request answered, RFC 9211 §2.6; `undefined` if none was waited for. */
	readonly isCollapsed?: boolean;
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

/** Whether it is the origin that answers. */
export const isAsked = (state: ObservedExchange): boolean => storedAnswer(state) === undefined && state.exchange.decision.kind !== 'unavailable';
