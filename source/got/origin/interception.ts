import {ClientRequest, type IncomingMessage} from 'node:http';
import process from 'node:process';
import type {Emit} from '../patches/override-emit.ts';
import {askAgain, type NativeRequest} from './ask-again.ts';
import type {Asking} from './asking.ts';
import {discard, receive, type LaterReply, type Reply} from './receive.ts';

/** One native request that the cache stands behind, and what has become of it. */
export type Interception = {
	readonly asking: Asking;
	readonly native: NativeRequest;
	/** Calls the listeners of the request. */
	readonly emit: Emit;
	/** Resolves when the request has closed. */
	readonly closed: PromiseWithResolvers<'closed'>;
	isClosed: boolean;
	/** Whether the origin has answered, or a stale response has. */
	isOver: boolean;
	/** Whether a stored response takes the place of the origin's answer. */
	isReplaced: boolean;
	/** Whether the stored response that takes the place is still to come. */
	isReplying: boolean;
	/** Whether the origin may have to be asked again, so that the end of this request is none. */
	mayAskAgain: boolean;
	/** Whether the request has failed, and nothing stored takes the place of the failure. */
	hasFailed: boolean;
};

/** Got asks the socket for its address, and that of an HTTP/2 session that is over throws. */
const forgetLostSocket = (native: NativeRequest): void => {
	try {
		Reflect.get(native.socket ?? {}, 'remoteAddress');
	} catch {
		Object.assign(native, {socket: undefined});
	}
};

/** Gives got a response. */
export const emitMessage = ({native, emit}: Interception, message: IncomingMessage): void => {
	forgetLostSocket(native);
	emit('response', message);
	if (message.destroyed && !message.complete) {
		// The event came before anybody listened.
		message.emit('aborted');
	}
};

/** Tells got that a request which has a response will give none. To got, a request that has its response has not failed. */
export const endUnanswered = ({native, emit}: Interception, error: Error | undefined): void => {
	native.res = undefined;
	if (error) {
		emit('error', error);
	} else {
		emit('close');
	}
};

/** Whether got has to be told of the end of a request: Node says nothing of it where the response has come, which got does not see. */
export const isEndForGot = ({asking: {state}, native, isReplying, mayAskAgain}: Interception, error: Error | undefined): boolean => {
	if (!isReplying || state.isGivenUp) {
		return false;
	}

	// A request over HTTP/2 destroys itself when its response is over. Where there is an answer to come, it is not too late.
	return native instanceof ClientRequest ? mayAskAgain || error === undefined : mayAskAgain && error?.name === 'TimeoutError';
};

const fail = ({asking, emit}: Interception, error: Error): void => {
	if (asking.options.isStream) {
		asking.fail(error);
	} else {
		emit('error', error);
	}
};

const give = (interception: Interception, reply: Reply, response: IncomingMessage): void => {
	interception.isReplying = false;
	if (reply.kind === 'pass') {
		emitMessage(interception, response);
	} else if (reply.kind === 'stored' && !interception.asking.isGivenUp()) {
		emitMessage(interception, reply.message);
	}

	const isCloseHeld = interception.mayAskAgain && interception.isClosed;
	interception.mayAskAgain = false;
	if (isCloseHeld) {
		interception.emit('close');
	}
};

const giveAgain = async (interception: Interception, response: IncomingMessage): Promise<void> => {
	const {asking, native, emit, closed} = interception;
	if (response.httpVersionMajor === 2) {
		await closed.promise;
	}

	await askAgain(asking, {
		native,
		emit,
		onCut() {
			asking.state.isCutShort = true;
		},
		onResponse(again) {
			receiveResponse(interception, again);
		},
	});
};

const giveLater = async (interception: Interception, {reply}: LaterReply, response: IncomingMessage): Promise<void> => {
	try {
		const given = await reply;
		if (given.kind === 'ask-again') {
			await giveAgain(interception, response);
			return;
		}

		// Got counts on what Node is going to do next tick to be done before anything that is awaited.
		process.nextTick(() => {
			give(interception, given, response);
		});
	} catch (error) {
		fail(interception, error as Error);
	}
};

/** Gives got the origin's response, or what takes its place. */
export const receiveResponse = (interception: Interception, response: IncomingMessage): boolean => {
	const {asking, emit} = interception;
	let reply: Reply | LaterReply;
	try {
		reply = receive(asking, response);
	} catch (error) {
		// A function of the user's threw. A promise's response is settled when its body has come, and fails then.
		if (!asking.options.isStream) {
			return emit('response', response);
		}

		discard(response);
		fail(interception, error as Error);
		return true;
	}

	if (!('reply' in reply)) {
		return emit('response', response);
	}

	const {isReplaced, mayAskAgain} = reply;
	Object.assign(interception, {isReplaced, isReplying: isReplaced, mayAskAgain});
	void giveLater(interception, reply, response);

	return true;
};
