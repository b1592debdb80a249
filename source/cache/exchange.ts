import {primaryKey} from '../http/cache-key.ts';
import type {Decision} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import type {SearchVariance} from '../http/no-vary-search.ts';
import type {CacheSettings, RequestSettings} from '../options/resolve-options.ts';
import {encodedKey, resourceKey, type ResourceContext} from '../resource/resource.ts';
import type {Selection} from '../resource/selection.ts';
import type {WriteGuard} from '../resource/write-guard.ts';
import type {RequestBudget} from '../store/guard/budget.ts';
import {withBudget} from '../store/with-budget.ts';
import type {Versions} from '../tags/versions.ts';

/** What all exchanges of one cache share. */
export type ExchangeContext = ResourceContext & {
	readonly settings: CacheSettings;
};

/** What distinguishes a request beyond its head. */
export type KeyInput = {
	readonly body: Uint8Array | string | undefined;
	/** The caller decodes the content coding himself, so what is kept for him is not what others are given. */
	readonly isEncoded: boolean;
	/** What the user's key function adds. */
	readonly extra: string | undefined;
	/** Whose the response is; `undefined`: nobody's in particular. */
	readonly user: string | undefined;
};

/** What is to be known of a request to find what is stored for it, however its content is encoded. */
export type KeyInputOfAny = Pick<KeyInput, 'body' | 'extra' | 'user'>;

/**
One request's participation through the cache: one per hop and attempt.
*/
export type Exchange = {
	readonly request: RequestHead;
	readonly settings: RequestSettings;
	/** Of the resource, in the store; empty when the cache takes no part. */
	readonly key: string;
	readonly keyInput: KeyInput;
	readonly requestTimeMs: number;
	/** By `performance.now()`, which no clock adjustment changes. */
	readonly startedAt: number;
	readonly index: Selection['index'];
	/** The versions as they were before the origin was asked. */
	readonly versions: Versions;
	readonly guard: WriteGuard;
	/** For the store: what the look-up leaves of it is for what comes after. */
	readonly budget: RequestBudget;
	readonly decision: Decision;
};

/** What is asked: all that distinguishes one request from another, and how the cache is to treat it. Who asks once more has no more budget than before. */
export type Asked = Pick<Exchange, 'request' | 'settings' | 'keyInput'> & Partial<Pick<Exchange, 'budget'>>;

/** What no request without the user's functions has. */
const distinction = (extra: string | undefined, user: string | undefined): string | undefined => {
	if (user !== undefined) {
		return JSON.stringify([false, extra ?? null, user]);
	}

	return extra === undefined ? undefined : JSON.stringify([false, extra]);
};

/**
@param searchVariance - Equivalent URLs have one key then, which is none of a URL alone.
*/
export const keyOf = ({settings}: ExchangeContext, request: RequestHead, {body, isEncoded, extra, user}: KeyInput, searchVariance?: SearchVariance): string => {
	const resource = resourceKey(primaryKey(request, settings.request.http, {
		body,
		extra: distinction(extra, user),
		searchVariance,
	}));

	return isEncoded ? encodedKey(resource) : resource;
};

/** However many steps it takes, a request is delayed once. */
export const withinBudgetOf = (context: ExchangeContext, {budget}: Pick<Exchange, 'budget'>): ExchangeContext => ({...context, store: withBudget(context.store, context.settings.timeoutMs, budget)});
