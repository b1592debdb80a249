import type {IncomingMessage} from 'node:http';
import {invalidate} from '../../cache/invalidating.ts';
import {askedAgain, lookUp} from '../../cache/look-up.ts';
import {applyOutcomeOf} from '../../cache/apply-outcome.ts';
import {decideOutcome, staleInstead, supersedesUnseen, withNamedVariant, withStored, type ExchangeResult} from '../../cache/decide-outcome.ts';
import {construct} from '../../http/construct.ts';
import {isSafe} from '../../http/invalidation.ts';
import type {ResponseHead} from '../../http/message.ts';
import type {Invalidation, Outcome, FailureReason} from '../../http/outcome.ts';
import {isBodilessStatus} from '../../http/status-codes.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import {inBackground} from '../../types/background.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {releaseAtHead} from '../coalescing/head-release.ts';
import {resolveAfterFailure} from '../coalescing/resolve-flight.ts';
import {withdraw} from '../coalescing/withdraw.ts';
import {yieldToEventLoop} from '../fast-path/yield-to-event-loop.ts';
import type {GotExchange} from '../state/request-state.ts';
import {hideCookies, showCookies} from '../state/hidden-cookies.ts';
import {isContentEncoded, toIncomingMessage} from '../state/incoming-message.ts';
import {plainHeaders} from '../state/got-version.ts';
import {isSentAsLookedUp} from '../state/request.ts';
import {responseHead} from '../state/response-head.ts';
import {isRetriedFirst, type Asking} from './asking.ts';
import {completedMessage, readRest} from './complete-part.ts';
import {tellGate} from './pass-gate.ts';

/** The answer that got is given for a response of the origin's. */
export type Reply =
	/** The response itself. */
	| {readonly kind: 'pass'}
	/** A stored response in its place. */
	| {readonly kind: 'stored'; readonly message: IncomingMessage}
	/** The response to another request, which has no validators. */
	| {readonly kind: 'ask-again'}
	/** Nothing: got has given the request up. */
	| {readonly kind: 'none'};

/** A reply that takes a while. */
export type LaterReply = {
	/** Whether got never sees the response. */
	readonly isReplaced: boolean;
	/** Whether the reply may be to ask again. */
	readonly mayAskAgain: boolean;
	readonly reply: Promise<Reply>;
};

type CombineOutcome = Extract<Outcome, {kind: 'combine'}>;

type Replacement = Extract<Outcome, {kind: 'freshen' | 'reuse-stale' | 'refetch'}>;

const noBody = new Uint8Array();

const passed: Reply = {kind: 'pass'};

const doNothing = () => undefined;

// A connection that could be used again is worth no more bytes, and no longer wait for them.
const maxDiscardedBytes = 64 * 1024;
const maxDiscardMs = 1000;

const isHttp2 = ({httpVersionMajor}: IncomingMessage): boolean => httpVersionMajor === 2;

/** Lets the body of a response flow away unseen. */
export const discard = (response: IncomingMessage, outcome?: Replacement): void => {
	response.on('error', doNothing);
	if (outcome?.kind === 'refetch' && isHttp2(response)) {
		// The next request waits until this one has closed, which costs no connection.
		response.destroy();
		return;
	}

	if (response.httpVersionMajor === 1 && isBodilessStatus(response.statusCode ?? 0)) {
		response.resume();
		return;
	}

	const timer = inBackground(setTimeout(() => {
		response.destroy();
	}, maxDiscardMs));
	let size = 0;
	response.on('data', (chunk: Uint8Array) => {
		size += chunk.byteLength;
		if (size > maxDiscardedBytes) {
			response.destroy();
		}
	});
	response.once('close', () => {
		clearTimeout(timer);
	});
};

/** A stored response as if it had just come over the network. */
export const storedMessage = ({context, options, state}: Asking, stored: StoredResponse, replaced?: IncomingMessage): IncomingMessage => {
	const constructed = construct(state.exchange.request, stored, context.now());
	// The chunks of a stream are the caller's to change; got itself copies the body of a promise.
	const body = options.isStream ? new Uint8Array(constructed.body) : constructed.body;
	// The whole body at once: Node ends the response of a request when its connection closes.
	const message = toIncomingMessage({...constructed, body}, false);
	state.hiddenCookies = hideCookies(message);
	// For the cookie jar: what the origin says now, not what it once said.
	showCookies(message, replaced?.headers['set-cookie']);

	return message;
};

/** The stale response that takes the place of a failure; `undefined` if none may. */
export const staleMessage = (asking: Asking, failure: FailureReason | undefined): IncomingMessage | undefined => {
	const {context, options, state} = asking;
	const outcome = failure && !asking.isGivenUp() && !isRetriedFirst(asking, 'error') ? staleInstead(context, state.exchange, failure) : undefined;
	if (!outcome) {
		return undefined;
	}

	state.settlement = {outcome, answer: outcome.answer};
	resolveAfterFailure(context, options, state);

	return storedMessage(asking, outcome.answer);
};

/** Answers with what has been applied, or has the origin asked again. */
const replyWith = async (asking: Asking, {answer, ...result}: ExchangeResult, response: IncomingMessage): Promise<Reply> => {
	const {context, options, state} = asking;
	if (asking.isGivenUp()) {
		return {kind: 'none'};
	}

	if (answer) {
		state.settlement = {...result, answer};
		resolveAfterFailure(context, options, state);
		return {kind: 'stored', message: storedMessage(asking, answer, response)};
	}

	state.exchange = askedAgain(await lookUp(context, state.exchange));
	const {decision} = state.exchange;
	if (decision.kind === 'reuse') {
		// Another request has stored it by now.
		resolveAfterFailure(context, options, state);
		return {kind: 'stored', message: storedMessage(asking, decision.stored, response)};
	}

	if (state.lookedUp && !isSentAsLookedUp(state.lookedUp, options, plainHeaders(options))) {
		withdraw(context, options, state);
	}

	return {kind: 'ask-again'};
};

