import type {IncomingMessage} from 'node:http';
import type {Exchange} from '../../cache/exchange.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {joinFlight} from '../coalescing/join-flight.ts';
import {withdrawIfChanged} from '../coalescing/withdraw.ts';
import {
	isClientRequest,
	isResponse,
	replaceRequestFunction,
	type NativeOptions,
	type RequestResult,
} from '../patches/request-function.ts';
import {markRequestFailure, nativeFailureOf} from '../state/failure.ts';
import type {ExchangeGate} from '../state/origin-gate.ts';
import {noteAsked, type Asking} from './asking.ts';
import {interceptRequest} from './intercept-request.ts';
import {passGate, tellGate} from './pass-gate.ts';
import {isPassedOn, receive, staleMessage, storedMessage} from './receive.ts';

/** The header fields that are sent: with the validators of what is stored, which no hook, retry or redirect sees. */
const withValidators = ({decision}: Exchange, headers: NativeOptions['headers']): NativeOptions['headers'] =>
	'headers' in decision && decision.headers ? {...headers, ...decision.headers} : headers;

/** Asks once more in the place of a response that a user's request function has returned. */
type AskAgain = () => Promise<Awaited<RequestResult>>;

/** Stands between got and a response that a user's request function has returned in place of a request. */
const interceptResponse = async (asking: Asking, response: IncomingMessage, askAgain: AskAgain): Promise<Awaited<RequestResult>> => {
	const received = receive(asking, response);
	const reply = 'reply' in received ? await received.reply : received;
	if (reply.kind === 'stored') {
		return reply.message;
	}

	return reply.kind === 'ask-again' ? askAgain() : response;
};

/**
Has the cache stand behind the next request of got's: it waits for an equal request, asks about what is stored, and is answered with what is stored where that takes the place of the origin's response.

To be called when a request has been looked up, and the origin is to be asked.
*/
export const askOrigin = (asking: Asking): void => {
	const {context, options, state} = asking;
	const wait = joinFlight(context, options, state);
	// Got's own cache calls the request function with options of its own.
	if (options.cache !== undefined) {
		return;
	}

	const serveStaleInsteadOf = (error: unknown): IncomingMessage => {
		markRequestFailure(error, options);
		const message = staleMessage(asking, nativeFailureOf(error as Error));
		if (!message) {
			throw error;
		}

		return message;
	};

	replaceRequestFunction(options, (native, make): RequestResult => {
		const {headers} = native;
		const askAgain = async () => {
			if (context.gates.gate) {
				await passGate(asking, context.gates.gate, false);
			}

			native.headers = headers;
			noteAsked(asking);
			return intercept(await make());
		};

		const intercept = (result: Awaited<RequestResult>): RequestResult => {
			if (isClientRequest(result)) {
				interceptRequest(asking, result);
				return result;
			}

			return isResponse(result) ? interceptResponse(asking, result, askAgain) : result;
		};

		const interceptLater = async (making: Promise<Awaited<RequestResult>>): Promise<Awaited<RequestResult>> => {
			let result;
			try {
				result = await making;
			} catch (error) {
				return serveStaleInsteadOf(error);
			}

			return intercept(result);
		};

		const send = (): RequestResult => {
			noteAsked(asking);
			native.headers = withValidators(state.exchange, headers);
			try {
				const result = make();
				// Got does not wait for what is no promise.
				return result instanceof Promise ? interceptLater(result) : intercept(result);
			} catch (error) {
				return serveStaleInsteadOf(error);
			}
		};

		const sendThrough = async (gate: ExchangeGate): Promise<Awaited<RequestResult>> => {
			const stored = await passGate(asking, gate);
			return stored ? storedMessage(asking, stored) : send();
		};

		const sendIfAllowed = (): RequestResult => context.gates.gate ? sendThrough(context.gates.gate) : send();

		const sendAfter = async (waiting: Promise<StoredResponse | undefined>): Promise<Awaited<RequestResult>> => {
			const stored = await waiting;
			return stored ? storedMessage(asking, stored) : sendIfAllowed();
		};

		// A request that was changed after its look-up waits for nobody.
		const isChanged = withdrawIfChanged(asking, native.headers);

		return wait === undefined || isChanged ? sendIfAllowed() : sendAfter(wait());
	}, () => wait !== undefined || context.gates.gate !== undefined || !isPassedOn(asking));
};

/**
Has the next request of got's pass the gate before the origin, and nothing else: the cache cannot answer a stream that another handler has put something around.
*/
export const gateRequest = (asking: Asking): void => {
	replaceRequestFunction(asking.options, (_native, make): RequestResult => {
		const {gate} = asking.context.gates;
		if (!gate) {
			return make();
		}

		const send = async () => {
			await passGate(asking, gate, false);
			noteAsked(asking);
			const result = await make();
			if (isClientRequest(result)) {
				result.once('response', response => {
					tellGate(asking, response);
				});
			}

			return result;
		};

		return send();
	}, () => asking.context.gates.gate !== undefined);
};
