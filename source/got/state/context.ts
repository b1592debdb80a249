import type {
	AfterResponseHook,
	BeforeErrorHook,
	BeforeRedirectHook,
	BeforeRequestHook,
	BeforeRetryHook,
	InitHook,
} from 'got';
import type {ExchangeContext} from '../../cache/exchange.ts';
import type {Refusals} from '../../cache/refusals.ts';
import type {Flights} from '../../coalescing/flights.ts';
import type {Leases} from '../../coalescing/lease.ts';
import type {Observer} from '../../observe/observer.ts';
import type {RedisCacheOptions} from '../../options/options.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {Hits} from './hits.ts';
import type {OriginGates} from './origin-gate.ts';
import type {Refreshes} from './refreshes.ts';

export type GotContext = ExchangeContext & {
	/** The cache, as its users know it. */
	readonly cache: WeakKey;
	/** The options of `redisCache()`. */
	readonly options: RedisCacheOptions;
	/** For what goes wrong where no caller waits for it; `cause` of what listeners are given. */
	readonly reportError: (what: string, error: unknown) => void;
	/** Receives each exchange when it is over. */
	readonly observer: Observer;
	/** Tells listeners of each hit. */
	readonly hits: Hits;
	/** The number of requests in a row, up to the last one, that the option `filter` has excluded. */
	readonly filteredOut: {inRow: number};
	/** The gate before the origin, if there is one. */
	readonly gates: OriginGates;
	/** The last reasons why responses were not stored, for `explain()`. */
	readonly refusals: Refusals;
	/** The refreshes in the background. */
	readonly refreshes: Refreshes;
	/** Equal requests of this process that are on their way; `undefined` when each is to go by itself. */
	readonly flights: Flights<StoredResponse> | undefined;
	/** The leases with which the fleet does something once; `undefined` if each process acts for itself. */
	readonly leases: Leases | undefined;
};

/** The hooks of one cache, in the lists that got has them in. */
export type Hooks = {
	readonly init: InitHook[];
	readonly beforeRequest: BeforeRequestHook[];
	readonly beforeRedirect: BeforeRedirectHook[];
	readonly beforeRetry: BeforeRetryHook[];
	readonly beforeError: BeforeErrorHook[];
	readonly afterResponse: AfterResponseHook[];
};
