import {once} from 'node:events';
import {createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

export type OriginRequest = {
	readonly method: string;
	/** The URL as in the request line. */
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
};

export type Answer = {
	/** Default: 200. */
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string | readonly string[]>>;
	readonly body?: string | Uint8Array;
};

export type Answering = (request: OriginRequest) => Answer | Promise<Answer>;

/** A server on loopback. */
export type Origin = {
	/** Without a slash at the end. */
	readonly url: string;
	/** Every request that arrived. */
	readonly requests: OriginRequest[];
	/** May be replaced at any time. */
	answer: Answering;
	stop(): Promise<void>;
};

export const startOrigin = async (answer: Answering): Promise<Origin> => {
	const respond = async (raw: IncomingMessage): Promise<Answer> => {
		raw.resume();
		const request: OriginRequest = {method: raw.method ?? '', path: raw.url ?? '', headers: raw.headers};
		origin.requests.push(request);
		return origin.answer(request);
	};

	const serve = async (raw: IncomingMessage, response: ServerResponse) => {
		try {
			const {status = 200, headers = {}, body = ''} = await respond(raw);
			response.writeHead(status, headers as Record<string, string | string[]>).end(body);
		} catch (error) {
			response.destroy(error as Error);
		}
	};

	const server = createServer((raw, response) => {
		void serve(raw, response);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	const origin: Origin = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests: [],
		answer,
		async stop() {
			const closed = once(server, 'close');
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
	return origin;
};
