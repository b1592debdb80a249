import type {Options} from 'got';
import type {ExchangeContext} from '../exchange.ts';
import type {Flights} from '../flights.ts';
import type {RedisCacheOptions} from '../options.ts';
import type {Leases} from '../store/lease.ts';
import type {StoredResponse} from '../stored.ts';
import type {Refreshes} from './refresh.ts';

/** What the cache needs of got's options, as hooks see them and as responses carry them. */
export type GotOptions = Pick<
	Options,
	'allowGetBody' | 'body' | 'cache' | 'context' | 'decompress' | 'getRequestFunction' | 'h2session' | 'headers' | 'hooks'
	| 'http2' | 'isStream' | 'method' | 'request' | 'responseType' | 'retry' | 'signal' | 'throwHttpErrors' | 'timeout' | 'url'
>;

export type GotContext = ExchangeContext & {
	/** What `redisCache()` was called with. */
	readonly options: RedisCacheOptions;
	/** For what goes wrong where no caller waits for it; `cause` of what listeners are given. */
	readonly reportError: (what: string, error: unknown) => void;
	/** What is being refreshed in the background. */
	readonly refreshes: Refreshes;
	/** Equal requests of this process that are on their way; `undefined` when each is to go by itself. */
	readonly flights: Flights<StoredResponse> | undefined;
	/** What the fleet does once; `undefined` when it is each process for itself. */
	readonly leases: Leases | undefined;
};
