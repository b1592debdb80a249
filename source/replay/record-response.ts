import {Buffer} from 'node:buffer';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {ReceivedResponse} from './recorded-answer.ts';

/**
Calls back with the response of a native request: the network's, also if a cache gives its listeners another one.

Node.js sets `res` before it emits the event `'response'`, which a cache may intercept.
*/
export const onResponse = (request: ClientRequest & {res?: IncomingMessage | undefined}, callback: (response: IncomingMessage) => void): void => {
	let current = request.res;
	let isCalled = false;
	Object.defineProperty(request, 'res', {
		configurable: true,
		enumerable: true,
		get: () => current,
		set(response: (IncomingMessage & {fromCache?: boolean}) | undefined) {
			current = response;
			// A stand-in of a cache is marked. Informational responses come before the final one.
			if (!(!isCalled && response && response.fromCache !== true && (response.statusCode ?? 0) >= 200)) {
				return;
			}

			isCalled = true;
			callback(response);
		},
	});
	if (current) {
		callback(current);
	}
};

/**
Calls back when a response has come whole, before its reader is told of its end. A response that breaks off, or that nobody reads to its end, is none.

To be called before anybody reads. It does not read itself: the reader sets the pace.
*/
export const recordResponse = (response: IncomingMessage, onWhole: (received: ReceivedResponse) => void): void => {
	const chunks: Uint8Array[] = [];
	const keep = (chunk: unknown) => {
		if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
			chunks.push(Buffer.from(chunk as Uint8Array));
		}
	};

	const finish = () => {
		const {statusCode = 0, statusMessage = '', rawHeaders, headers} = response;
		// Some that stand for a response have no other ones.
		const flatHeaders = rawHeaders?.length > 0 ? rawHeaders : Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(each => [name, each]));
		onWhole({
			statusCode,
			statusMessage,
			rawHeaders: flatHeaders,
			body: Buffer.concat(chunks),
		});
	};

	/** Whether it worked: a response that cannot be recorded fails, and not unnoticed. */
	const tryToFinish = (): boolean => {
		try {
			finish();
			return true;
		} catch (error) {
			// Got takes a response that is destroyed for one that broke off, and gives that as the reason.
			response.emit('error', error);
			response.destroy();
			return false;
		}
	};

	// A response that is given in place of a request may have been filled already.
	if (response.readableLength > 0) {
		const chunk: unknown = response.read();
		keep(chunk);
		response.unshift(chunk);
	}

	// Ended, and not read to its end yet.
	const {ended: isFilled = false} = (Reflect.get(response, '_readableState') ?? {}) as {ended?: boolean};
	if (isFilled) {
		tryToFinish();
		return;
	}

	const push = response.push.bind(response);
	response.push = (chunk: unknown, ...others: readonly never[]) => {
		if (chunk !== null) {
			keep(chunk);
		} else if (!response.destroyed && !tryToFinish()) {
			return false;
		}

		return push(chunk, ...others);
	};
};
