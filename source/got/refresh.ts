import type {Agent, ClientRequest} from 'node:http';
import type {Socket} from 'node:net';
import type {Options, RequestPromise, Response} from 'got';
import type {Exchange} from '../exchange.ts';
import {createHints, type Hints} from '../hints.ts';
import {preconditionFields} from '../http/conditional.ts';
import {requestDirectives} from '../http/directives.ts';
import {variantId} from '../http/vary.ts';
import {flushWrites} from '../resource.ts';
import type {StoredResponse} from '../stored.ts';
import type {GotContext, GotOptions} from './context.ts';
import {exchangeOf, type GotExchange} from './exchanges.ts';
import {gotModule} from './got-module.ts';

/** Refreshes of one cache: one of each response, and not too many at a time. */
export type Refreshes = {
	/** Names of the responses that are being refreshed. */
	readonly running: Set<string>;
	/** What is to be done when it is a response's turn, the first first. */
	readonly waiting: Map<string, () => Promise<void>>;
	/** Names of the responses whose refresh failed just now. */
	readonly resting: Hints<true>;
};

const maxRunning = 16;
const maxWaiting = 1000;

/** After a failure, callers go on having the stored response; the origin is let alone for so long. */
const failureRestMs = 1000;

/** Of a refresh whose caller sets no limit: it would stand in the way of others for ever. */
const defaultTimeoutMs = 30_000;

export const createRefreshes = (): Refreshes => ({
	running: new Set(),
	waiting: new Map(),
	resting: createHints(maxWaiting, failureRestMs),
});

// A symbol in got's `context` is copied to each hop and attempt.
const seenByCaller = Symbol('refresh');

/** What the caller was given that a request is to refresh; `undefined` for a request that is no refresh. */
export const refreshedBy = ({context}: GotOptions): StoredResponse | undefined => (context as {[seenByCaller]?: StoredResponse})[seenByCaller];

export const isRefresh = (options: GotOptions): boolean => refreshedBy(options) !== undefined;

const callersOwn = [...preconditionFields, 'if-range'];

/** The caller's request once more, credentials and hooks included, but with nothing that leads back to the caller. */
const refreshOptions = (options: GotOptions, stored: StoredResponse): Options => {
	const copy = new gotModule.Options(undefined, undefined, options as Options);
	copy.context = {...options.context, [seenByCaller]: stored};
	copy.signal = undefined;
	copy.isStream = false;
	copy.responseType = 'buffer';
	copy.resolveBodyOnly = false;
	copy.throwHttpErrors = false;
	copy.followRedirect = false;
	copy.timeout.request ??= defaultTimeoutMs;
	// The next caller will see to it.
	Object.assign(copy.retry, {limit: 0, enforceRetryRules: true});

	for (const name of stored.range ? callersOwn : [...callersOwn, 'range']) {
		delete copy.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
	}

	return copy;
};

/** Whether another request may have to wait for the connection of this one: Node would take it for nothing to do. */
const isInTheWay = (agent: Partial<Agent> | undefined): boolean => agent !== undefined && (agent.maxSockets !== Infinity || agent.maxTotalSockets !== Infinity);

/** Keeps no process alive that has nothing else to do. */
const letGo = (request: ClientRequest): void => {
	if (isInTheWay((request as {agent?: Agent}).agent)) {
		return;
	}

	request.once('socket', (socket: Socket) => {
		socket.unref();
	});
};

const ask = async (options: Options, url: string): Promise<void> => {
	const promise = gotModule.default(undefined, undefined, options) as unknown as RequestPromise<Response>;
	// Requests share the socket of an HTTP/2 session.
	if (!options.http2) {
		void promise.on('request', letGo);
	}

	const {statusCode, request} = await promise;
	const state = exchangeOf(request.options);
	const outcome = state?.settlement?.outcome;
	// A refusal that leaves what is stored would be asked for again at once.
	const isLeft = statusCode >= 400 && outcome?.kind === 'pass' && outcome.change.kind === 'leave';
	if (isLeft || statusCode >= 500 || outcome?.kind === 'reuse-stale') {
		throw new Error(`Refreshing ${url} in the background failed: the origin answered ${state?.forwardStatus ?? statusCode}`);
	}
};

const refresh = async (context: GotContext, options: Options, {key, request: {url}}: Exchange, name: string): Promise<void> => {
	const lease = await context.leases?.acquire(`${key}:refresh:${name}`);
	if (lease === 'taken' || lease === 'resting') {
		return;
	}

	const isLeased = typeof lease === 'object';
	try {
		await ask(options, url);
	} catch (error) {
		if (isLeased) {
			await lease.rest(failureRestMs);
		}

		throw error;
	}

	if (!isLeased) {
		return;
	}

	// Whoever has the lease next is to find what was stored.
	await lease.release(flushWrites(context));
};

const run = async (context: GotContext, name: string, task: () => Promise<void>): Promise<void> => {
	const {running, waiting, resting} = context.refreshes;
	running.add(name);
	try {
		await task();
	} catch (error) {
		resting.set(name, true);
		context.reportError(error);
	} finally {
		running.delete(name);
	}

	const [next] = waiting;
	if (!next) {
		return;
	}

	waiting.delete(next[0]);
	void run(context, ...next);
};

const isForbidden = ({settings, request}: Exchange): boolean => settings.http.isReadOnly || settings.http.mode === 'only-if-cached' || requestDirectives(request.headers).has('only-if-cached');

/**
Asks the origin again while the caller already has the stored response, RFC 5861 §3: once for all who are given the same, with the caller's own request. What goes wrong is reported as an event.

@param options - Of the caller's request, without what the cache has added.
*/
export const refreshInBackground = (context: GotContext, options: GotOptions, {exchange}: GotExchange): void => {
	const {decision, key} = exchange;
	if (decision.kind !== 'reuse' || isForbidden(exchange) || isRefresh(options)) {
		return;
	}

	const {running, waiting, resting} = context.refreshes;
	const {stored} = decision;
	const name = `${key} ${stored.method} ${variantId(stored.selectingHeaders)}`;
	if (running.has(name) || waiting.has(name) || resting.has(name)) {
		return;
	}

	// As they are now: the caller may use them for more.
	const copy = refreshOptions(options, stored);
	const task = async () => refresh(context, copy, exchange, name);
	if (running.size < maxRunning) {
		void run(context, name, task);
	} else if (waiting.size < maxWaiting) {
		waiting.set(name, task);
	}
};
