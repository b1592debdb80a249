import {Buffer} from 'node:buffer';
import {IncomingMessage} from 'node:http';
import type {Response} from 'got';

/** Defines a property as if it had been there from the start. */
export const define = <Name extends keyof Response>(response: Response, name: Name, value: Response[Name]): Response[Name] => {
	Object.defineProperty(response, name, {value, writable: true, enumerable: true, configurable: true});
	return value;
};

/** A response to hand to got, before got has made anything of it. */
export type Message = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly httpVersion: string;
	readonly rawHeaders: readonly string[];
	readonly body: Uint8Array;
};

/** The response to `only-if-cached` if no stored response can be used, RFC 9111 §5.2.1.7. */
export const gatewayTimeout: Message = {
	statusCode: 504,
	statusMessage: 'Gateway Timeout',
	httpVersion: '1.1',
	rawHeaders: ['Content-Length', '0'],
	body: new Uint8Array(),
};

// The method that Node's parser calls: only Node knows how Node joins repeated header fields.
type ParsedMessage = IncomingMessage & {_addHeaderLines(rawHeaders: string[], count: number): void};

const doNothing = () => undefined;

export const bareMessage = ({statusCode, statusMessage, httpVersion, rawHeaders}: Message): IncomingMessage => {
	// A message without a socket reads from nothing but its own buffer.
	const message = new IncomingMessage(null as never) as ParsedMessage;
	message._read = doNothing;
	message.statusCode = statusCode;
	message.statusMessage = statusMessage;
	message._addHeaderLines([...rawHeaders], rawHeaders.length);
	message.httpVersion = httpVersion;
	const [major, minor] = httpVersion.split('.', 2);
	message.httpVersionMajor = Number(major);
	message.httpVersionMinor = Number(minor ?? 0);
	message.complete = true;

	return message;
};

/** The bytes that Node reads from a socket at once. */
const chunkBytes = 65_536;

const pushCopies = (incoming: IncomingMessage, body: Uint8Array): void => {
	let position = 0;
	incoming._read = () => {
		// A pooled `Buffer` is a copy, too.
		const chunk = Buffer.from(body.subarray(position, position + chunkBytes));
		position += chunk.byteLength;
		incoming.push(chunk);
		if (position >= body.byteLength) {
			incoming.push(null);
		}
	};
};

/**
@param isReadByCaller - The chunks are the caller's to change then. Got itself copies the body of a promise.
@returns The response as Node's own HTTP client would have given it, with its body ready to be read.
*/
export const toIncomingMessage = (message: Message, isReadByCaller: boolean): IncomingMessage & {fromCache: true} => {
	const incoming = bareMessage(message);
	const {body} = message;
	if (isReadByCaller && body.byteLength > 0) {
		pushCopies(incoming, body);
	} else {
		if (body.byteLength > 0) {
			incoming.push(body);
		}

		incoming.push(null);
	}

	return Object.assign(incoming, {fromCache: true as const});
};

// The codings that got decodes.
const contentCodings = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd']);

export const isContentEncoded = ({headers}: Pick<IncomingMessage, 'headers'>): boolean =>
	(headers['content-encoding'] ?? '')
		.toLowerCase()
		.split(',')
		.some(coding => contentCodings.has(coding.trim()));
