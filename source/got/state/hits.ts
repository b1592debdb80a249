import type {Exchange} from '../../cache/exchange.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotOptions} from './got-options.ts';

/*
The seam for whoever wants to know of hits with all that belongs to them, such as `got-redis-cache/audit`. While nobody listens, a hit costs one comparison more.
*/

/** A stored response that answers a request without the origin. */
export type Hit = {
	/** The options of the caller's request as got would send it. They are the caller's: a listener copies what it needs later. */
	readonly options: GotOptions;
	readonly exchange: Exchange;
	readonly stored: StoredResponse;
};

export type HitListener = (hit: Hit) => void;

export type Hits = {
	/** Calls all listeners; `undefined` while there are none. */
	tell: HitListener | undefined;
};

type Listeners = {
	readonly hits: Hits;
	readonly listeners: Set<HitListener>;
	readonly reportError: (error: unknown) => void;
};

/** A cache as its user knows it, by which its hits are found. */
type Cache = WeakKey;

const listenersOf = new WeakMap<Cache, Listeners>();

/**
@param reportError - Receives the errors that listeners throw: no request fails by them.
*/
export const createHits = (cache: Cache, reportError: Listeners['reportError']): Hits => {
	const hits: Hits = {tell: undefined};
	listenersOf.set(cache, {hits, listeners: new Set(), reportError});

	return hits;
};

const tellAll = ({listeners, reportError}: Listeners): HitListener => hit => {
	for (const listener of listeners) {
		try {
			listener(hit);
		} catch (error) {
			reportError(error);
		}
	}
};

/**
Calls `listener` synchronously at each hit of a cache: of promises, with or without a request of got's, and of streams.

@returns A function that ends it; `undefined` if the value is no cache.
*/
export const listenToHits = (cache: Cache, listener: HitListener): (() => void) | undefined => {
	const known = listenersOf.get(cache);
	if (!known) {
		return undefined;
	}

	const {hits, listeners} = known;
	listeners.add(listener);
	hits.tell = tellAll(known);

	return () => {
		listeners.delete(listener);
		hits.tell = listeners.size === 0 ? undefined : hits.tell;
	};
};
