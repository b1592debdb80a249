import type {Decision} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import type {CacheSettings, RequestSettings} from '../options/resolve-options.ts';
import type {ResourceContext} from '../resource/context.ts';
import type {Selection} from '../resource/selection.ts';
import type {WriteGuard} from '../resource/write-guard.ts';
import type {RequestBudget} from '../store/guard/budget.ts';
import {withBudget} from '../store/with-budget.ts';
import type {Versions} from '../tags/validity.ts';

/** The context that all exchanges of one cache share. */
export type ExchangeContext = ResourceContext & {
	readonly settings: CacheSettings;
};

/** The parts of a request that distinguish it, beyond its head. */
export type KeyInput = {
	readonly body: Uint8Array | string | undefined;
	/** Whether the caller decodes the content coding. Encoded responses are stored apart from decoded ones. */
	readonly isEncoded: boolean;
	/** The addition of the user's key function. */
	readonly extra: string | undefined;
	/** The user to whom the response belongs; `undefined` if to nobody in particular. */
	readonly user: string | undefined;
};

/** The key input that finds all stored responses of a request, whatever their content coding. */
export type KeyInputOfAny = Pick<KeyInput, 'body' | 'extra' | 'user'>;

/**
One request's participation in the cache: one per hop and attempt.
*/
export type Exchange = {
	readonly request: RequestHead;
	readonly settings: RequestSettings;
	/** The resource's key in the store; empty if the cache takes no part. */
	readonly key: string;
	readonly keyInput: KeyInput;
	/** The time when the origin was asked; until then, when the look-up began. */
	readonly requestTimeMs: number;
	/** The start by `performance.now()`, which clock adjustments do not change. */
	readonly startedMonoMs: number;
	/** How long the look-up took. */
	readonly lookUpMs: number;
	/** The tier that answered the look-up. */
	readonly tier: Selection['tier'];
	readonly index: Selection['index'];
	/** The versions from before the origin was asked. */
	readonly versions: Versions;
	readonly guard: WriteGuard;
	/** The time budget for the store. Later steps have what the look-up leaves of it. */
	readonly budget: RequestBudget;
	readonly decision: Decision;
};

/** A request with everything that distinguishes it from others, and its cache settings. A repeated request keeps its former budget. */
export type Asked = Pick<Exchange, 'request' | 'settings' | 'keyInput'> & Partial<Pick<Exchange, 'budget'>>;

/** Limits the store by the request's budget, so that a request is delayed once however many steps it takes. */
export const withinBudgetOf = (context: ExchangeContext, {budget}: Pick<Exchange, 'budget'>): ExchangeContext => ({...context, store: withBudget(context.store, context.settings.timeoutMs, budget)});
