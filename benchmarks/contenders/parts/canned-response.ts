import {Readable} from 'node:stream';
import type {Response} from 'got';

/**
The least that got takes from a `beforeRequest` hook in place of a request.
*/
export const cannedResponse = (body: Uint8Array): Response => Object.assign(new Readable({
	read() {
		this.push(body);
		this.push(null);
	},
}), {
	statusCode: 200,
	statusMessage: 'OK',
	headers: {'content-type': 'application/json; charset=utf-8'},
	rawHeaders: ['Content-Type', 'application/json; charset=utf-8'],
	trailers: {},
	rawTrailers: [],
	httpVersion: '1.1',
	complete: true,
	fromCache: true,
}) as unknown as Response;
