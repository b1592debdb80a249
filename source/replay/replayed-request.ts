import {ClientRequest, type IncomingMessage} from 'node:http';
import {Duplex} from 'node:stream';
import {captureBody} from './capture-body.ts';
import type {NativeCall} from './native-request.ts';

/** A connection to nowhere: takes the request, and gives the bytes of a response that are pushed to it. */
class ReplayedSocket extends Duplex {
	override _read() {
		// Pushed when the request has been sent.
	}

	override _write(_chunk: unknown, _encoding: string, callback: () => void) {
		callback();
	}

	// Methods of `net.Socket` that Node.js and got call.

	setTimeout() {
		return this;
	}

	setNoDelay() {
		return this;
	}

	setKeepAlive() {
		return this;
	}

	ref() {
		return this;
	}

	unref() {
		return this;
	}

	destroySoon() {
		this.end();
	}
}

/** Answers a replayed request. */
export type Replay = {
	/** Gives the bytes of a whole response to Node's parser. */
	answer(bytes: Uint8Array): void;
	/** Gives the response of another request. */
	relay(response: IncomingMessage): void;
	fail(error: Error): void;
};

/**
Makes a request of Node's own that is sent nowhere. Timings, progress, limits and cancellation are Node's and got's.

@param onSent - Called with the body when the request is complete. It fails the request by throwing.
*/
export const createReplayedRequest = ({url, native, callback}: NativeCall, onSent: (body: Uint8Array, replay: Replay) => void): ClientRequest => {
	const socket = new ReplayedSocket();
	const {method, headers, maxHeaderSize, signal} = native;
	const request = new ClientRequest({
		method,
		headers: headers as Record<string, string>,
		setHost: native.setHost,
		maxHeaderSize,
		signal,
		// TLS would need a certificate.
		protocol: 'http:',
		hostname: url.hostname,
		port: url.port,
		path: `${url.pathname}${url.search}`,
		createConnection: () => socket,
	}, callback);
	const body = captureBody(request);
	const replay: Replay = {
		answer(bytes) {
			socket.push(bytes);
			socket.push(null);
		},
		relay(response) {
			Object.assign(request, {res: response});
			request.emit('response', response);
		},
		fail(error) {
			request.destroy(error);
		},
	};
	request.once('finish', () => {
		try {
			onSent(body(), replay);
		} catch (error) {
			request.destroy(error as Error);
		}
	});

	return request;
};
