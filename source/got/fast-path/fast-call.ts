import type {HandlerFunction, Options, RequestPromise, Response} from 'got';
import type {Trace} from '../../observe/tracing.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/request-state.ts';
import {readResponse} from './direct-response.ts';

/*
The user's side of a call: a promise with the methods of got's, of which got may never hear.
*/

export type Next = Parameters<HandlerFunction>[1];

type Listener = (...arguments_: any[]) => void;

type Listening = readonly [method: 'on' | 'once', event: string, listener: Listener];

/**
A call on its way: it may be answered directly, or become a request.

A class, because V8 puts what it has seen to live long when it comes of an object literal, as this does while a request is made, among the old from then on; and with each of them all that it refers to, got's options and request, until the next full collection. It doubles what a hit costs.
*/
export class FastCall {
	readonly context: GotContext;
	readonly owner: GotExchange['owner'];
	readonly options: Options;
	readonly next: Next;
	listeners: Listening[] | undefined = undefined;
	/** The response of a call that was answered directly. */
	response: Response | undefined = undefined;
	/** Got's promise, once the ordinary way is taken. */
	ordinary: RequestPromise | undefined = undefined;
	isStarted = false;
	/** The trace of the call, if exchanges are traced. */
	trace: Trace | undefined = undefined;

	constructor(context: GotContext, owner: GotExchange['owner'], options: Options, next: Next) {
		this.context = context;
		this.owner = owner;
		this.options = options;
		this.next = next;
	}
}

/** Where the methods of a promise find their call; copied along with them to promises that are made of it. */
const callOf = Symbol('call');

type CallPromise = Promise<unknown> & {readonly [callOf]: FastCall};

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

/** The methods of got's promises, for one that may never be got's. */
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

export const asCall = (promise: Promise<unknown>, call: FastCall): CallPromise => {
	const completed = promise as {-readonly [Name in keyof CallPromise]: CallPromise[Name]};
	completed[callOf] = call;

	return Object.assign(completed, methods);
};

/** The options of the call whose handler has just returned. */
let passing: Options | undefined;

/** Got's own accessor, but for the one time. */
const passingForStream: PropertyDescriptor & ThisType<Options> = {
	get() {
		if (passing !== this) {
			return Reflect.get(Object.getPrototypeOf(this) as Options, 'isStream', this);
		}

		passing = undefined;
		return true;
	},
	set(value: boolean) {
		Reflect.set(Object.getPrototypeOf(this) as Options, 'isStream', value, this);
	},
	configurable: true,
};

/**
Got makes a promise of its own, with an emitter and all that listens to the request, to give its methods to the promise of a handler. Ours has them; and got asks once, as soon as the handler has returned, whether the call is a stream's, which gets none. It is half of what a call costs.
*/
export const passForStreamOnce = (options: Options): void => {
	passing = options;
	Reflect.defineProperty(options, 'isStream', passingForStream);
};

export const stopPassingForStream = (options: Options): void => {
	if (passing === options) {
		passing = undefined;
	}
};

const bareLength = Object.keys(methods).length + 1;

const isBare = (promise: CallPromise): boolean => Reflect.ownKeys(promise).length === bareLength;
