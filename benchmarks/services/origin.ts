import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {bodyHead, bodyTail} from '../body.ts';
import {parseResourcePath} from '../url.ts';
import {serve} from './service.ts';

const delayMs = 20;

const cacheControl: Readonly<Record<string, string>> = {validate: 'public, max-age=0', unstorable: 'no-store'};

const counters = {complete: 0, notModified: 0};
const tails = new Map<number, Uint8Array>();

const tailOf = (size: number): Uint8Array => {
	let tail = tails.get(size);
	if (tail === undefined) {
		tail = bodyTail(size);
		tails.set(size, tail);
	}

	return tail;
};

const server = createServer({keepAliveTimeout: 60_000}, (request, response) => {
	const {profile, size, id} = parseResourcePath(request.url ?? '');
	const etag = `"${size}-${id}"`;
	const headers = {
		'cache-control': cacheControl[profile] ?? 'public, max-age=3600',
		'content-type': 'application/json; charset=utf-8',
		etag,
		'x-request-id': `request-${id}`,
		'strict-transport-security': 'max-age=31536000',
	};

	if (request.headers['if-none-match'] === etag) {
		counters.notModified++;
		response.writeHead(304, headers).end();
		return;
	}

	counters.complete++;
	const head = bodyHead(id);
	const tail = tailOf(size);
	const send = () => {
		response.writeHead(200, {...headers, 'content-length': size});
		response.cork();
		response.write(head);
	};

	if (profile === 'slow') {
		setTimeout(() => {
			send();
			response.end(tail);
		}, delayMs);
		return;
	}

	send();
	if (profile === 'drip') {
		response.uncork();
		setTimeout(() => {
			response.end(tail);
		}, delayMs);
		return;
	}

	response.end(tail);
});

const listening = once(server.listen(0, '127.0.0.1'), 'listening');

serve({
	async url() {
		await listening;
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	},
	counters: () => ({...counters}),
}, () => {
	server.closeAllConnections();
	server.close();
});
