import {ClientRequest, type IncomingMessage} from 'node:http';
import {setImmediate} from 'node:timers';
import type {Request} from 'got';
import type {Emit} from '../patches/override-emit.ts';
import {markRequestFailure} from '../state/failure.ts';
import {isRefused, watchForCut} from '../state/http2-stream.ts';

/** What Node keeps on its request once a response has come, and got asks for. */
export type NativeRequest = ClientRequest & {res?: IncomingMessage | undefined};

/** Beyond, Node's timers fire at once. */
const longestTimerMs = 2_147_483_647;

/**
Asks once more, as the caller asked, in the place of a request whose response is of no use.

@param native - The request that got knows. One of HTTP/2 must have closed: when it does, it destroys itself, and that would end the next one.
@param emit - Calls the listeners of that request.
@param onCut - As of `watchForCut()`.
*/
export const askAgain = async (stream: Request, native: NativeRequest, emit: Emit, onCut: () => void): Promise<void> => {
	const {options} = stream;
	const {timeout: {socket: socketTimeoutMs = Infinity}, body} = options;
	let again: NativeRequest | undefined;
	let isGivenUp = false;

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
		} else if (!isGivenUp) {
			isGivenUp = true;
			emitEnd(error);
		}

		return native;
	};

	const listenTo = (request: NativeRequest, mayBeRefused: boolean) => {
		request.on('response', (response: IncomingMessage) => {
			if (!(native instanceof ClientRequest)) {
				// Got asks it for its address, and that of an HTTP/2 session that is over throws.
				Object.assign(native, {socket: request.socket});
			}

			emit('response', response);
		});

		const onEnd = (error?: Error) => {
			if (again !== request) {
				return;
			}

			if (mayBeRefused && isRefused(request) && !stream.destroyed) {
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
			emit('timeout');
		});
	};

	const ask = async (mayBeRefused: boolean): Promise<void> => {
		if (isGivenUp || stream.destroyed) {
			return;
		}

		const make = options.getRequestFunction() as (url: URL, options: unknown) => NativeRequest | Promise<NativeRequest>;
		let request;
		try {
			// Got has made a header field of the credentials in the URL, unless the user took it away.
			request = await make(options.url as URL, {...options.createNativeRequestOptions(), auth: undefined});
		} catch (error) {
			if (!isGivenUp) {
				isGivenUp = true;
				markRequestFailure(error);
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

		if (isGivenUp || stream.destroyed) {
			request.destroy();
		} else {
			request.end(body);
		}
	};

	await ask(true);
};
