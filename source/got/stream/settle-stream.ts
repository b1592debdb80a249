import type {IncomingMessage} from 'node:http';
import type {Options, Response} from 'got';
import {applyOutcomeOf, giveUp} from '../../cache/apply-outcome.ts';
import {isTooLarge, decideOutcome, withStored, type ExchangeResult} from '../../cache/decide-outcome.ts';
import type {PassReason} from '../../http/outcome.ts';
import {readContent, unreadContent} from '../../options/user-functions.ts';
import {closeParticipation} from '../coalescing/participation.ts';
import {resolveAfterFailure, resolveWith} from '../coalescing/resolve-flight.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/request-state.ts';
import {responseHead} from '../state/response-head.ts';

export type StreamResponse = Response & IncomingMessage;

const noBody = new Uint8Array();

/** The settlement of a response that is not stored. */
export const passed = (reason: PassReason): GotExchange['settlement'] => ({outcome: {kind: 'pass', reason, change: {kind: 'leave', reason}}});

/** A hop of a stream whose response has come. */
type Seen = {
	readonly context: GotContext;
	readonly options: Options;
	readonly state: GotExchange;
	/** Has the stream fail, after its body. */
	fail(error: Error): void;
};

type Body = Uint8Array | 'incomplete' | 'too-large';

/** The body of a response that somebody else reads. */
type BodyInReading = {
	/** Keeps a copy of it. */
	collect(done: (body: Body) => void): void;
	/** Calls `done` when it has been read to its end; not if it breaks off. */
	whenWhole(done: () => void): void;
};

const settle = async ({context, state}: Seen, settling: () => Promise<ExchangeResult>): Promise<void> => {
	const {promise, resolve} = Promise.withResolvers<void>();
	state.settling = promise;
	try {
		// The caller has been given what the origin said, whatever it was completed to.
		const {outcome, written, refusal} = await settling();
		state.settlement = {outcome, written, refusal};
	} catch (error) {
		context.reportError('The response of a stream was not stored', error);
	}

	resolve();
};

/** Waiting requests have their answer when the stream has all of its own: it may not be over before they have. */
const settleAndLand = async (seen: Seen, settling: () => Promise<ExchangeResult>): Promise<void> => {
	const leader = closeParticipation(seen.options);
	await settle(seen, settling);
	resolveWith(seen.context, seen.state, leader);
};

/** Settles an exchange with the response that a stream gives its caller. */
export const settleStream = (seen: Seen, response: StreamResponse, body: BodyInReading): void => {
	const {context, options, state} = seen;
	const {exchange} = state;
	state.forwardStatus ??= response.statusCode;
	const pass = (settlement: GotExchange['settlement']) => {
		state.settlement = settlement;
		resolveAfterFailure(context, options, state);
	};

	const content = unreadContent();
	const head = {...responseHead(response), content};
	const outcome = decideOutcome(context, exchange, head);
	if (outcome.kind === 'pass') {
		pass({outcome});
		const settlePassed = () => {
			void settle(seen, async () => applyOutcomeOf(context, exchange, outcome, noBody));
		};

		// A response that breaks off takes nothing away.
		if (outcome.change.kind === 'drop') {
			body.whenWhole(settlePassed);
		} else {
			settlePassed();
		}

		return;
	}

	if (outcome.kind !== 'store' && outcome.kind !== 'combine') {
		// It did not come from a request of Node's, so that it could not be replaced.
		pass(passed('status'));
		return;
	}

	const passTooLarge = () => {
		pass(passed('too-large'));
		if (outcome.kind !== 'store') {
			return;
		}

		const looking = withStored(context, exchange);
		body.whenWhole(() => {
			void settle(seen, async () => giveUp(context, await looking, outcome, 'too-large'));
		});
	};

	if (isTooLarge(exchange, head)) {
		passTooLarge();
		return;
	}

	/** A function of the user's may decide otherwise once it sees the body. */
	const settleWhole = (collected: Uint8Array) => {
		try {
			const whole = content.isMissed ? decideOutcome(context, exchange, {...head, content: readContent(collected)}) : outcome;
			void settleAndLand(seen, async () => applyOutcomeOf(context, exchange, whole, collected));
		} catch (error) {
			pass(passed('error'));
			seen.fail(error as Error);
		}
	};

	state.settlement = {outcome};
	body.collect(collected => {
		if (collected === 'too-large') {
			passTooLarge();
		} else if (collected === 'incomplete') {
			pass(passed(collected));
		} else {
			settleWhole(collected);
		}
	});
};
