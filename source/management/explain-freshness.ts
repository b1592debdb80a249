import {currentAgeSeconds, expiryOf, remainingFreshnessSeconds} from '../http/age.ts';
import {responseDirectives} from '../http/directives.ts';
import {headersOf} from '../http/header-fields.ts';
import type {RequestHead} from '../http/message.ts';
import {lifetimeFor, type ReceivedMessage} from '../http/policy.ts';
import type {Settings} from '../http/settings.ts';
import {isStaleForbidden, staleIfErrorSeconds, staleWhileRevalidateSeconds} from '../http/stale.ts';
import {readContent} from '../options/user-functions.ts';
import type {StoredPolicy, StoredResponse} from '../types/stored.ts';
import type {ExplainedFreshness, ExplainedStaleness, ExplainedWindow, Seconds} from './explanation.ts';

const toSeconds = (seconds: number): Seconds => seconds === Infinity ? 'unlimited' : seconds;

/** A rounded `Date` that was added when the response was stored may differ by a second. */
const toleranceSeconds = 1;

/** The origin of a stored response's lifetime: the options and header fields that give it the lifetime that it has. */
export const explainFreshness = (request: RequestHead, {policy, statusCode, statusMessage, httpVersion, rawHeaders, body}: StoredResponse, nowMs: number, settings: Settings): ExplainedFreshness => {
	const received: ReceivedMessage = {
		request,
		response: {statusCode, statusMessage, httpVersion, rawHeaders, content: readContent(body)},
		requestTimeMs: policy.requestTimeMs,
		responseTimeMs: policy.responseTimeMs,
		settings,
	};
	const {seconds, source} = lifetimeFor(received);
	const isSame = seconds === policy.freshnessLifetimeSeconds || Math.abs(seconds - policy.freshnessLifetimeSeconds) <= toleranceSeconds;

	return {
		isFresh: remainingFreshnessSeconds(policy, nowMs) > 0,
		lifetimeSeconds: toSeconds(policy.freshnessLifetimeSeconds),
		source: isSame ? source : 'other',
		field: responseDirectives(headersOf(rawHeaders), settings).field,
		ageSeconds: currentAgeSeconds(policy, nowMs),
		until: expiryOf(policy),
	};
};

const windowOf = (seconds: number, own: number | undefined, isForbidden: boolean): ExplainedWindow => {
	if (isForbidden || seconds === 0) {
		return {seconds: 0, source: 'none'};
	}

	return {seconds: toSeconds(seconds), source: seconds === own ? 'response' : 'option'};
};

export const explainStaleness = (policy: StoredPolicy, settings: Settings): ExplainedStaleness => {
	const isForbidden = isStaleForbidden(policy);
	const directive = policy.isNoCache ? 'no-cache' : 'must-revalidate';

	return {
		forbiddenBy: isForbidden ? directive : undefined,
		whileRevalidate: windowOf(staleWhileRevalidateSeconds(policy, settings), policy.staleWhileRevalidateSeconds, isForbidden),
		ifError: windowOf(staleIfErrorSeconds(policy, 'error-status', settings), policy.staleIfErrorSeconds, isForbidden),
		ifDisconnected: windowOf(staleIfErrorSeconds(policy, 'disconnected', settings), policy.staleIfErrorSeconds, isForbidden),
	};
};
