import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';

/** How long the origin thinks about an answer. Whether one is still good, and that it has none, it knows ten times as fast. */
export const slowMs = 400;

const resources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	'/weather': {'cache-control': 'max-age=2, stale-if-error=600', etag: '"sunny"'},
	'/news': {'cache-control': 'max-age=300', vary: 'accept-language'},
	'/logo.svg': {'cache-control': 'max-age=31536000, immutable'},
};

export type SlowOrigin = {
	readonly url: string;
	/** The status codes of its answers so far. */
	readonly answers: number[];
	/** Answers 503 (Service Unavailable) from now on. */
	fail(): void;
	stop(): void;
};

export const startSlowOrigin = async (): Promise<SlowOrigin> => {
	const answers: number[] = [];
	let isFailing = false;

	const answer = async ({url = '', headers}: IncomingMessage, response: ServerResponse) => {
		const fields = resources[url] ?? {};
		const isStillGood = fields.etag !== undefined && headers['if-none-match'] === fields.etag;
		const status = isFailing ? 503 : (isStillGood ? 304 : 200);
		await delay(status === 200 ? slowMs : slowMs / 10);

		answers.push(status);
		response.writeHead(status, isFailing ? {} : fields);
		response.end(status === 200 ? `${url}, as of ${new Date().toISOString()}` : '');
	};

	const server = createServer((request, response) => {
		void answer(request, response);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		answers,
		fail() {
			isFailing = true;
		},
		stop() {
			server.close();
			server.closeAllConnections();
		},
	};
};