const replace = async (asking: Asking, outcome: Replacement, response: IncomingMessage): Promise<Reply> => {
	asking.state.answeredMonoMs = ownTimers.now();
	discard(response, outcome);
	if (!asking.options.isStream) {
		// As in the hook `afterResponse`: what is done for many responses of a turn together costs a fraction.
		await yieldToEventLoop();
	}

	return replyWith(asking, await applyOutcomeOf(asking.context, asking.state.exchange, outcome, noBody), response);
};

/** Combines a stored response with a rest whose length is known when it has been read. A rest that is of no use has the origin asked for the whole. */
const combineWhenRead = async (asking: Asking, outcome: CombineOutcome & {readonly otherwise: Replacement}, response: IncomingMessage): Promise<Reply> => {
	const {context, state} = asking;
	state.answeredMonoMs = ownTimers.now();
	const body = await readRest(asking, response);

	return replyWith(asking, await applyOutcomeOf(context, state.exchange, body ? outcome : outcome.otherwise, body ?? noBody), response);
};

/** Prepares for a response that got is given: the next request of this process must not be answered with what this response has changed. */
const prepare = async ({context, state}: Asking, invalidation: Invalidation | undefined, isUnseen: boolean): Promise<Reply> => {
	if (invalidation) {
		await invalidate(context, state.exchange, invalidation);
	}

	if (isUnseen) {
		// It is removed when the body has come.
		state.exchange = await withStored(context, state.exchange);
	}

	return passed;
};

/** Whether a rest is sent in chunks, and as it was stored: the bytes of an encoded part are not those of the decoded response. */
const isOfUnknownLength = ({options}: Asking, response: IncomingMessage): boolean => response.headers['content-length'] === undefined && !(options.decompress && isContentEncoded(response));

const isReplacement = (outcome: Outcome): outcome is Replacement => ['freshen', 'reuse-stale', 'refetch'].includes(outcome.kind);

const invalidationOf = (outcome: Outcome) => outcome.kind === 'pass' || outcome.kind === 'store' ? outcome.invalidation : undefined;

const replyByHead = (asking: Asking, response: IncomingMessage, head: ResponseHead): Reply | LaterReply => {
	const {context, state} = asking;
	const outcome = decideOutcome(context, state.exchange, head);
	if (outcome.kind === 'reuse-stale' && isRetriedFirst(asking, 'status')) {
		return passed;
	}

	if (isReplacement(outcome)) {
		return {isReplaced: true, mayAskAgain: outcome.kind === 'refetch', reply: replace(asking, outcome, response)};
	}

	if (outcome.kind === 'combine') {
		const {otherwise} = outcome;
		if (!otherwise) {
			// The caller has asked for this part.
			return passed;
		}

		const message = completedMessage(asking, outcome, response);
		if (message) {
			return {isReplaced: false, mayAskAgain: false, reply: Promise.resolve({kind: 'stored', message})};
		}

		const isReadFirst = isOfUnknownLength(asking, response);

		return {isReplaced: true, mayAskAgain: true, reply: isReadFirst ? combineWhenRead(asking, {...outcome, otherwise}, response) : replace(asking, otherwise, response)};
	}

	if (!asking.options.isStream) {
		// The hook `afterResponse` purges what the response invalidates before the promise resolves: its head does not have to wait for that.
		state.isReceived = false;
		return passed;
	}

	const invalidation = invalidationOf(outcome);
	const isUnseen = supersedesUnseen(context, state.exchange, head);

	return invalidation ?? isUnseen ? {isReplaced: false, mayAskAgain: false, reply: prepare(asking, invalidation, isUnseen)} : passed;
};

/** RFC 9111 §4.3.4: the origin was asked about all variants, and a 304 names one. */
const replyByVariant = async (asking: Asking, response: IncomingMessage, head: ResponseHead): Promise<Reply> => {
	const {context, state} = asking;
	state.exchange = await withNamedVariant(context, state.exchange, head);
	const reply = replyByHead(asking, response, head);

	return 'reply' in reply ? reply.reply : reply;
};

/** Whether a response changes nothing that is stored before its body has come, and nothing stored takes its place. */
const isWithoutConsequence = ({exchange: {request, decision}}: GotExchange): boolean =>
	isSafe(request.method) && (decision.kind === 'bypass' || (decision.kind === 'fetch' && decision.reason !== 'reload' && decision.stored === undefined && decision.headers === undefined));

/** Whether got is given what the origin answers, whatever it is. A stream's body is copied on its way. */
export const isPassedOn = ({options, state}: Asking): boolean => !options.isStream && isWithoutConsequence(state);

/**
Decides by the head of a response what got is given.

@throws If a function of the user's does.
*/
export const receive = (asking: Asking, response: IncomingMessage): Reply | LaterReply => {
	const {state} = asking;
	const {decision} = state.exchange;
	state.forwardStatus = response.statusCode;
	state.isReceived = true;
	tellGate(asking, response);
	if (isWithoutConsequence(state)) {
		releaseAtHead(asking, response);
		return passed;
	}

	const head = responseHead(response as Required<IncomingMessage>);
	if (head.statusCode === 304 && decision.kind === 'fetch' && decision.headers) {
		return {isReplaced: true, mayAskAgain: true, reply: replyByVariant(asking, response, head)};
	}

	const reply = replyByHead(asking, response, head);
	if (!('reply' in reply && reply.isReplaced)) {
		releaseAtHead(asking, response);
	}

	return reply;
};
