import {addAbortListener} from 'node:events';
import type {BeforeRetryHook} from 'got';
import type {Lead} from '../../coalescing/flights.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/exchanges.ts';
import type {GotOptions} from '../state/got-options.ts';

/** One request, hop and attempt, that leads a flight or waits for one. */
export type Passage = {
	lead: Lead<StoredResponse> | undefined;
	/** Whether got has given the request up, or has its response. */
	isOver: boolean;
	/** Gives up waiting. */
	leave: (() => void) | undefined;
	/** Of the abort listener. */
	disposable: Disposable | undefined;
};

export type Passenger = {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
	readonly passage: Passage;
};

/** Beyond, Node's timers fire at once. */
const longestTimerMs = 2_147_483_647;

/** The longest that a request waits for another: as long as it would for the origin's answer to itself. Got's timers for that begin with a request of its own. */
export const longestWaitMs = ({timeout: {request = Infinity, response = Infinity, read = 0, socket = Infinity}}: GotOptions): number => {
	const milliseconds = Math.min(request, response + read, socket);
	return milliseconds > longestTimerMs ? Infinity : milliseconds;
};

const passages = new WeakMap<GotOptions, Passage>();

/** Requests that are over, maybe before they were boarded: while they were looked up. */
const over = new WeakSet<GotOptions>();

/** Got copies the hooks of a failed attempt to the next one: the one thing that leads from the one to the other. */
const carried = new WeakMap<BeforeRetryHook, Passage>();

export const end = (passage: Passage): void => {
	passage.isOver = true;
	passage.disposable?.[Symbol.dispose]();
	passage.leave?.();
};

const giveUp = (passage: Passage): void => {
	end(passage);
	passage.lead?.handOver();
};

export const open = (options: GotOptions, lead: Lead<StoredResponse> | undefined): Passage => {
	const passage: Passage = {lead, isOver: false, leave: undefined, disposable: undefined};
	passages.set(options, passage);
	if (options.signal) {
		passage.disposable = addAbortListener(options.signal, () => {
			passages.delete(options);
			giveUp(passage);
		});
	}

	return passage;
};

/** @returns The flight that the request leads, which nothing else will end now. */
export const close = (options: GotOptions): Lead<StoredResponse> | undefined => {
	const passage = passages.get(options);
	passages.delete(options);
	if (passage) {
		end(passage);
	}

	return passage?.lead;
};

/** What the attempt before left to this one. */
export const takeCarried = ({hooks: {beforeRetry}}: GotOptions): Passage | undefined => {
	const position = beforeRetry.findIndex(hook => carried.has(hook));
	const [hook] = position === -1 ? [] : beforeRetry.splice(position, 1);

	return hook && carried.get(hook);
};

export const isBoarded = (options: GotOptions): boolean => passages.has(options);

/** @returns The flight that the request leads. */
export const leadOf = (options: GotOptions): Lead<StoredResponse> | undefined => passages.get(options)?.lead;

/** To be called when a request is over, whether or not it has been boarded. */
export const markOver = (options: GotOptions): void => {
	over.add(options);
};

export const isOver = (options: GotOptions): boolean => over.has(options) || options.signal?.aborted === true;

/** To be called when a request is about to be retried: it goes on leading. */
export const carryOn = (options: GotOptions): void => {
	const passage = passages.get(options);
	passages.delete(options);
	if (!passage) {
		markOver(options);
		return;
	}

	passage.leave?.();
	if (passage.lead && !passage.lead.isOver) {
		const token: BeforeRetryHook = () => undefined;
		carried.set(token, passage);
		options.hooks.beforeRetry.push(token);
	} else {
		end(passage);
	}
};
