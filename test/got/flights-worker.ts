import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';

/** What a worker is told to do, and what it answers. */
export type Task = {readonly url: string; readonly count: number};
export type Result = {readonly bodies: string[]; readonly errors: string[]};

/*
A process of a fleet: makes as many equal requests as it is told to.
*/
const options = JSON.parse(process.argv[2] ?? '{}') as RedisCacheOptions;
const cache = redisCache({coalesce: 'fleet', timeout: '30s', ...options});
const client = got.extend({retry: {limit: 0}, headers: {'x-process': String(process.pid)}}, cache);

process.on('message', async ({url, count}: Task) => {
	const outcomes = await Promise.allSettled(Array.from({length: count}, async () => client(url)));
	const result: Result = {
		bodies: outcomes.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value.body] : []),
		errors: outcomes.flatMap(outcome => outcome.status === 'rejected' ? [String(outcome.reason)] : []),
	};
	process.send?.(result);
});

process.on('disconnect', () => {
	process.exit();
});

// A busy machine may need more than one attempt to connect.
while (options.store !== undefined && !await cache.delete('http://warm.up/')) {
	await nextTurn();
}

process.send?.('ready');
