import {Buffer} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import {applyOutcomeOf, completedBy} from '../../cache/apply-outcome.ts';
import {construct} from '../../http/construct.ts';
import type {Outcome} from '../../http/outcome.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import {resolveAfterFailure} from '../coalescing/resolve-flight.ts';
import {hideCookies, showCookies} from '../state/hidden-cookies.ts';
import {bareMessage, isContentEncoded} from '../state/incoming-message.ts';
import type {Asking} from './asking.ts';
import {collectBody} from './collect-body.ts';

/*
RFC 9111 §3.4: the cache has asked for the rest of a stored response. Got is given the whole as soon as the head of the rest is there: its timers hold for the body that is on its way, and a rest that breaks off is a body that breaks off.
*/

type CombineOutcome = Extract<Outcome, {kind: 'combine'}>;

const doNothing = () => undefined;

/** Reads the rest of a stored response. Resolves to `undefined` if it breaks off. */
export const readRest = async ({state}: Asking, rest: IncomingMessage): Promise<Uint8Array | undefined> => {
	const {promise, resolve} = Promise.withResolvers<Uint8Array | 'incomplete' | 'too-large'>();
	rest.on('error', doNothing);
	collectBody(rest, {maxBytes: Infinity, expectedBytes: Number(rest.headers['content-length'])}, resolve);
	const body = await promise;
	const isWhole = typeof body !== 'string' && (rest as Partial<IncomingMessage>).complete !== false && !state.isCutShort;

	return isWhole ? Buffer.from(body) : undefined;
};

/** Gives `message` its body once the rest is there. */
const complete = async (asking: Asking, outcome: CombineOutcome, rest: IncomingMessage, message: IncomingMessage): Promise<void> => {
	const {context, options, state} = asking;
	const body = await readRest(asking, rest);
	const settlement = body && await applyOutcomeOf(context, state.exchange, outcome, body);
	if (!settlement?.answer) {
		message.destroy();
		return;
	}

	state.settlement = settlement;
	resolveAfterFailure(context, options, state);
	const {body: whole} = construct(state.exchange.request, settlement.answer, context.now());
	message.complete = true;
	message.push(new Uint8Array(whole));
	message.push(null);
};

const completeOrFail = async (message: IncomingMessage, completing: Promise<void>): Promise<void> => {
	try {
		await completing;
	} catch (error) {
		message.destroy(error as Error);
	}
};

/**
Completes a stored response with the rest that the cache has asked for.

@returns The whole, whose body follows; `undefined` if the rest is of no use. A rest without a length has to be read first: it may turn out to have another one than its head says.
*/
export const completedMessage = (asking: Asking, outcome: CombineOutcome, rest: IncomingMessage): IncomingMessage | undefined => {
	const {context, options, state} = asking;
	const {range: {firstByte, lastByte}} = outcome;
	const restBytes = lastByte - firstByte + 1;
	// The bytes of an encoded part are not those of the decoded response.
	const isUsable = Number(rest.headers['content-length']) === restBytes && !(options.decompress && isContentEncoded(rest));
	const expected = isUsable ? completedBy(state.exchange, outcome, Buffer.alloc(restBytes)).answer : undefined;
	if (!expected) {
		return undefined;
	}

	state.answeredMonoMs = ownTimers.now();
	const head = construct(state.exchange.request, expected, context.now());
	const message = Object.assign(bareMessage(head), {complete: false, fromCache: true});
	state.hiddenCookies = hideCookies(message);
	showCookies(message, rest.headers['set-cookie']);
	void completeOrFail(message, complete(asking, outcome, rest, message));

	return message;
};
