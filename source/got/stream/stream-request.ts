import type {ClientRequest, IncomingMessage} from 'node:http';
import process from 'node:process';
import type {Request} from 'got';
import {invalidate} from '../../cache/invalidating.ts';
import {askedAgain, lookUp} from '../../cache/look-up.ts';
import {
	applyOutcomeOf,
	decideOutcome,
	staleInstead,
	supersedesUnseen,
	withStored,
} from '../../cache/settlement.ts';
import {construct} from '../../http/construct.ts';
import {isSafe} from '../../http/invalidation.ts';
import type {Invalidation, Outcome, StaleReason} from '../../http/outcome.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {resolveAfterFailure, abortFlight} from '../coalescing/landing.ts';
import {leaveAlone} from '../coalescing/sent.ts';
import {wrapEndCallbacks} from '../patches/next-request.ts';
import {overrideEmit, type Emit} from '../patches/override-emit.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/exchanges.ts';
import {failureOf, markRequestFailure} from '../state/failure.ts';
import {watchForCut} from '../state/http2-stream.ts';
import {hideCookies, showCookies, toIncomingMessage} from '../state/message.ts';
import {isUnchanged} from '../state/request.ts';
import {responseHead} from '../state/response-head.ts';
import {askAgain, type NativeRequest} from './stream-again.ts';

type Replacement = Extract<Outcome, {kind: 'freshen' | 'reuse-stale' | 'refetch'}>;

const noBody = new Uint8Array();

// More is not worth a connection that could be used again.
const maxDiscardedBytes = 64 * 1024;

const doNothing = () => undefined;

/** Lets a body flow away that nobody is to see. */
const discard = (response: IncomingMessage) => {
	let size = 0;
	response.on('error', doNothing);
	response.on('data', (chunk: Uint8Array) => {
		size += chunk.byteLength;
		if (size > maxDiscardedBytes) {
			response.destroy();
		}
	});
};

/** Got asks the socket for its address, and that of an HTTP/2 session that is over throws. */
const forgetLostSocket = (native: NativeRequest): void => {
	try {
		Reflect.get(native.socket ?? {}, 'remoteAddress');
	} catch {
		Object.assign(native, {socket: undefined});
	}
};

const isHttp2 = ({httpVersionMajor}: IncomingMessage): boolean => httpVersionMajor === 2;

/** What a response leads to, unless it can have a bearing on nothing that is stored. */
const earlyOutcome = (context: GotContext, {exchange}: GotExchange, response: IncomingMessage): Outcome | undefined => {
	const {decision, request} = exchange;
	return decision.kind === 'fetch' && decision.stored === undefined && isSafe(request.method) ? undefined : decideOutcome(context, exchange, responseHead(response as Required<IncomingMessage>));
};

const isReplacement = (outcome: Outcome | undefined): outcome is Replacement => outcome?.kind === 'freshen' || outcome?.kind === 'reuse-stale' || outcome?.kind === 'refetch';

/** A stored response as if it had just come over the network. */
const messageFrom = (context: GotContext, state: GotExchange, stored: StoredResponse, replaced?: IncomingMessage): IncomingMessage => {
	const constructed = construct(state.exchange.request, stored, context.now());
	// All at once: Node ends what it takes for the response when the connection closes.
	const message = toIncomingMessage({...constructed, body: new Uint8Array(constructed.body)}, false);
	state.hiddenCookies = hideCookies(message);
	// For the cookie jar: what the origin says now, not what it once said.
	showCookies(message, replaced?.headers['set-cookie']);

	return message;
};

/** The stale response that takes the place of a failure. */
const staleMessage = (context: GotContext, stream: Request, state: GotExchange, failure: StaleReason | undefined): IncomingMessage | undefined => {
	const outcome = failure && !stream.destroyed ? staleInstead(context, state.exchange, failure) : undefined;
	if (!outcome) {
		return undefined;
	}

	state.settlement = {outcome, answer: outcome.answer};
	resolveAfterFailure(context, stream.options, state);

	return messageFrom(context, state, outcome.answer);
};

/**
Stands between the origin and got where a stream has no request yet, as its connection could not be made.

@param error - Marked as the failure of a request.
@returns The response that got is given in its place, if any.
*/
export const staleInsteadOfRequest = (context: GotContext, stream: Request, state: GotExchange, error: unknown): IncomingMessage | undefined =>
	staleMessage(context, stream, state, failureOf(error as Error, state.exchange.settings.http));

const invalidationOf = (outcome: Outcome | undefined) => outcome?.kind === 'pass' || outcome?.kind === 'store' ? outcome.invalidation : undefined;

