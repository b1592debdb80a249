import {channel} from 'node:diagnostics_channel';
import process from 'node:process';
import type {
	HandlerFunction,
	NormalizedOptions,
	Options,
	RequestPromise,
	Response,
} from 'got';
import type {Exchange} from '../exchange.ts';
import {construct} from '../http/construct.ts';
import type {RequestHead} from '../http/message.ts';
import {firstKeyOf, lookUp, lookUpNow} from '../look-up.ts';
import {resolveRequestOptions} from '../resolve-options.ts';
import type {StoredResponse} from '../stored.ts';
import {memberOf} from './cache-status.ts';
import type {GotContext, GotOptions} from './context.ts';
import {holdEarlyResponses} from './early-response.ts';
import {createDirectResponse, isRequestClassKnown, readResponse} from './direct-response.ts';
import type {GotExchange} from './exchanges.ts';
import type {Hooks} from './hooks.ts';
import {hasInnerHandlers} from './inner-handlers.ts';
import {urlOf} from './request.ts';

/*
A hit that got's machinery has no part in: the handler answers, and no request is started. Only where nobody could tell; in all other cases the ordinary way, with what was found handed on to it.
*/

type Next = Parameters<HandlerFunction>[1];
type Listener = (...arguments_: any[]) => void;

// What got itself sends where the user says nothing.
const acceptEncoding = ['gzip', 'deflate', ...'brotli' in process.versions ? ['br'] : [], ...'zstd' in process.versions ? ['zstd'] : []].join(', ');

const channels = ['got:request:create', 'got:request:start', 'got:response:start', 'got:response:end'].map(name => channel(name));

type Listening = readonly [method: 'on' | 'once', event: string, listener: Listener];

/**
A call on its way: it may be answered directly, or become a request.

A class, because V8 puts what it has seen to live long when it comes of an object literal, as this does while a request is made, among the old from then on; and with each of them all that it refers to, got's options and request, until the next full collection. It doubles what a hit costs.
*/
class Call {
	readonly context: GotContext;
	readonly owner: GotExchange['owner'];
	readonly options: Options;
	readonly next: Next;
	listeners: Listening[] | undefined = undefined;
	/** What was answered directly. */
	response: Response | undefined = undefined;
	/** What got makes of the call, once the ordinary way is taken. */
	ordinary: RequestPromise | undefined = undefined;
	isStarted = false;

	constructor(context: GotContext, owner: GotExchange['owner'], options: Options, next: Next) {
		this.context = context;
		this.owner = owner;
		this.options = options;
		this.next = next;
	}
}

const prepared = new WeakMap<GotOptions, Exchange>();

/** The exchange that was opened before the ordinary way was taken. */
export const takePrepared = (options: GotOptions): Exchange | undefined => {
	const exchange = prepared.get(options);
	prepared.delete(options);
	return exchange;
};

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
	// What stands behind the proxy that `headers` is.
	const headers: Record<string, string | string[] | undefined> = {...options.getInternalHeaders()};
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

/** What the store has for the call. */
const lookUpDirectly = ({context, options}: Call): Exchange | Promise<Exchange> | undefined => {
	const head = futureHead(options);
	const {cache} = options.context;
	const settings = cache === undefined ? context.settings.request : resolveRequestOptions(context.options, cache);
	if (head === undefined || settings.isDisabled || settings.isOnlyIfCached || context.settings.filter?.(head) === false) {
		return undefined;
	}

	const keyInput = {body: undefined, isEncoded: false, extra: context.settings.key?.(head, options as NormalizedOptions)};
	const asked = {request: head, settings, keyInput};
	const key = firstKeyOf(context, asked);

	return lookUpNow(context, asked, key) ?? lookUp(context, asked, {key});
};

/** What is wrong with the options, got's own way will say. */
const lookUpSafely = (call: Call): Exchange | Promise<Exchange> | undefined => {
	try {
		return lookUpDirectly(call);
	} catch {
		return undefined;
	}
};

// Nothing is ever added to it: no request is made.
const nothingReplaced: GotExchange['replacedHeaders'] = new Map();

const isOk = (statusCode: number) => statusCode >= 200 && statusCode <= 299;

/** Got 15 leaves it in a body that came over the network, and takes it away elsewhere. */
const hasByteOrderMark = ([first, second, third]: Uint8Array) => first === 0xEF && second === 0xBB && third === 0xBF;

/** What got would have more to do with is got's: errors, redirects, refreshes. */
const reusable = ({decision}: Exchange): StoredResponse | undefined => decision.kind === 'reuse' && decision.refresh === undefined && isOk(decision.stored.statusCode) ? decision.stored : undefined;

const answerFrom = ({context, owner, options}: Call, exchange: Exchange): Response | undefined => {
	const stored = reusable(exchange);
	if (!stored || hasByteOrderMark(stored.body) || options.signal?.aborted) {
		return undefined;
	}

	const nowMs = context.now();
	const message = construct(exchange.request, stored, nowMs);
	if (!isOk(message.statusCode)) {
		return undefined;
	}

	const state: GotExchange = {
		owner,
		exchange,
		settlement: undefined,
		replacedHeaders: nothingReplaced,
		retryCount: 0,
		forwardStatus: undefined,
		hiddenCookies: undefined,
	};
	const member = memberOf(state, nowMs);
	if (member !== undefined) {
		message.rawHeaders.push('Cache-Status', member);
	}

	try {
		return createDirectResponse(message, options, state, context.store);
	} catch {
		// What the user's parser has against the body, it will say again, to got.
		return undefined;
	}
};

