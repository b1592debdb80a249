import process from 'node:process';
import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';

/** What the process of a test is told to do, and what it says of it. */
export type Load = {
	readonly url: string;
	readonly count: number;
	readonly options: RedisCacheOptions;
	/** How long the process does something else as soon as it has begun to connect. */
	readonly blockedMs?: number;
};
export type Report = {readonly bodies: readonly string[]; readonly events: readonly string[]; readonly errorCount: number};

/*
A process that has just begun, and makes many equal requests at once.
*/
const {url, count, options, blockedMs = 0} = JSON.parse(process.argv[2] ?? '') as Load;
const cache = redisCache(options);
const events: string[] = [];
cache.on('error', error => events.push(`error: ${error.message}`));
cache.on('degraded', error => events.push(`degraded: ${error.message}`));
const client = got.extend({retry: {limit: 0}}, cache);
const requests = Array.from({length: count}, async () => client(url).text());

if (blockedMs > 0) {
	// After what waits for nothing else, and before anything arrives.
	process.nextTick(() => {
		const untilMs = performance.now() + blockedMs;
		while (performance.now() < untilMs) {
			// Busy.
		}
	});
}

const bodies = [...new Set(await Promise.all(requests))];
const report: Report = {bodies, events, errorCount: cache.health().counters.errors};
process.stdout.write(JSON.stringify(report));
await cache.close();
