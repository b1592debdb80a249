import type {BeforeErrorHook, BeforeRedirectHook, BeforeRequestHook, BeforeRetryHook, RequestError} from 'got';
import {createAfterResponse} from './after-response.ts';
import {ownAttempt} from './attempt.ts';
import {createBeforeRequest} from './before-request.ts';
import {leadOnInRetry} from './coalescing/participation.ts';
import {abortFlight} from './coalescing/resolve-flight.ts';
import {watchHandlers} from './fast-path/inner-handlers.ts';
import {appendTo, isOnceAndLast, leaveAsLast, leaveChain} from './patches/hook-order.ts';
import {takeRecovered} from './recover.ts';
import {followRedirect} from './redirect.ts';
import {isOwner, registerHook} from './state/cache-hook.ts';
import type {GotContext, Hooks} from './state/context.ts';
import {completeGiven} from './state/given-options.ts';
import type {GotOptions} from './state/got-options.ts';
import {showCookies} from './state/hidden-cookies.ts';
import {reportFailure} from './state/report.ts';
import {endExchange} from './state/request-state.ts';

/**
The hooks that make the instances of got that are extended with them use a cache. They translate between got and the exchange, and hold no rule of HTTP.
*/
export const createHooks = (context: GotContext): Hooks => {
	// Other hooks may run behind the cache's: what is looked up is what would be sent.
	const beforeRequest: BeforeRequestHook = (options, updates) => {
		if (!isOwner(options, beforeRequest)) {
			return undefined;
		}

		const chain = options.hooks.beforeRequest;
		if (isOnceAndLast(chain, beforeRequest)) {
			return send(options, updates);
		}

		appendTo(chain, beforeSending);
		return undefined;
	};

	const beforeSending: BeforeRequestHook = (options, updates) => leaveAsLast(options.hooks.beforeRequest, beforeSending) ? send(options, updates) : undefined;

	const send = createBeforeRequest(context, beforeRequest, () => hooks);

	const beforeRedirect: BeforeRedirectHook = async (updatedOptions, response) => {
		takeRecovered(updatedOptions);
		const state = ownAttempt(response.request.options, beforeRequest);
		if (state) {
			await followRedirect(context, state, response, updatedOptions);
		}
	};

	const forget = (options: GotOptions, error: Error) => {
		// The hook is still there if an earlier one has failed.
		leaveChain(options.hooks.beforeRequest, beforeSending);
		const state = ownAttempt(options, beforeRequest);
		if (!state) {
			return;
		}

		endExchange(context, state);
		reportFailure(context, options, state, error);
	};

	const beforeRetry: BeforeRetryHook = error => {
		const {options} = error;
		forget(options, error);
		if (options.isStream) {
			// Whether there is another attempt is up to its consumer.
			abortFlight(options, error);
		} else {
			leadOnInRetry(options);
		}
	};

	const beforeError: BeforeErrorHook = error => {
		// A hook may have put an error of its own in the place of got's.
		const {options, response} = error as Partial<RequestError>;
		if (options) {
			takeRecovered(options);
			forget(options, error);
			abortFlight(options, error);
			showCookies(response, ownAttempt(options, beforeRequest)?.hiddenCookies);
		}

		return error;
	};

	registerHook(beforeRequest, context.options);
	const hooks: Hooks = {
		init: [completeGiven, watchHandlers],
		beforeRequest: [beforeRequest],
		beforeRedirect: [beforeRedirect],
		beforeRetry: [beforeRetry],
		beforeError: [beforeError],
		afterResponse: [createAfterResponse(context, beforeRequest)],
	};

	return hooks;
};
