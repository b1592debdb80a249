import type {Readable} from 'node:stream';
import {noBytes} from '../../store/codec/bytes.ts';
import {allocateBody} from '../../store/codec/kept-body.ts';

const firstBytes = 16 * 1024;

/** No more on the word of a response that it is long. */
const mostFirstBytes = 1024 * 1024;

type CollectOptions = {
	/** Beyond, the copy is dropped. */
	readonly maxBytes: number;
	/** The length that the head says, or `NaN`; the body may turn out to be longer or shorter. */
	readonly expectedBytes: number;
};

/**
Keeps a copy of a body that somebody else reads, at his pace.

@param done - Called once, with the body or with why there is none. A body that is not read to its end is `'incomplete'`.
*/
export const collectBody = (body: Readable, {maxBytes, expectedBytes}: CollectOptions, done: (result: Uint8Array | 'incomplete' | 'too-large') => void): void => {
	// One buffer that grows, since ten thousand chunks of a byte each would weigh far more than the bytes.
	let bytes: Uint8Array = noBytes;
	let size = 0;

	const grow = (neededBytes: number) => {
		const isAsExpected = neededBytes <= expectedBytes;
		const first = isAsExpected ? Math.min(expectedBytes, mostFirstBytes) : firstBytes;
		const most = isAsExpected ? expectedBytes : maxBytes;
		const grown = allocateBody(Math.min(most, Math.max(neededBytes, 2 * bytes.byteLength, first)));
		grown.set(bytes.subarray(0, size));
		bytes = grown;
	};

	const finish = (result: Uint8Array | 'incomplete' | 'too-large') => {
		body.off('data', append).off('end', finishWhole).off('close', finishBroken);
		bytes = noBytes;
		done(result);
	};

	const append = (chunk: Uint8Array | string) => {
		// The user set an encoding on what got reads from: what it cannot represent is lost.
		if (typeof chunk === 'string') {
			finish('incomplete');
			return;
		}

		if (size + chunk.byteLength > maxBytes) {
			finish('too-large');
			return;
		}

		if (size + chunk.byteLength > bytes.byteLength) {
			grow(size + chunk.byteLength);
		}

		bytes.set(chunk, size);
		size += chunk.byteLength;
	};

	const whole = (): Uint8Array => size === bytes.byteLength ? bytes : bytes.subarray(0, size);

	const finishWhole = () => {
		// Node takes the listeners away to let the rest of a body flow away unread.
		finish(body.listeners('data').includes(append) ? whole() : 'incomplete');
	};

	const finishBroken = () => {
		finish('incomplete');
	};

	body.on('data', append).once('end', finishWhole).once('close', finishBroken);
};
