import {Buffer} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import type {ReceivedResponse} from './recorded-answer.ts';

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

	// A response that is given in place of a request may have been filled already.
	if (response.readableLength > 0) {
		const chunk: unknown = response.read();
		keep(chunk);
		response.unshift(chunk);
	}

	// Ended, and not read to its end yet.
	const {ended: isFilled = false} = (Reflect.get(response, '_readableState') ?? {}) as {ended?: boolean};
	if (isFilled) {
		finish();
		return;
	}

	const push = response.push.bind(response);
	response.push = (chunk: unknown, ...others: readonly never[]) => {
		if (chunk !== null) {
			keep(chunk);
		} else if (!response.destroyed) {
			finish();
		}

		return push(chunk, ...others);
	};
};
