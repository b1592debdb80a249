import {addAbortListener} from 'node:events';
import type {BeforeRetryHook} from 'got';
import type {Leader} from '../../coalescing/flights.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import type {GotOptions} from '../state/got-options.ts';
import {findState, stateOf, type GotExchange, type Participation} from '../state/request-state.ts';

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

const participationOf = Symbol('participation');

/** Got copies the hooks of a failed attempt to the next one: the one thing that leads from the one to the other. */
type Token = BeforeRetryHook & {readonly [participationOf]: Participation};

const isToken = (hook: BeforeRetryHook): hook is Token => Object.hasOwn(hook, participationOf);

/** Forgets the part that a request has in a flight. */
const takeParticipation = (options: GotOptions): Participation | undefined => {
	const state = findState(options);
	const participation = state?.participation;
	if (participation) {
		state.participation = undefined;
	}

	return participation;
};

export const endParticipation = (participation: Participation): void => {
	participation.isOver = true;
	participation.disposable?.[Symbol.dispose]();
	participation.leave?.();
};

const giveUp = (participation: Participation): void => {
	endParticipation(participation);
	participation.leader?.promoteNext();
};

export const openParticipation = (options: GotOptions, leader: Leader<StoredResponse> | undefined): Participation => {
	const participation: Participation = {leader, isOver: false, leave: undefined, disposable: undefined};
	stateOf(options).participation = participation;
	if (options.signal) {
		participation.disposable = addAbortListener(options.signal, () => {
			takeParticipation(options);
			giveUp(participation);
		});
	}

	return participation;
};

/** @returns The flight that the request leads, which nothing else will end now. */
export const closeParticipation = (options: GotOptions): Leader<StoredResponse> | undefined => {
	const participation = takeParticipation(options);
	if (participation) {
		endParticipation(participation);
	}

	return participation?.leader;
};

/** The participation that the attempt before left to this one. */
export const takeFromAttemptBefore = ({hooks: {beforeRetry}}: GotOptions): Participation | undefined => {
	const token = beforeRetry.find(hook => isToken(hook));
	if (token) {
		beforeRetry.splice(beforeRetry.indexOf(token), 1);
	}

	return token?.[participationOf];
};

export const hasJoined = (options: GotOptions): boolean => findState(options)?.participation !== undefined;

/** @returns The flight that the request leads. */
export const leaderOf = (options: GotOptions): Leader<StoredResponse> | undefined => findState(options)?.participation?.leader;

/** To be called when a request is over, whether or not it has been boarded. */
export const endJoining = (options: GotOptions): void => {
	stateOf(options).isOver = true;
};

export const isOver = (options: GotOptions): boolean => findState(options)?.isOver === true || options.signal?.aborted === true;

/** To be called when a request is about to be retried: it goes on leading. */
export const leadOnInRetry = (options: GotOptions): void => {
	const participation = takeParticipation(options);
	if (!participation) {
		endJoining(options);
		return;
	}

	participation.leave?.();
	if (participation.leader && !participation.leader.isOver) {
		const token: Token = Object.assign(() => undefined, {[participationOf]: participation});
		options.hooks.beforeRetry.push(token);
	} else {
		endParticipation(participation);
	}
};
