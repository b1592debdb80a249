import {currentAgeSeconds} from '../http/age.ts';
import {redactedUrl} from '../http/credentials.ts';
import {
	failed,
	notStoredOf,
	reasonOf,
	statusOf,
	usedStored,
	type CacheInfo,
	type CacheReason,
	type NotStoredReason,
} from './info.ts';
import {isAsked, type ObservedExchange} from './observed-exchange.ts';

/**
Describes one request that went through the cache, when it is over. A redirect that is followed, a retry and a refresh in the background are requests of their own.

New properties may be added in a minor version.
*/
export type ExchangeReport = {
	/** The request's method, in upper case. */
	readonly method: string;

	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;

	/** The status, as in `cacheInfo()`, of this request alone: redirects before it do not change it. */
	readonly status: CacheInfo['status'];

	/** The reason for `status`. `docs/reasons.md` explains each reason. */
	readonly reason: CacheReason;

	/** Why the origin's response was not stored; `undefined` if it was, or if the origin's response was not used. */
	readonly notStored: NotStoredReason | undefined;

	/** The place that the response's body came from: this process's memory, the store, or the origin. `undefined` if there was no response, or if the cache made it (504). */
	readonly tier: 'memory' | 'store' | 'origin' | undefined;

	/** The resource's key in the store without the namespace, with its braces; `undefined` if the cache took no part. */
	readonly key: string | undefined;

	/** The age of the stored response, in seconds with three decimals. */
	readonly age: number | undefined;

	/** The status code of the response; `undefined` if there was none. */
	readonly statusCode: number | undefined;

	/** The status code of the origin's response, such as 304; `undefined` if the origin was not asked, or did not answer. */
	readonly forwardStatus: number | undefined;

	/** The length of the response's body in bytes, after decompression. For a stream, as much as was read of it. `undefined` if there was no response, or if it was a redirect. */
	readonly bytes: number | undefined;

	/** The time when the request reached the cache. */
	readonly startedAt: Date;

	/** The time from there to the end, in milliseconds. */
	readonly totalMs: number;

	/** The time that the look-up took, in milliseconds; `undefined` if nothing was looked up. */
	readonly lookUpMs: number | undefined;

	/** The time from asking the origin to its response, with the body if that was used, in milliseconds; `undefined` if the origin was not asked. A stream's body ends when it has been read. */
	readonly originMs: number | undefined;

	/** The time that a hit has saved, in milliseconds: the origin took as long when the stored response was fetched or confirmed. 0 if the origin was asked. */
	readonly savedMs: number;

	/** The time that the request waited for a rate limit before the origin was asked, in milliseconds; 0 if it did not. */
	readonly waitedMs: number;

	/** Whether the request was made as a stream. */
	readonly isStream: boolean;

	/** Whether the response was a redirect that was followed. Another exchange then follows. */
	readonly isHop: boolean;

	/** Whether the request was a refresh in the background. */
	readonly isRefresh: boolean;

	/** Whether the response to another, equal request answered. */
	readonly isCollapsed: boolean;

	/** The number of retries before this attempt. */
	readonly retryCount: number;

	/** The error, if the request failed or was aborted. An unwanted status code is none: the origin has answered. */
	readonly error: Error | undefined;
};

/** The end of an exchange. */
export type Ending = {
	readonly statusCode?: number | undefined;
	readonly bytes?: number | undefined;
	readonly isStream?: boolean;
	readonly isHop?: boolean;
	readonly isRefresh?: boolean;
	readonly error?: Error | undefined;
};

/** Whether the request waited for the origin. */
export const hasAskedOrigin = ({exchange: {decision}, settlement}: ObservedExchange): boolean =>
	decision.kind !== 'reuse'
	&& decision.kind !== 'unavailable'
	&& settlement?.outcome.kind !== 'share'
	&& settlement?.outcome.reason !== 'rate-limited';

/** The place that the body came from. */
export const tierOf = (state: ObservedExchange, {error}: Ending): ExchangeReport['tier'] => {
	const {exchange, settlement, isFromFleet = false} = state;
	if (isAsked(state)) {
		return error === undefined ? 'origin' : undefined;
	}

	if (settlement?.outcome.kind === 'share') {
		return isFromFleet ? 'store' : 'memory';
	}

	return exchange.decision.kind === 'unavailable' ? undefined : exchange.tier;
};

const originMsOf = (state: ObservedExchange, endMonoMs: number): number | undefined => {
	const {startedMonoMs, exchange: {lookUpMs}, askedMonoMs = startedMonoMs + lookUpMs, answeredMonoMs = endMonoMs} = state;
	return hasAskedOrigin(state) ? Math.max(0, answeredMonoMs - askedMonoMs) : undefined;
};

/** The time that fetching the stored response took, which a hit saves. */
export const savedMsOf = ({exchange: {decision}}: ObservedExchange): number => {
	if (decision.kind !== 'reuse') {
		return 0;
	}

	const {requestTimeMs, responseTimeMs} = decision.stored.policy;
	return Math.max(0, responseTimeMs - requestTimeMs);
};

/**
Makes the report of an exchange that is over.

@param endMonoMs - The end by `performance.now()`.
*/
export const reportOf = (observed: ObservedExchange, ending: Ending, nowMs: number, endMonoMs: number): ExchangeReport => {
	const state = ending.error === undefined ? observed : failed(observed);
	const {exchange, forwardStatus, isCollapsed = false, waitedMs = 0, retryCount, startedMonoMs} = state;
	const {request, key, settings, lookUpMs} = exchange;
	const {statusCode, bytes, isStream = false, isHop = false, isRefresh = false, error} = ending;
	const stored = usedStored(state);
	const totalMs = endMonoMs - startedMonoMs;

	return {
		method: request.method,
		url: redactedUrl(request.url, settings.http.ignoredParameters),
		status: statusOf(state),
		reason: reasonOf(state),
		notStored: notStoredOf(state),
		tier: tierOf(state, ending),
		key: key === '' ? undefined : key,
		age: stored && currentAgeSeconds(stored.policy, nowMs),
		statusCode,
		forwardStatus,
		bytes,
		startedAt: new Date(nowMs - totalMs),
		totalMs,
		lookUpMs: key === '' ? undefined : lookUpMs,
		originMs: originMsOf(state, endMonoMs),
		savedMs: savedMsOf(state),
		waitedMs,
		isStream,
		isHop,
		isRefresh,
		isCollapsed,
		retryCount,
		error,
	};
};