/**
Stands between the origin and got for one request of a stream. Where a stored response is to answer in place of what the origin said, or in place of a failure to say anything, got is given that one, and does with it as with any other.
*/
export const interceptRequest = (context: GotContext, stream: Request, state: GotExchange, request: ClientRequest): void => {
	const native: NativeRequest = request;
	const emit = native.emit.bind(native) as Emit;
	const uploadListeners = new Set<(error?: Error) => void>();
	let isOver = false;
	let isReplaced = false;
	let hasFailed = false;
	let isAskedAgain = false;
	const onCut = () => {
		state.isCutShort = true;
	};

	const {promise: closed, resolve: close} = Promise.withResolvers<void>();

	const emitStored = (message: IncomingMessage) => {
		forgetLostSocket(native);
		emit('response', message);
	};

	/** Where Node tells of a response: got counts on what it is going to do next tick to be done before anything that is awaited. */
	const emitResponse = (message: IncomingMessage) => {
		process.nextTick(() => {
			emitStored(message);
		});
	};

	const replace = async (outcome: Replacement, response: IncomingMessage): Promise<void> => {
		const settlement = await applyOutcomeOf(context, state.exchange, outcome, noBody);
		if (stream.destroyed) {
			return;
		}

		if (settlement.answer) {
			state.settlement = settlement;
			resolveAfterFailure(context, stream.options, state);
			emitResponse(messageFrom(context, state, settlement.answer, response));
			return;
		}

		state.exchange = askedAgain(await lookUp(context, state.exchange));
		const {decision} = state.exchange;
		if (decision.kind === 'reuse') {
			// Another request has stored it by now.
			resolveAfterFailure(context, stream.options, state);
			emitResponse(messageFrom(context, state, decision.stored, response));
			return;
		}

		if (isHttp2(response)) {
			await closed;
		}

		if (state.lookedUp && !isUnchanged(state.lookedUp, stream.options)) {
			leaveAlone(context, stream.options, state);
		}

		if (!stream.destroyed) {
			await askAgain(stream, native, emit, onCut);
		}
	};

	const passAfter = async (preparing: Promise<void>, response: IncomingMessage): Promise<void> => {
		await preparing;
		process.nextTick(() => {
			forgetLostSocket(native);
			emit('response', response);
			if (response.destroyed && !response.complete) {
				// Nobody was there to listen.
				response.emit('aborted');
			}
		});
	};

	/** The next request of this process must not be given what this one changed. */
	const prepare = async (invalidation: Invalidation | undefined, isUnseen: boolean): Promise<void> => {
		if (invalidation) {
			await invalidate(context, state.exchange, invalidation);
		}

		if (isUnseen) {
			// Removed when the body has come.
			state.exchange = await withStored(context, state.exchange);
		}
	};

	const fail = (error: Error) => {
		abortFlight(stream.options, error);
		stream.destroy(error);
	};

	const orFail = async (task: Promise<void>): Promise<void> => {
		try {
			await task;
		} catch (error) {
			fail(error as Error);
		}
	};

	const receive = (response: IncomingMessage): boolean => {
		state.forwardStatus = response.statusCode;
		const receivedMonoMs = ownTimers.now();
		let outcome;
		let isUnseen;
		try {
			outcome = earlyOutcome(context, state, response);
			isUnseen = supersedesUnseen(context, state.exchange, responseHead(response as Required<IncomingMessage>));
		} catch (error) {
			// A function of the user's threw.
			discard(response);
			fail(error as Error);
			return true;
		}

		if (isReplacement(outcome)) {
			isReplaced = true;
			state.answeredMonoMs = receivedMonoMs;
			isAskedAgain = outcome.kind === 'refetch';
			if (isAskedAgain && isHttp2(response)) {
				// Its request is to close, and costs no connection.
				response.on('error', doNothing).destroy();
			} else {
				discard(response);
			}

			void orFail(replace(outcome, response));
			return true;
		}

		const invalidation = invalidationOf(outcome);
		if (invalidation ?? isUnseen) {
			void orFail(passAfter(prepare(invalidation, isUnseen), response));
			return true;
		}

		return emit('response', response);
	};

	/** @returns Whether a stale response takes the place of the failure. */
	const standIn = (failure: StaleReason | undefined): boolean => {
		if (isOver) {
			return isReplaced;
		}

		const message = staleMessage(context, stream, state, failure);
		if (!message) {
			hasFailed = true;
			return false;
		}

		isOver = true;
		isReplaced = true;
		// To Node and got, a request without a response has failed.
		native.res = message;
		for (const listener of uploadListeners) {
			listener();
		}

		emitStored(message);

		return true;
	};

	const standInFor = (error: Error): boolean => {
		markRequestFailure(error);
		return standIn(failureOf(error, state.exchange.settings.http));
	};

	/** The end of the upload is told to got, too, and by what failure. */
	const onUploadEnd = (callback: (error?: Error) => void) => {
		const listener = (error?: Error) => {
			if (uploadListeners.delete(listener)) {
				callback(error && standInFor(error) ? undefined : error);
			}
		};

		uploadListeners.add(listener);

		return listener;
	};

	watchForCut(native, onCut);
	wrapEndCallbacks(native, onUploadEnd);

	overrideEmit(native, () => (event, ...arguments_) => {
		if (event === 'response' && !isOver) {
			isOver = true;
			return receive(arguments_[0] as IncomingMessage);
		}

		if (event === 'close') {
			close();
		}

		// What becomes of the connection does not matter to a stored response, and what of a request that another one takes the place of, to nobody.
		if ((event === 'error' && standInFor(arguments_[0] as Error)) || (event === 'close' && isAskedAgain)) {
			return true;
		}

		// Without a response or an error, got takes it for a connection that was reset.
		if (event === 'close' && !hasFailed) {
			standIn('network-error');
		}

		return emit(event, ...arguments_);
	});
};
