import {AsyncResource} from 'node:async_hooks';
import type {Options} from 'got';
import type {Exchange} from '../../cache/exchange.ts';
import {preconditionFields} from '../../http/conditional.ts';
import {redactedUrl} from '../../http/credentials.ts';
import {requestDirectives} from '../../http/directives.ts';
import {variantId} from '../../http/vary.ts';
import {flushWrites} from '../../resource/variant-queue.ts';
import {createHints} from '../../types/hints.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import {exchangeOf, type GotExchange} from '../state/request-state.ts';
import {isRefusal} from '../state/failure.ts';
import {gotModule} from '../state/got-module.ts';
import type {GotOptions} from '../state/got-options.ts';
import {seenByCaller, isRefresh, type Refreshes, type Refreshed} from '../state/refreshes.ts';
import {requestInBackground} from './background-request.ts';

const maxRunning = 16;
const maxWaiting = 1000;

/** After a failure, callers go on having the stored response; the origin is let alone for so long. */
const failureCooldownMs = 1000;

/** The limit for a refresh whose caller sets none: it would stand in the way of others for ever. */
const defaultTimeoutMs = 30_000;

export const createRefreshes = (): Refreshes => ({
	running: new Map(),
	waiting: new Map(),
	coolingDown: createHints(maxWaiting, failureCooldownMs),
});

const callersOwn = [...preconditionFields, 'if-range'];

/** The caller's request once more, credentials and hooks included, but with nothing that leads back to the caller. */
const refreshOptions = (options: GotOptions, stored: StoredResponse, isUnhurried: boolean): Options => {
	const copy = new gotModule.Options(undefined, undefined, options as Options);
	copy.context = {...options.context, [seenByCaller]: stored};
	// Got 14 takes no `undefined`.
	copy.signal = new AbortController().signal;
	copy.isStream = false;
	copy.responseType = 'buffer';
	copy.resolveBodyOnly = false;
	copy.throwHttpErrors = false;
	copy.followRedirect = false;
	if (isUnhurried) {
		// The caller's patience is what the origin is too slow for.
		const {lookup, connect, secureConnect, request = 0} = copy.timeout;
		copy.timeout = {lookup, connect, secureConnect, request: Math.max(request, defaultTimeoutMs)};
	}

	copy.timeout.request ??= defaultTimeoutMs;
	// The next caller will see to it.
	Object.assign(copy.retry, {limit: 0, enforceRetryRules: true});

	for (const name of stored.range ? callersOwn : [...callersOwn, 'range']) {
		delete copy.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
	}

	return copy;
};

/** The end of a refresh that was kept from the origin, which is no failure. */
class RefreshRefused extends Error {}

/**
@param url - As it may be told.
*/
const ask = async (options: Options, url: string): Promise<void> => {
	const {statusCode, request} = await requestInBackground(options);
	const state = exchangeOf(request.options);
	if (state?.exchange.decision.kind === 'unavailable') {
		// The origin was frozen meanwhile, and nobody has asked it.
		return;
	}

	const outcome = state?.settlement?.outcome;
	if (outcome?.reason === 'rate-limited') {
		// The refresh has given way, and the next caller will see to it.
		throw new RefreshRefused();
	}

	// A refusal that leaves what is stored would be asked for again at once.
	const isLeft = statusCode >= 400 && outcome?.kind === 'pass' && outcome.change.kind === 'leave';
	if (isLeft || statusCode >= 500 || outcome?.kind === 'reuse-stale') {
		throw new Error(`Refreshing ${url} in the background failed: the origin answered ${state?.forwardStatus ?? statusCode}`);
	}
};

const refresh = async (context: GotContext, options: Options, {key, request: {url}, settings: {http}}: Exchange, name: string): Promise<Refreshed> => {
	const lease = await context.leases?.acquire(`${key}:refresh:${name}`);
	if (lease === 'taken' || lease === 'cooling-down') {
		return 'elsewhere';
	}

	const isLeased = typeof lease === 'object';
	try {
		await ask(options, redactedUrl(url, http.ignoredParameters));
	} catch (error) {
		if (isLeased) {
			await lease.coolDown(failureCooldownMs);
		}

		throw error;
	}

	if (isLeased) {
		// The next holder of the lease is to find the stored response.
		await lease.release(flushWrites(context));
	}

	return 'done';
};

const attempt = async ({refreshes, reportError}: GotContext, name: string, task: () => Promise<Refreshed>): Promise<Refreshed> => {
	try {
		return await task();
	} catch (error) {
		refreshes.coolingDown.set(name, true);
		if (!(error instanceof RefreshRefused) && !isRefusal(error as Error)) {
			reportError('A refresh in the background failed', error);
		}

		return 'failed';
	}
};

const run = async (context: GotContext, name: string, task: () => Promise<Refreshed>): Promise<void> => {
	const {running, waiting} = context.refreshes;
	const refreshed = attempt(context, name, task);
	running.set(name, refreshed);
	await refreshed;
	running.delete(name);

	const [next] = waiting;
	if (!next) {
		return;
	}

	waiting.delete(next[0]);
	void run(context, ...next);
};

const isForbidden = ({settings, request}: Exchange): boolean => settings.http.isReadOnly || settings.http.mode === 'only-if-cached' || requestDirectives(request.headers).has('only-if-cached');

/** A refresh that waits for its turn has no caller that waits for it. */
const never = Promise.withResolvers<never>().promise;

type RefreshOf = {
	readonly exchange: Exchange;
	readonly stored: StoredResponse;

	/** Whether the caller's own timeouts do not count. */
	readonly isUnhurried?: boolean;
};

/**
Asks the origin once more about a stored response, with the caller's own request: once for all who are given the same. Failures are reported as events.

@param options - The options of the caller's request.
@returns `undefined` if the origin is not asked: it must not be, or failed just now.
*/
export const startRefresh = (
	context: GotContext,
	options: GotOptions,
	{exchange, stored, isUnhurried = false}: RefreshOf,
): Promise<Refreshed> | undefined => {
	const {running, waiting, coolingDown} = context.refreshes;
	const name = `${exchange.key} ${stored.method} ${variantId(stored.selectingHeaders)}`;
	if (isForbidden(exchange) || isRefresh(options) || coolingDown.has(name)) {
		return undefined;
	}

	if (running.has(name) || waiting.has(name)) {
		return running.get(name) ?? never;
	}

	// As they are now: the caller may use them for more.
	const copy = refreshOptions(options, stored, isUnhurried);
	const task = async () => refresh(context, copy, exchange, name);
	if (running.size < maxRunning) {
		void run(context, name, task);
	} else if (waiting.size < maxWaiting) {
		// The user's functions may ask their `AsyncLocalStorage` whose request it is, and another caller's refresh calls it.
		waiting.set(name, AsyncResource.bind(task));
	}

	return running.get(name) ?? never;
};

/** Refreshes a stored response that is due for it, while the caller already has it, RFC 5861 §3. */
export const refreshInBackground = (context: GotContext, options: GotOptions, {exchange}: GotExchange): void => {
	const {decision} = exchange;
	if (decision.kind === 'reuse' && decision.refresh) {
		void startRefresh(context, options, {exchange, stored: decision.stored});
	}
};
