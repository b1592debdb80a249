import {ClientRequest, type IncomingMessage} from 'node:http';
import {setImmediate} from 'node:timers';
import type {Emit} from '../patches/override-emit.ts';
import {markRequestFailure} from '../state/failure.ts';
import {isRefused, watchForCut} from '../state/http2-stream.ts';
import {runInTrace} from '../state/report.ts';
import type {Asking} from './asking.ts';
import {passGate} from './pass-gate.ts';

/** A request of Node's, with its response once that has come. Got reads `res`. */
export type NativeRequest = ClientRequest & {res?: IncomingMessage | undefined};

/** Beyond, Node's timers fire at once. */
const longestTimerMs = 2_147_483_647;

type AskAgainOptions = {
	/** The request that got knows. One of HTTP/2 must have closed: when it does, it destroys itself, and that would end the next one. */
	readonly native: NativeRequest;
	/** Calls the listeners of that request. */
	readonly emit: Emit;
	/** Called if the body breaks off without got's noticing. */
	readonly onCut: () => void;
	readonly onResponse: (response: IncomingMessage) => void;
};

/**
Asks once more, as the caller asked, in the place of a request whose response is of no use.
*/
export const askAgain = async (asking: Asking, {native, emit, onCut, onResponse}: AskAgainOptions): Promise<void> => {
	const {options, state} = asking;
	const {timeout: {socket: socketTimeoutMs = Infinity}, body} = options;
	const destroy = native.destroy.bind(native);
	let again: NativeRequest | undefined;

	const emitEnd = (error?: Error) => {
		// Got takes it for old news where there is a response.
		native.res = again?.res;
		if (error) {
			emit('error', error);
		} else {
			emit('close');
		}
	};

	// A timeout, a cancellation and the caller's leaving reach the request that got knows.
	native.destroy = error => {
		if (again) {
			again.destroy(error);
		} else {
			destroy(error);
		}

		return native;
	};

	const listenTo = (request: NativeRequest, mayBeRefused: boolean) => {
		request.on('response', (response: IncomingMessage) => {
			if (!(native instanceof ClientRequest)) {
				// Got asks it for its address, and that of an HTTP/2 session that is over throws.
				Object.assign(native, {socket: request.socket});
			}

			onResponse(response);
		});

		const onEnd = (error?: Error) => {
			if (again !== request) {
				return;
			}

			if (mayBeRefused && isRefused(request) && !asking.isGivenUp()) {
				again = undefined;
				// The agent has taken notice by then that the session is over.
				setImmediate(() => {
					void ask(false);
				});
			} else {
				emitEnd(error);
			}
		};

		request.on('error', onEnd);
		request.on('close', () => {
			onEnd();
		});
		request.on('timeout', () => {
			// Got 15 listens to no timeout of HTTP/2, and counts on the request's ending itself.
			if (!emit('timeout') && socketTimeoutMs <= longestTimerMs) {
				request.destroy();
			}
		});
	};

	const ask = async (mayBeRefused: boolean): Promise<void> => {
		if (asking.isGivenUp()) {
			return;
		}

		const {gate} = asking.context.gates;
		// A request that the origin has refused to look at counts for nothing.
		if (gate && mayBeRefused) {
			try {
				await passGate(asking, gate, false);
			} catch (error) {
				state.isGivenUp = true;
				emitEnd(error as Error);
				return;
			}
		}

		const make = options.getRequestFunction() as (url: URL, options: unknown) => NativeRequest | Promise<NativeRequest>;
		let request;
		try {
			// Got has made a header field of the credentials in the URL, unless the user took it away.
			request = await runInTrace(options, () => make(options.url as URL, {...options.createNativeRequestOptions(), auth: undefined}));
		} catch (error) {
			if (!asking.isGivenUp()) {
				state.isGivenUp = true;
				markRequestFailure(error, options);
				emitEnd(error as Error);
			}

			return;
		}

		again = request;
		watchForCut(request, onCut);
		listenTo(request, mayBeRefused);
		if (socketTimeoutMs <= longestTimerMs) {
			request.setTimeout(socketTimeoutMs);
		}

		if (asking.isGivenUp()) {
			request.destroy();
		} else {
			request.end(body);
		}
	};

	await ask(true);
};
