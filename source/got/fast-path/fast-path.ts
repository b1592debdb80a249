import {channel} from 'node:diagnostics_channel';
import process from 'node:process';
import type {Options, RequestPromise, Response} from 'got';
import type {Exchange} from '../../cache/exchange.ts';
import {firstKeyOf} from '../../cache/keys.ts';
import {bypassNow, lookUp, lookUpNow} from '../../cache/look-up.ts';
import {construct} from '../../http/construct.ts';
import type {RequestHead} from '../../http/message.ts';
import {isSuccessful} from '../../http/status-codes.ts';
import {memberOf} from '../../observe/add-cache-status.ts';
import {isTraced} from '../../observe/tracing.ts';
import {resolveRequestOptions} from '../../options/resolve-options.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext, Hooks} from '../state/context.ts';
import {askedBy} from '../state/given-request.ts';
import {isGot14, plainHeaders} from '../state/got-version.ts';
import {reportAbort, startTracedLookUp} from '../state/report.ts';
import {isSameRequest, urlOf} from '../state/request.ts';
import {endExchange, stateOf, type GotExchange} from '../state/request-state.ts';
import {createDirectResponse, isRequestClassKnown} from './direct-response.ts';
import {
	asCall,
	FastCall,
	passForStreamOnce,
	stopPassingForStream,
	type Next,
} from './fast-call.ts';
import {hasInnerHandlers} from './inner-handlers.ts';
import {yieldIfOverdue} from './yield-to-event-loop.ts';

/*
A hit that got's machinery has no part in: the handler answers, and no request is started. Only where nobody could tell; in all other cases the ordinary way, with what was found handed on to it.
*/

// The field that got sends if the user sets none.
const acceptEncoding = ['gzip', 'deflate', ...'brotli' in process.versions ? ['br'] : [], ...'zstd' in process.versions ? ['zstd'] : []].join(', ');

const channels = ['got:request:create', 'got:request:start', 'got:response:start', 'got:response:end'].map(name => channel(name));

const isOnly = <Value>(values: readonly Value[], value: Value | undefined) => values.length === 1 && values[0] === value;

const isEligible = (options: Options, hooks: Hooks): boolean => {
	const {hooks: chain} = options;

	return options.method === 'GET' && options.decompress
		&& options.body === undefined && options.json === undefined && options.form === undefined
		&& options.cookieJar === undefined
		&& !options.cache
		&& options.username === '' && options.password === ''
		&& isOnly(chain.beforeRequest, hooks.beforeRequest[0])
		&& isOnly(chain.afterResponse, hooks.afterResponse[0])
		&& isOnly(chain.beforeError, hooks.beforeError[0])
		&& !hasInnerHandlers(chain.init)
		&& isRequestClassKnown(options)
		&& channels.every(({hasSubscribers}) => !hasSubscribers);
};

/** The head that got would send; `undefined` where got would have something to say about it. */
const futureHead = (options: Options): RequestHead | undefined => {
	const headers: Record<string, string | string[] | undefined> = {...plainHeaders(options)};
	for (const name in headers) {
		if (typeof headers[name] !== 'string') {
			return undefined;
		}
	}

	headers['accept-encoding'] ??= acceptEncoding;
	if (options.responseType === 'json') {
		headers.accept ??= 'application/json';
	}

	return {method: 'GET', url: urlOf(options), headers};
};

/** Whether a call is still the one that was looked up: other code may change its options while Redis is asked. */
const isStillFuture = (options: Options, head: RequestHead): boolean => {
	const future = options.method === 'GET' && options.body === undefined ? futureHead(options) : undefined;

	return future !== undefined && isSameRequest(head, future);
};

/** After so many requests in a row that were excluded, the next one most likely is, too: a hit among them takes the ordinary way, which costs less than to try this one in vain for all others. */
const manyFilteredOut = 16;

/** Whether the options, and the requests before, leave a chance of a hit. */
const mayBeStored = ({settings, filteredOut}: GotContext, {context: {cache}}: Options): boolean => {
	const {isDisabled, http} = settings.request;

	return filteredOut.inRow < manyFilteredOut && (cache !== undefined || (!isDisabled && http.methods.has('GET')));
};

const noContent = {body: undefined, isEncoded: false};

/** Looks the call up in the store. */
const lookUpDirectly = ({context, options}: FastCall, head: RequestHead): Exchange | Promise<Exchange> | undefined => {
	const {cache} = options.context;
	const settings = cache === undefined ? context.settings.request : resolveRequestOptions(context.options, cache);
	if (settings.isDisabled || settings.isOnlyIfCached) {
		return undefined;
	}

	const asked = askedBy(context, options, {head, settings, content: noContent});
	if (context.settings.filter?.(asked.request) === false) {
		context.filteredOut.inRow++;
		return bypassNow(context, asked, 'filtered');
	}

	context.filteredOut.inRow = 0;

	const key = firstKeyOf(context, asked);

	return lookUpNow(context, asked, key) ?? lookUp(context, asked, {key});
};

