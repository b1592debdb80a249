import type {Hints} from '../../types/hints.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotOptions} from './got-options.ts';

/** The result of a refresh: the origin was asked, another process is asking it, or it failed. */
export type Refreshed = 'done' | 'elsewhere' | 'failed';

/** Refreshes of one cache: one of each response, and not too many at a time. */
export type Refreshes = {
	/** The results of the refreshes that are on their way, by the names of their responses. */
	readonly running: Map<string, Promise<Refreshed>>;
	/** The refreshes that wait for their turn, in order. */
	readonly waiting: Map<string, () => Promise<Refreshed>>;
	/** Names of the responses whose refresh failed just now. */
	readonly coolingDown: Hints<true>;
};

// A symbol in got's `context` is copied to each hop and attempt.
export const seenByCaller = Symbol('refresh');

/** The response that a refresh is to replace, which the caller was given; `undefined` for a request that is no refresh. */
export const refreshedBy = ({context}: GotOptions): StoredResponse | undefined => (context as {[seenByCaller]?: StoredResponse})[seenByCaller];

export const isRefresh = (options: GotOptions): boolean => refreshedBy(options) !== undefined;
