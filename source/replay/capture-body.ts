import {Buffer} from 'node:buffer';
import type {ClientRequest} from 'node:http';

type Chunk = string | Uint8Array;

const isChunk = (value: unknown): value is Chunk => typeof value === 'string' || value instanceof Uint8Array;

/**
Keeps what is written to a request from now on.

@returns A function that gives the body so far.
*/
export const captureBody = (request: ClientRequest): (() => Uint8Array) => {
	const chunks: Uint8Array[] = [];
	let isEnding = false;
	const keep = (chunk: unknown, encoding: unknown) => {
		if (isChunk(chunk)) {
			chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding as BufferEncoding : 'utf8') : Buffer.from(chunk));
		}
	};

	const write = request.write.bind(request) as (...parameters: unknown[]) => boolean;
	const end = request.end.bind(request) as (...parameters: unknown[]) => ClientRequest;
	Object.assign(request, {
		write(...parameters: unknown[]) {
			// `end()` of HTTP/2 calls `write()` with its chunk.
			if (!isEnding) {
				keep(parameters[0], parameters[1]);
			}

			return write(...parameters);
		},
		end(...parameters: unknown[]) {
			keep(parameters[0], parameters[1]);
			isEnding = true;
			return end(...parameters);
		},
	});

	return () => Buffer.concat(chunks);
};