const answer = async (call: Call): Promise<unknown> => {
	const {options, next} = call;
	// Listeners and `.json()` come after the call itself.
	await Promise.resolve();
	stopPassingForStream(options);
	call.isStarted = true;

	const found = call.listeners === undefined ? lookUpSafely(call) : undefined;
	const exchange = found instanceof Promise ? await found : found;
	call.response = exchange && call.listeners === undefined ? answerFrom(call, exchange) : undefined;
	if (call.response) {
		return options.resolveBodyOnly ? call.response.body : call.response;
	}

	if (exchange) {
		prepared.set(options, exchange);
	}

	call.ordinary = holdEarlyResponses(options, next(options) as unknown as RequestPromise);
	for (const [method, event, listener] of call.listeners ?? []) {
		void call.ordinary[method](event as never, listener as never);
	}

	return call.ordinary;
};

/** Where the methods of a promise find their call; copied along with them to promises that are made of it. */
const callOf = Symbol('call');

type CallPromise = Promise<unknown> & {readonly [callOf]: Call};

const listen = (method: 'on' | 'once') => function (this: CallPromise, event: string, listener: Listener) {
	const call = this[callOf];
	if (call.ordinary) {
		void call.ordinary[method](event as never, listener as never);
	} else {
		call.listeners ??= [];
		call.listeners.push([method, event, listener]);
	}

	return this;
};

const parseWhenAnswered = async (promise: CallPromise, responseType: 'json' | 'buffer' | 'text'): Promise<unknown> => {
	const value = await promise;
	const {options, ordinary, response} = promise[callOf];
	if (!response) {
		return ordinary?.[responseType as 'json'].call(promise);
	}

	// An outer handler may have put another response in place.
	const isAnother = value !== response && !options.resolveBodyOnly && (value as Response | undefined)?.rawBody instanceof Uint8Array;
	return readResponse(isAnother ? value as Response : response, responseType, options);
};

const shortcut = (responseType: 'json' | 'buffer' | 'text') => function (this: CallPromise): CallPromise {
	const {isStarted, options} = this[callOf];
	if (responseType === 'json' && !isStarted && !('accept' in options.headers)) {
		options.headers.accept = 'application/json';
	}

	const promise = parseWhenAnswered(this, responseType);
	// Another handler may have given it something of its own, of whatever kind.
	return isBare(this) ? asCall(promise, this[callOf]) : Object.defineProperties(promise, Object.getOwnPropertyDescriptors(this)) as CallPromise;
};

/** Those of got's promises, for one that may never be got's. */
const methods = {
	on: listen('on'),
	once: listen('once'),
	off(this: CallPromise, event: string, listener: Listener) {
		const call = this[callOf];
		const position = call.listeners?.findLastIndex(([, name, function_]) => name === event && function_ === listener) ?? -1;
		if (position !== -1) {
			call.listeners?.splice(position, 1);
			call.listeners = call.listeners?.length === 0 ? undefined : call.listeners;
		}

		void call.ordinary?.off(event as never, listener as never);
		return this;
	},
	json: shortcut('json'),
	buffer: shortcut('buffer'),
	text: shortcut('text'),
};

const asCall = (promise: Promise<unknown>, call: Call): CallPromise => {
	const completed = promise as {-readonly [Name in keyof CallPromise]: CallPromise[Name]};
	completed[callOf] = call;

	return Object.assign(completed, methods);
};

/**
Got makes a promise of its own, with an emitter and all that listens to the request, to give its methods to the promise of a handler. Ours has them; and got asks once, as soon as the handler has returned, whether the call is a stream's, which gets none. It is half of what a call costs.
*/
const passingForStream: PropertyDescriptor & ThisType<Options> = {
	get() {
		stopPassingForStream(this);
		return true;
	},
	configurable: true,
};

const passForStreamOnce = (options: Options): void => {
	Reflect.defineProperty(options, 'isStream', passingForStream);
};

/** What is seen then is got's own accessor, on the prototype. */
const stopPassingForStream = (options: Options): void => {
	Reflect.deleteProperty(options, 'isStream');
};

const bareLength = Object.keys(methods).length + 1;

const isBare = (promise: CallPromise): boolean => Reflect.ownKeys(promise).length === bareLength;

/**
Answers a call without starting a request, where nobody could tell.

@returns What got expects of a handler; `undefined` where the ordinary way is to be taken.
*/
export const takeFastPath = (context: GotContext, hooks: Hooks, options: Options, next: Next): RequestPromise | undefined => {
	const [owner] = hooks.beforeRequest;
	if (!owner || !context.settings.hasFastPath || !isEligible(options, hooks)) {
		return undefined;
	}

	const call = new Call(context, owner, options, next);
	const promise = asCall(answer(call), call);
	passForStreamOnce(options);

	return promise as unknown as RequestPromise;
};
