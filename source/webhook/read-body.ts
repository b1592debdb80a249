import {Buffer} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import {mostBodyBytes, refuse, tooLarge, type Answer} from './answer.ts';

/** Reads a body that nobody has read; `undefined` if it is too large. */
const readText = async (request: IncomingMessage): Promise<string | undefined> => {
	const chunks: Uint8Array[] = [];
	let length = 0;
	// Leaving the loop does not destroy the request: the answer is sent on the same connection.
	for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Uint8Array>) {
		length += chunk.length;
		if (length > mostBodyBytes) {
			return undefined;
		}

		chunks.push(chunk);
	}

	return Buffer.concat(chunks).toString();
};

const parse = (text: string): Answer | {readonly body: unknown} => {
	try {
		return {body: JSON.parse(text)};
	} catch (error) {
		return refuse(400, `The body is no JSON: ${(error as Error).message}`);
	}
};

/**
Reads the body of a request as JSON.

@param parsed - The body, if a middleware has read it: as JSON, text or bytes.
*/
export const readBody = async (request: IncomingMessage, parsed: unknown): Promise<Answer | {readonly body: unknown}> => {
	if (typeof parsed === 'string' || parsed instanceof Uint8Array) {
		return parse(String(Buffer.from(parsed as string)));
	}

	if (parsed !== undefined) {
		return {body: parsed};
	}

	if (request.readableEnded) {
		return refuse(500, 'The body was read before this handler, and is not in request.body: use the handler before other parsers, or behind express.json()');
	}

	const text = await readText(request);
	return text === undefined ? tooLarge : parse(text);
};
