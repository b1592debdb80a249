import {IncomingMessage, STATUS_CODES} from 'node:http';
import {parseBody, type Response} from 'got';

/** A response to hand to got, before got has made anything of it. */
export type Message = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly httpVersion: string;
	readonly rawHeaders: readonly string[];
	readonly body: Uint8Array;
};

// What Node's parser calls: only Node knows how Node joins repeated header fields.
type ParsedMessage = IncomingMessage & {_addHeaderLines(rawHeaders: string[], count: number): void};

const doNothing = () => undefined;

const bareMessage = ({statusCode, statusMessage, httpVersion, rawHeaders}: Message): IncomingMessage => {
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

/**
@returns The response as Node's own HTTP client would have given it, with its body ready to be read. The bytes are not copied.
*/
export const toIncomingMessage = (message: Message): IncomingMessage & {fromCache: true} => {
	const incoming = bareMessage(message);
	if (message.body.byteLength > 0) {
		incoming.push(message.body);
	}

	incoming.push(null);

	return Object.assign(incoming, {fromCache: true as const});
};

/**
Makes `message` the content of a response that got has already completed.

@throws {ParseError} As got does where the body is not what the user expects.
*/
export const replaceContent = (response: Response, message: Message): void => {
	const {options} = response.request;
	const {headers, rawHeaders} = bareMessage(message);
	response.statusCode = message.statusCode;
	response.statusMessage = message.statusMessage === '' ? STATUS_CODES[message.statusCode] ?? '' : message.statusMessage;
	response.headers = headers;
	response.rawHeaders = rawHeaders;
	// The stored bytes stay as they are, whatever the caller does to theirs.
	response.rawBody = new Uint8Array(message.body);
	response.isFromCache = true;

	const isEncoded = headers['content-encoding'] !== undefined && !options.decompress;
	response.body = isEncoded ? response.rawBody : parseBody(response, options.responseType, options.parseJson, options.encoding);
};
