import {ClientRequest, type IncomingMessage} from 'node:http';
import process from 'node:process';
import type {StaleReason} from '../../http/outcome.ts';
import {overrideEmit, type Emit} from '../patches/override-emit.ts';
import {leaveErrorsToEvents, wrapEndCallbacks} from '../patches/request-function.ts';
import {markRequestFailure, nativeFailureOf} from '../state/failure.ts';
import {isGot15} from '../state/got-15.ts';
import {watchForCut} from '../state/http2-stream.ts';
import {askAgain, type NativeRequest} from './ask-again.ts';
import {isReplaceable, type Asking} from './asking.ts';
import {discard, receive, staleMessage, type LaterReply, type Reply} from './receive.ts';

/** Got asks the socket for its address, and that of an HTTP/2 session that is over throws. */
const forgetLostSocket = (native: NativeRequest): void => {
	try {
		Reflect.get(native.socket ?? {}, 'remoteAddress');
	} catch {
		Object.assign(native, {socket: undefined});
	}
};

/** Has `intercept` called in the place of `destroy()`. */
const overrideDestroy = (native: NativeRequest, intercept: (error: Error | undefined, destroy: () => void) => void): void => {
	const destroy = native.destroy.bind(native);
	native.destroy = error => {
		intercept(error, () => {
			destroy(error);
		});

		return native;
	};
};

/**
Stands between the origin and got for one native request. Where a stored response is to answer in place of what the origin said, or in place of a failure to say anything, got is given that one, and treats it as any other.
*/
export const interceptRequest = (asking: Asking, request: ClientRequest): void => {
	const {options, state} = asking;
	const native: NativeRequest = request;
	const emit = native.emit.bind(native) as Emit;
	const uploadListeners = new Set<(error?: Error) => void>();
	let isOver = false;
	let isReplaced = false;
	let hasFailed = false;
	let mayAskAgain = false;
	let isReplying = false;
	const closed = Promise.withResolvers<'closed'>();
	let isClosed = false;
	const onCut = () => {
		state.isCutShort = true;
	};

	const emitMessage = (message: IncomingMessage) => {
		forgetLostSocket(native);
		emit('response', message);
		if (message.destroyed && !message.complete) {
			// Nobody was there to listen.
			message.emit('aborted');
		}
	};

	/** To got, a request that has its response has not failed. */
	const endUnanswered = (error: Error | undefined) => {
		native.res = undefined;
		if (error) {
			emit('error', error);
		} else {
			emit('close');
		}
	};

	/** Whether the end of the request is for got to know: Node says nothing of it where the response has come, which got does not see. */
	const isEnd = (error: Error | undefined): boolean => {
		if (!isReplying || state.isGivenUp) {
			return false;
		}

		// A request over HTTP/2 destroys itself when its response is over. Where there is an answer to come, it is not too late.
		return native instanceof ClientRequest ? mayAskAgain || error === undefined : mayAskAgain && error?.name === 'TimeoutError';
	};

	const giveAgain = async (response: IncomingMessage) => {
		if (response.httpVersionMajor === 2) {
			await closed.promise;
		}

		await askAgain(asking, {native, emit, onCut, onResponse(again) {
			receiveResponse(again);
		}});
	};

	const give = (reply: Reply, response: IncomingMessage) => {
		isReplying = false;
		switch (reply.kind) {
			case 'pass': {
				emitMessage(response);
				break;
			}

			case 'stored': {
				if (!asking.isGivenUp()) {
					emitMessage(reply.message);
				}

				break;
			}

			case 'ask-again':
			case 'none': {
				break;
			}
		}

		const isCloseHeld = mayAskAgain && isClosed;
		mayAskAgain = false;
		if (isCloseHeld) {
			emit('close');
		}
	};

	const fail = (error: Error) => {
		if (options.isStream) {
			asking.fail(error);
		} else {
			emit('error', error);
		}
	};

	const giveLater = async ({reply}: LaterReply, response: IncomingMessage): Promise<void> => {
		try {
			const given = await reply;
			if (given.kind === 'ask-again') {
				await giveAgain(response);
				return;
			}

			// Got counts on what Node is going to do next tick to be done before anything that is awaited.
			process.nextTick(() => {
				give(given, response);
			});
		} catch (error) {
			fail(error as Error);
		}
	};

	const receiveResponse = (response: IncomingMessage): boolean => {
		let reply: Reply | LaterReply;
		try {
			reply = receive(asking, response);
		} catch (error) {
			// A function of the user's threw. A promise's response is settled when its body has come, and fails then.
			if (!options.isStream) {
				return emit('response', response);
			}

			discard(response);
			fail(error as Error);
			return true;
		}

		if (!('reply' in reply)) {
			return emit('response', response);
		}

		({isReplaced, mayAskAgain} = reply);
		isReplying = isReplaced;
		void giveLater(reply, response);

		return true;
	};

	/** @returns Whether a stale response takes the place of the failure. */
	const serveStale = (failure: StaleReason | undefined): boolean => {
		if (isOver) {
			return isReplaced;
		}

		const message = staleMessage(asking, failure);
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

		emitMessage(message);

		return true;
	};

	const serveStaleInsteadOf = (error: Error): boolean => {
		markRequestFailure(error, options);
		return serveStale(nativeFailureOf(error));
	};

	/** The end of an upload is reported to got, too, and with which failure. */
	const onUploadEnd = (callback: (error?: Error) => void) => {
		const listener = (error?: Error) => {
			if (!uploadListeners.delete(listener)) {
				return;
			}

			const isFailed = error !== undefined && error !== null && !serveStaleInsteadOf(error);
			if (options.isStream) {
				callback(isFailed ? error : undefined);
			} else if (!isFailed) {
				callback();
			}
		};

		uploadListeners.add(listener);

		return listener;
	};

	watchForCut(native, onCut);
	overrideDestroy(native, (error, destroy) => {
		const isUnanswered = isEnd(error);
		// Got does so without an error when it is done with a request, or has failed for another reason. A request over HTTP/2 does so itself when its response is over.
		if (isUnanswered || (error === undefined && !options.isStream && native instanceof ClientRequest)) {
			state.isGivenUp = true;
		}

		destroy();
		if (isUnanswered) {
			endUnanswered(error);
		}
	});

	if (options.isStream || isReplaceable(state)) {
		wrapEndCallbacks(native, onUploadEnd);
	} else if (isGot15(options) && native instanceof ClientRequest) {
		// A request of the user's may have no events.
		leaveErrorsToEvents(native, options);
	}

	overrideEmit(native, () => (event, ...arguments_) => {
		if (event === 'response' && !isOver) {
			isOver = true;
			return receiveResponse(arguments_[0] as IncomingMessage);
		}

		if (event === 'error' && serveStaleInsteadOf(arguments_[0] as Error)) {
			return true;
		}

		if (event === 'close') {
			isClosed = true;
			closed.resolve('closed');
			if (mayAskAgain) {
				// Another request may tell when it is over.
				return true;
			}

			// Without a response or an error, got takes it for a connection that was reset.
			if (!hasFailed) {
				serveStale('network-error');
			}
		}

		return emit(event, ...arguments_);
	});
};
