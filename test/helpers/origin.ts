import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {
	createServer,
	type IncomingHttpHeaders,
	type IncomingMessage,
	type OutgoingHttpHeaders,
	type ServerResponse,
} from 'node:http';
import type {AddressInfo} from 'node:net';

/** What the origin saw, in the order of arrival; the body is complete. */
export type RecordedRequest = {
	readonly method: string;
	/** Path and query, as in the request line. */
	readonly url: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: Uint8Array;
};

export type PlainResponse = {
	/** Default: 200. */
	readonly status?: number;
	/** An array keeps order and repetition: `['set-cookie', 'a=1', 'set-cookie', 'b=2']`. */
	readonly headers?: OutgoingHttpHeaders | readonly string[];
	readonly body?: string | Uint8Array;
};

export type Handler = (request: RecordedRequest, response: ServerResponse, raw: IncomingMessage) => unknown;

export type Origin = AsyncDisposable & {
	readonly port: number;
	/** `http://127.0.0.1:{port}`, without a slash at the end. */
	readonly url: string;
	/** Every request that arrived; set its `length` to 0 to start anew. */
	readonly requests: RecordedRequest[];
	/** Answers what the queue does not; may be replaced at any time. */
	handler: Handler;
	/** Answers the next requests, one each, before the handler is asked. */
	queue(...responses: ReadonlyArray<PlainResponse | Handler>): void;
	/** Closes the server and every connection. A later request is refused. */
	stop(): Promise<void>;
};

/** For handlers. A 204, a 304 and the answer to HEAD have no body. */
export const respond = (response: ServerResponse, {status = 200, headers = {}, body = ''}: PlainResponse) => {
	response.writeHead(status, headers as OutgoingHttpHeaders);
	response.end(body);
};

const notFound: Handler = (_request, response) => {
	respond(response, {status: 404, body: 'This origin has no handler and its queue is empty.'});
};

/**
A real HTTP server on a free loopback port that records what it is asked. A handler that throws answers 500 with the error's stack; one that never ends its response leaves the client waiting.
*/
export const startOrigin = async (handler: Handler = notFound): Promise<Origin> => {
	const queued: Array<PlainResponse | Handler> = [];

	const answer = async (raw: IncomingMessage, response: ServerResponse) => {
		const chunks: Uint8Array[] = [];
		for await (const chunk of raw) {
			chunks.push(chunk as Uint8Array);
		}

		// Both are always set on a server's request.
		const {method = '', url = ''} = raw;
		const request: RecordedRequest = {
			method,
			url,
			headers: raw.headers,
			body: Buffer.concat(chunks),
		};
		origin.requests.push(request);

		const next = queued.shift() ?? origin.handler;
		if (typeof next === 'function') {
			await next(request, response, raw);
		} else {
			respond(response, next);
		}
	};

	const answerOrFail = async (raw: IncomingMessage, response: ServerResponse) => {
		try {
			await answer(raw, response);
		} catch (error) {
			// The client went away, or the handler is at fault.
			if (response.headersSent) {
				response.destroy();
			} else {
				respond(response, {status: 500, body: (error as Error).stack ?? String(error)});
			}
		}
	};

	const server = createServer((raw, response) => {
		void answerOrFail(raw, response);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;

	const stop = async () => {
		if (!server.listening) {
			return;
		}

		const closed = once(server, 'close');
		server.close();
		server.closeAllConnections();
		await closed;
	};

	const origin: Origin = {
		port,
		url: `http://127.0.0.1:${port}`,
		requests: [],
		handler,
		queue(...responses) {
			queued.push(...responses);
		},
		stop,
		[Symbol.asyncDispose]: stop,
	};
	return origin;
};

/** Has the next request wait for `release()`, and then be answered by the handler. */
export const holdNext = (origin: Origin): {readonly arrived: Promise<void>; release(): void} => {
	const [arrival, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	origin.queue(async (...parameters) => {
		arrival.resolve();
		await answer.promise;
		return origin.handler(...parameters);
	});
	return {arrived: arrival.promise, release: answer.resolve};
};
