import {setTimeout as pause} from 'node:timers/promises';
import got from 'got';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {readStream} from './read-stream.ts';

/** What a library that fakes time can do. */
export type Clock = {
	/** @param apis - By default, what the library fakes by itself. */
	fake(apis?: readonly string[]): void;
	/** Moves the clock on. */
	advance(ms: number): void;
	restore(): void;
	/** Has faked callbacks called until an action is over, where without that nothing in Node.js ends. */
	run?<Result>(action: Promise<Result>): Promise<Result>;
};

const pauseMs = 20;
/** Longer than the cache needs by far: it asks a store that was given up each second, at least. */
const mostPauses = 500;

/** What caches come to whose time is faked after they were made, and then is real again. */
export const runScenario = async ({fake, advance, restore, run = async action => action}: Clock) => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60', date: new Date().toUTCString()}, body: 'x'});
	});
	await using redis = await startRedis();
	const onRedis = redisCache({store: redis.url, timeout: 100});
	const inMemory = redisCache('memory');
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, onRedis);
	const memoryClient = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, inMemory);
	const statusOf = async (each: typeof client, url = 'items') => cacheInfo(await each(url))?.status;
	const settle = async (): Promise<string | undefined> => {
		for (let pauses = 0; pauses < mostPauses; pauses++) {
			const status = await statusOf(client, 'settled');
			if (status === 'hit') {
				return status;
			}

			await pause(pauseMs);
		}

		return undefined;
	};

	try {
		const before = [await settle(), await statusOf(client), await statusOf(memoryClient)];

		fake(['Date']);
		advance(50_000);
		const fresh = [await statusOf(client), await statusOf(memoryClient)];
		advance(20_000);
		const stale = [await statusOf(client), await statusOf(memoryClient)];
		restore();

		fake();
		const ended: unknown[] = [];
		for (let count = 0; count < 4; count++) {
			const {body} = await run(client(`faked/${count}`));
			const streamed = await run(readStream(client.stream(`faked/${count}`)));
			ended.push(body, streamed.body);
		}

		const memory = [await run(statusOf(memoryClient, 'faked')), await run(statusOf(memoryClient, 'faked'))];
		ended.push(typeof await run(onRedis.has(`${origin.url}/items`)), typeof await run(onRedis.delete(`${origin.url}/items`)));
		restore();

		return {before, fresh, stale, memory, ended: [...new Set(ended)], after: await settle(), health: onRedis.health().state};
	} finally {
		restore();
		await Promise.all([onRedis.close(), inMemory.close()]);
	}
};

export const expectedOutcome = {
	before: ['hit', 'miss', 'miss'],
	fresh: ['hit', 'hit'],
	stale: ['miss', 'miss'],
	memory: ['miss', 'hit'],
	ended: ['x', 'boolean'],
	after: 'hit',
	health: 'ok',
};
