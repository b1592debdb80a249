import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import type {IncomingHttpHeaders} from 'node:http';
import type {Request, Response} from 'got';
import {cacheInfo, type CacheInfo} from '../../source/index.ts';

export type Received = {
	readonly statusCode: number;
	readonly headers: IncomingHttpHeaders;
	readonly isFromCache: boolean | undefined;
	readonly info: CacheInfo | undefined;
	readonly body: string;
};

/** Reads a stream of got's to its end, as a consumer does. */
export const readStream = async (stream: Request): Promise<Received> => {
	const received = once(stream, 'response') as Promise<[Response]>;
	// What fails before there is a response fails the reading, too.
	received.catch(() => undefined);
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) {
		chunks.push(chunk as Uint8Array);
	}

	const [response] = await received;
	const {statusCode, headers} = response;

	return {
		statusCode,
		headers,
		isFromCache: stream.isFromCache,
		info: cacheInfo(response),
		body: Buffer.concat(chunks).toString('latin1'),
	};
};
