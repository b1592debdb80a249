import {once} from 'node:events';
import {
	createSecureServer,
	type IncomingHttpHeaders,
	type OutgoingHttpHeaders,
	type ServerHttp2Session,
	type ServerHttp2Stream,
} from 'node:http2';
import type {AddressInfo, Socket} from 'node:net';
import {createCertificate} from './certificate.ts';

export type Http2Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export type Http2Response = {
	/** Default: 200. */
	readonly status?: number;
	readonly headers?: OutgoingHttpHeaders;
	readonly body?: string | Uint8Array;
};

export type Http2Origin = AsyncDisposable & {
	/** `https://127.0.0.1:{port}`, without a slash at the end. */
	readonly url: string;
	/** The certificate that a client has to trust. */
	readonly certificate: string;
	/** The header fields of every request that arrived. */
	readonly requests: IncomingHttpHeaders[];
	/** The sessions that are open. */
	readonly sessions: Set<ServerHttp2Session>;
	/** The streams that are open. */
	readonly streams: Set<ServerHttp2Stream>;
	/** Answers what the queue does not; may be replaced at any time. */
	handler: Http2Handler;
	/** Answers the next requests, one each, before the handler is asked. */
	queue(...responses: ReadonlyArray<Http2Response | Http2Handler>): void;
	/** Closes the server and every session. A later request is refused. */
	stop(): Promise<void>;
};

/** For handlers. */
export const respondHttp2 = (stream: ServerHttp2Stream, {status = 200, headers = {}, body = ''}: Http2Response): void => {
	stream.respond({':status': status, ...headers}, {endStream: body.length === 0});
	if (body.length > 0) {
		stream.end(body);
	}
};

/** Sends a head whose body will break off. Node ends a response before it resets it, so that the client takes what there is of it for the whole, unless there are trailers to come. */
export const beginHttp2 = (stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void => {
	stream.respond({':status': 200, ...headers}, {waitForTrailers: true});
};

const certificate = createCertificate();

const doNothing = () => undefined;

/**
A real HTTP/2 server with TLS on a free loopback port that records what it is asked. A handler that never ends its response leaves the client waiting.
*/
export const startHttp2Origin = async (handler: Http2Handler = stream => {
	respondHttp2(stream, {status: 404});
}): Promise<Http2Origin> => {
	const queued: Array<Http2Response | Http2Handler> = [];
	const sessions = new Set<ServerHttp2Session>();
	const streams = new Set<ServerHttp2Stream>();

	const server = createSecureServer({key: certificate.key, cert: certificate.cert});
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	server.on('session', session => {
		sessions.add(session);
		session.on('error', doNothing);
		session.once('close', () => sessions.delete(session));
	});
	server.on('stream', (stream, headers) => {
		streams.add(stream);
		stream.on('error', doNothing);
		stream.once('close', () => streams.delete(stream));
		origin.requests.push(headers);
		const next = queued.shift() ?? origin.handler;
		if (typeof next === 'function') {
			next(stream, headers);
		} else {
			respondHttp2(stream, next);
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	const stop = async () => {
		if (!server.listening) {
			return;
		}

		const closed = once(server, 'close');
		server.close();
		for (const each of [...sessions, ...sockets]) {
			each.destroy();
		}

		await closed;
	};

	const origin: Http2Origin = {
		url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
		certificate: certificate.cert,
		requests: [],
		sessions,
		streams,
		handler,
		queue(...responses) {
			queued.push(...responses);
		},
		stop,
		[Symbol.asyncDispose]: stop,
	};

	return origin;
};
