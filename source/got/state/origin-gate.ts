import type {IncomingHttpHeaders} from 'node:http';
import type {Exchange} from '../../cache/exchange.ts';
import type {Store} from '../../store/ports/store.ts';

/*
The seam for the moment before an origin is asked, such as `got-redis-cache/rate-limit` needs it. While there is no gate, a request to an origin costs one comparison more.
*/

/** A request that is about to be sent to an origin: a miss, a validation, a retry, a hop of a redirect, a refresh in the background, or one that the cache takes no part in. */
export type OriginRequest = {
	/** In upper case. */
	readonly method: string;

	/** Absolute, with everything that is sent. */
	readonly url: URL;

	/** Whether it is a refresh in the background, for which no caller waits. */
	readonly isRefresh: boolean;

	/** Aborted when nobody waits for the request any more. */
	readonly signal: AbortSignal;

	/** How long got's timeouts let the request wait, in milliseconds. */
	readonly patienceMs: number;

	/** Whether a stored response that became stale no longer than `mostStaleMs` ago may answer in the origin's place. */
	canBeStale(mostStaleMs: number): boolean;
};

/** The response of an origin, when its head has come. */
export type OriginAnswer = {
	/** The status code. */
	readonly statusCode: number;
	/** The header fields, as Node.js gives them. */
	readonly headers: Readonly<IncomingHttpHeaders>;
};

/** The answer of a gate. */
export type OriginPermission =
	/** Ask the origin. `onResponse` is called with the head of its response; `onUnsent` if the request is not sent after all. With `hasWaited`, what is stored is looked up once more before the origin is asked. */
	| {
		/** `'ask'`: the origin is asked. */
		readonly kind: 'ask';
		/** Whether time has passed, so that the store is asked once more. Default: `false`. */
		readonly hasWaited?: boolean;
		/** Called with the head of the origin's response. */
		onResponse?(answer: OriginAnswer): void;
		/** Called if the request is not sent after all. */
		onUnsent?(): void;
	}
	/** Answer with the stored response, which became stale no longer than `mostStaleMs` ago. The reason is `'rate-limited'`. If none may answer any more, the origin is asked. */
	| {
		/** `'stale'`: a stale response answers. */
		readonly kind: 'stale';
		/** The longest time since the response became stale, in milliseconds. */
		readonly mostStaleMs: number;
	}
	/** Fail the request. A refresh in the background is dropped without a word. */
	| {
		/** `'refuse'`: the request fails. */
		readonly kind: 'refuse';
		/** The error that it fails with. */
		readonly error: Error;
	};

/** Decides about each request before it is sent to an origin. An exception lets the request pass, and is an `error` event. */
export type OriginGate = (request: OriginRequest) => OriginPermission | Promise<OriginPermission>;

/** A gate that knows the exchange as well. */
export type ExchangeGate = (request: OriginRequest, exchange: Exchange) => OriginPermission | Promise<OriginPermission>;

export type OriginGates = {
	/** `undefined` while there is none. */
	gate: ExchangeGate | undefined;
};

/** The parts of a cache that a gate may need. */
export type GatedCache = {
	readonly gates: OriginGates;
	/** The store as it is now: the default one changes when a Redis answers. */
	readonly store: () => Store;
	/** How long a request waits for the store. */
	readonly timeoutMs: number;
	/** Whether names in the store tell nothing. */
	readonly isEncrypted: boolean;
	readonly reportError: (what: string, error: unknown) => void;
};

const gatedCaches = new WeakMap<WeakKey, GatedCache>();

export const registerGates = (cache: WeakKey, gated: Omit<GatedCache, 'gates'>): OriginGates => {
	const gates: OriginGates = {gate: undefined};
	gatedCaches.set(cache, {...gated, gates});

	return gates;
};

/** The parts of a cache, as its user knows it; `undefined` if the value is no cache. */
export const gatedCacheOf = (cache: WeakKey): GatedCache | undefined => gatedCaches.get(cache);

/**
Has `gate` called before each request to an origin.

@returns A function that ends it; `undefined` if there is a gate already.
*/
export const gateOrigin = ({gates}: GatedCache, gate: ExchangeGate): (() => void) | undefined => {
	if (gates.gate) {
		return undefined;
	}

	gates.gate = gate;

	return () => {
		if (gates.gate === gate) {
			gates.gate = undefined;
		}
	};
};
