import {addAbortListener} from 'node:events';
import type {BeforeRetryHook} from 'got';
import type {Leader} from '../../coalescing/flights.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/exchanges.ts';
import type {GotOptions} from '../state/got-options.ts';

/** One request, hop and attempt, that leads a flight or waits for one. */
export type Participation = {
	lead: Leader<StoredResponse> | undefined;
	/** Whether got has given the request up, or has its response. */
	isOver: boolean;
	/** Gives up waiting. */
	leave: (() => void) | undefined;
	/** Of the abort listener. */
	disposable: Disposable | undefined;
};

export type Participant = {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
	readonly participation: Participation;
};

/** Beyond, Node's timers fire at once. */
const longestTimerMs = 2_147_483_647;

/** The longest that a request waits for another: as long as it would for the origin's answer to itself. Got's timers for that begin with a request of its own. */
export const longestWaitMs = ({timeout: {request = Infinity, response = Infinity, read = 0, socket = Infinity}}: GotOptions): number => {
	const milliseconds = Math.min(request, response + read, socket);
	return milliseconds > longestTimerMs ? Infinity : milliseconds;
};

const participations = new WeakMap<GotOptions, Participation>();

/** Requests that are over, maybe before they were boarded: while they were looked up. */
const over = new WeakSet<GotOptions>();

/** Got copies the hooks of a failed attempt to the next one: the one thing that leads from the one to the other. */
const carried = new WeakMap<BeforeRetryHook, Participation>();

export const endParticipation = (participation: Participation): void => {
	participation.isOver = true;
	participation.disposable?.[Symbol.dispose]();
	participation.leave?.();
};

const giveUp = (participation: Participation): void => {
	endParticipation(participation);
	participation.lead?.promoteNext();
};

export const openParticipation = (options: GotOptions, lead: Leader<StoredResponse> | undefined): Participation => {
	const participation: Participation = {lead, isOver: false, leave: undefined, disposable: undefined};
	participations.set(options, participation);
	if (options.signal) {
		participation.disposable = addAbortListener(options.signal, () => {
			participations.delete(options);
			giveUp(participation);
		});
	}

	return participation;
};

/** @returns The flight that the request leads, which nothing else will end now. */
export const closeParticipation = (options: GotOptions): Leader<StoredResponse> | undefined => {
	const participation = participations.get(options);
	participations.delete(options);
	if (participation) {
		endParticipation(participation);
	}

	return participation?.lead;
};

/** What the attempt before left to this one. */
export const takeCarried = ({hooks: {beforeRetry}}: GotOptions): Participation | undefined => {
	const position = beforeRetry.findIndex(hook => carried.has(hook));
	const [hook] = position === -1 ? [] : beforeRetry.splice(position, 1);

	return hook && carried.get(hook);
};

export const hasJoined = (options: GotOptions): boolean => participations.has(options);

/** @returns The flight that the request leads. */
export const leaderOf = (options: GotOptions): Leader<StoredResponse> | undefined => participations.get(options)?.lead;

/** To be called when a request is over, whether or not it has been boarded. */
export const markOver = (options: GotOptions): void => {
	over.add(options);
};

export const isOver = (options: GotOptions): boolean => over.has(options) || options.signal?.aborted === true;

/** To be called when a request is about to be retried: it goes on leading. */
export const carryOn = (options: GotOptions): void => {
	const participation = participations.get(options);
	participations.delete(options);
	if (!participation) {
		markOver(options);
		return;
	}

	participation.leave?.();
	if (participation.lead && !participation.lead.isOver) {
		const token: BeforeRetryHook = () => undefined;
		carried.set(token, participation);
		options.hooks.beforeRetry.push(token);
	} else {
		endParticipation(participation);
	}
};
