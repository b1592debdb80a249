import type {Hints} from '../../types/hints.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotOptions} from './got-options.ts';

/** What a refresh came to: the origin was asked, another process is asking it, or it failed. */
export type Refreshed = 'done' | 'elsewhere' | 'failed';

/** Refreshes of one cache: one of each response, and not too many at a time. */
export type Refreshes = {
	/** What the refreshes that are on their way come to, by the names of their responses. */
	readonly running: Map<string, Promise<Refreshed>>;
	/** What is to be done when it is a response's turn, the first first. */
	readonly waiting: Map<string, () => Promise<Refreshed>>;
	/** Names of the responses whose refresh failed just now. */
	readonly coolingDown: Hints<true>;
};

// A symbol in got's `context` is copied to each hop and attempt.
export const seenByCaller = Symbol('refresh');

/** What the caller was given that a request is to refresh; `undefined` for a request that is no refresh. */
export const refreshedBy = ({context}: GotOptions): StoredResponse | undefined => (context as {[seenByCaller]?: StoredResponse})[seenByCaller];

export const isRefresh = (options: GotOptions): boolean => refreshedBy(options) !== undefined;
