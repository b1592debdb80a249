import {ClientRequest, type IncomingMessage} from 'node:http';
import type {FailureReason} from '../../http/outcome.ts';
import {overrideEmit, type Emit} from '../patches/override-emit.ts';
import {leaveErrorsToEvents, wrapEndCallbacks} from '../patches/request-function.ts';
import {markRequestFailure, nativeFailureOf} from '../state/failure.ts';
import {isBeforeGot16} from '../state/got-version.ts';
import {watchForCut} from '../state/http2-stream.ts';
import type {NativeRequest} from './ask-again.ts';
import {isReplaceable, type Asking} from './asking.ts';
import {emitMessage, endUnanswered, isEndForGot, receiveResponse, type Interception} from './interception.ts';
import {isPassedOn, receive, staleMessage} from './receive.ts';

type UploadListener = (error?: Error) => void;

/**
Answers with a stale response in place of a failure.

@returns Whether one takes its place.
*/
const serveStale = (interception: Interception, uploadListeners: ReadonlySet<UploadListener>, failure: FailureReason | undefined): boolean => {
	if (interception.isOver) {
		return interception.isReplaced;
	}

	const message = staleMessage(interception.asking, failure);
	if (!message) {
		interception.hasFailed = true;
		return false;
	}

	interception.isOver = true;
	interception.isReplaced = true;
	// To Node and got, a request without a response has failed.
	interception.native.res = message;
	for (const listener of uploadListeners) {
		listener();
	}

	emitMessage(interception, message);

	return true;
};

/** Has `serveStaleInsteadOf` asked before got is told that an upload has ended, and with which failure. */
const interceptUpload = ({asking: {options, state}, native}: Interception, uploadListeners: Set<UploadListener>, serveStaleInsteadOf: (error: Error) => boolean): void => {
	if (options.isStream || isReplaceable(state)) {
		wrapEndCallbacks(native, callback => {
			const listener: UploadListener = error => {
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
		});
	} else if (isBeforeGot16(options) && native instanceof ClientRequest) {
		// A request of the user's may have no events.
		leaveErrorsToEvents(native, options);
	}
};

/** Notices when got gives the request up, and tells got of an end that Node says nothing of. */
const interceptDestroy = (interception: Interception): void => {
	const {asking: {options, state}, native} = interception;
	const destroy = native.destroy.bind(native);
	native.destroy = error => {
		const isUnanswered = isEndForGot(interception, error);
		// Got does so without an error when it is done with a request, or has failed for another reason. A request over HTTP/2 does so itself when its response is over.
		if (isUnanswered || (error === undefined && !options.isStream && native instanceof ClientRequest)) {
			state.isGivenUp = true;
		}

		destroy(error);
		if (isUnanswered) {
			endUnanswered(interception, error);
		}

		return native;
	};
};

/** Whether got is given the origin's answer or failure, whatever it is. The requests of earlier versions fail in ways that the cache has to see. */
const isOnlyWatched = (asking: Asking, native: NativeRequest): boolean =>
	native instanceof ClientRequest && !isBeforeGot16(asking.options) && isPassedOn(asking);

/** Notes what becomes of a native request whose answer got is given in any case. */
const watchRequest = (asking: Asking, native: NativeRequest): void => {
	let isAnswered = false;
	overrideEmit(native, emit => (event, ...arguments_) => {
		if (event === 'response' && !isAnswered) {
			isAnswered = true;
			receive(asking, arguments_[0] as IncomingMessage);
		} else if (event === 'error') {
			markRequestFailure(arguments_[0], asking.options);
		}

		return emit(event, ...arguments_);
	});
};

/**
Stands between the origin and got for one native request. Where a stored response is to answer in place of what the origin said, or in place of a failure to say anything, got is given that one, and treats it as any other.
*/
export const interceptRequest = (asking: Asking, native: NativeRequest): void => {
	if (isOnlyWatched(asking, native)) {
		watchRequest(asking, native);
		return;
	}

	const emit = native.emit.bind(native) as Emit;
	const interception: Interception = {
		asking,
		native,
		emit,
		closed: Promise.withResolvers(),
		isClosed: false,
		isOver: false,
		isReplaced: false,
		isReplying: false,
		mayAskAgain: false,
		hasFailed: false,
	};
	const uploadListeners = new Set<UploadListener>();
	const serveStaleInsteadOf = (error: Error): boolean => {
		markRequestFailure(error, asking.options);
		return serveStale(interception, uploadListeners, nativeFailureOf(error));
	};

	watchForCut(native, () => {
		asking.state.isCutShort = true;
	});
	interceptDestroy(interception);
	interceptUpload(interception, uploadListeners, serveStaleInsteadOf);
	overrideEmit(native, () => (event, ...arguments_) => {
		if (event === 'response' && !interception.isOver) {
			interception.isOver = true;
			return receiveResponse(interception, arguments_[0] as IncomingMessage);
		}

		if (event === 'error' && serveStaleInsteadOf(arguments_[0] as Error)) {
			return true;
		}

		if (event === 'close') {
			interception.isClosed = true;
			interception.closed.resolve('closed');
			if (interception.mayAskAgain) {
				// Another request may tell when it is over.
				return true;
			}

			// Without a response or an error, got takes it for a connection that was reset.
			if (!interception.hasFailed) {
				serveStale(interception, uploadListeners, 'network-error');
			}
		}

		return emit(event, ...arguments_);
	});
};