/** The ordinary way reports a mistake in the options. */
const lookUpSafely = (call: FastCall, head: RequestHead): Exchange | Promise<Exchange> | undefined => {
	try {
		return lookUpDirectly(call, head);
	} catch {
		return undefined;
	}
};

/** Got 15 leaves it in a body that came over the network, and takes it away elsewhere. */
const hasByteOrderMark = ([first, second, third]: Uint8Array) => first === 0xEF && second === 0xBB && third === 0xBF;

/** Got handles all responses that take more than an answer: errors, redirects, refreshes. */
const reusable = ({decision}: Exchange): StoredResponse | undefined =>
	decision.kind === 'reuse' && decision.refresh === undefined && isSuccessful(decision.stored.statusCode) ? decision.stored : undefined;

const attemptOf = ({context, owner}: FastCall, exchange: Exchange): GotExchange => ({
	owner,
	exchange,
	settlement: undefined,
	retryCount: 0,
	startedMonoMs: exchange.startedMonoMs,
	isReported: true,
	forwardStatus: undefined,
	hiddenCookies: undefined,
	isMemoryOnly: context.store.isAlone,
});

const answerFrom = (call: FastCall, exchange: Exchange): Response | undefined => {
	const {context, options} = call;
	const stored = reusable(exchange);
	if (!stored || hasByteOrderMark(stored.body) || options.signal?.aborted) {
		return undefined;
	}

	const nowMs = context.now();
	const message = construct(exchange.request, stored, nowMs);
	if (!isSuccessful(message.statusCode)) {
		return undefined;
	}

	const state = attemptOf(call, exchange);
	const member = memberOf(state, nowMs);
	if (member !== undefined) {
		message.rawHeaders.push('Cache-Status', member);
	}

	try {
		const response = createDirectResponse(message, options, state, context.store);
		context.hits.tell?.({options, exchange, stored});
		context.observer.endHit(state, message.statusCode, message.body.byteLength, call.trace);
		return response;
	} catch {
		// The user's parser throws again when got calls it.
		return undefined;
	}
};

/** Ends the exchange of a call that was aborted while it was looked up. */
const endAborted = (call: FastCall, exchange: Exchange): void => {
	const {context, options} = call;
	const state = {...attemptOf(call, exchange), isReported: false, trace: call.trace};
	endExchange(context, state);
	reportAbort(context, options, state);
};

const findDirectly = (call: FastCall, head: RequestHead): ReturnType<typeof lookUpSafely> => {
	const find = () => lookUpSafely(call, head);
	if (!isTraced()) {
		return find();
	}

	const {trace, result} = startTracedLookUp(call.context, call.options, find);
	call.trace = trace;
	return result;
};

const answer = async (call: FastCall): Promise<unknown> => {
	const {options, next} = call;
	// Listeners and `.json()` come after the call itself.
	await Promise.resolve();
	stopPassingForStream(options);
	call.isStarted = true;
	const turn = yieldIfOverdue();
	if (turn) {
		await turn;
	}

	const head = call.listeners === undefined ? futureHead(options) : undefined;
	const found = head && findDirectly(call, head);
	const exchange = found instanceof Promise ? await found : found;
	const isAnswered = head && call.listeners === undefined && (found === exchange || isStillFuture(options, head));
	call.response = exchange && isAnswered ? answerFrom(call, exchange) : undefined;
	if (call.response) {
		return options.resolveBodyOnly ? call.response.body : call.response;
	}

	if (exchange && options.signal?.aborted) {
		// Got runs no hook for a request that is aborted before it begins.
		endAborted(call, exchange);
	} else if (exchange && head) {
		stateOf(options).earlyLookUp = {exchange, head};
	}

	if (call.trace) {
		stateOf(options).trace = call.trace;
	}

	call.ordinary = next(options) as unknown as RequestPromise;
	for (const [method, event, listener] of call.listeners ?? []) {
		void call.ordinary[method](event as never, listener as never);
	}

	return call.ordinary;
};

/**
Answers a call without starting a request, where nobody could tell.

@returns A promise as got expects of a handler; `undefined` if the ordinary way is to be taken.
*/
export const takeFastPath = (context: GotContext, hooks: Hooks, options: Options, next: Next): RequestPromise | undefined => {
	// The promises of got 14 can be cancelled, and its versions send different `accept-encoding` fields.
	if (!context.settings.hasFastPath || !mayBeStored(context, options) || isGot14(options) || !isEligible(options, hooks)) {
		return undefined;
	}

	const [owner] = hooks.beforeRequest;
	if (!owner) {
		return undefined;
	}

	const call = new FastCall(context, owner, options, next);
	const promise = asCall(answer(call), call);
	passForStreamOnce(options);

	return promise as unknown as RequestPromise;
};
