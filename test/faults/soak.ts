import {readFile, writeFile} from 'node:fs/promises';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {createClient} from '@redis/client';
import got from 'got';
import {redisCache} from '../../source/index.ts';
import {startRedis} from '../helpers/redis.ts';
import {failuresOf, startLoad} from './load.ts';
import {watchProcess} from './measure.ts';
import {startResources} from './resources.ts';

/*
Mixed traffic for long: does anything grow? `--minutes 3` for less; `--write` puts the figures into docs/reliability.md.
*/

const {values: {minutes, hits: most, write}} = parseArgs({options: {minutes: {type: 'string', default: '20'}, hits: {type: 'string', default: '10000000'}, write: {type: 'boolean', default: false}}});
const durationMs = Number(minutes) * 60_000;
const page = new URL('../../docs/reliability.md', import.meta.url);

type Sample = {readonly atMs: number; readonly heap: number; readonly rss: number; readonly external: number; readonly handles: number; readonly listeners: number; readonly hits: number};

watchProcess();
await using redis = await startRedis();
await using resources = await startResources();
const plain = got.extend({prefixUrl: resources.origin.url, retry: {limit: 0}});
const usersClient = createClient({url: redis.url});
await using ownCache = redisCache({store: redis.url, memory: 16 * 1024 * 1024});
await using usersCache = redisCache({store: usersClient, coalesce: 'fleet'});
const load = startLoad(resources, plain, [{name: 'own', client: plain.extend(ownCache)}, {name: 'users', client: plain.extend(usersCache)}], {workers: 8, pauseMs: 0});

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 102.4) / 10;

const startedMs = performance.now();

const takeSample = (): Sample => {
	globalThis.gc?.();
	const {heapUsed, rss, external} = process.memoryUsage();
	return {
		atMs: performance.now() - startedMs,
		heap: mebibytes(heapUsed),
		rss: mebibytes(rss),
		external: mebibytes(external),
		handles: process.getActiveResourcesInfo().filter(name => name !== 'Timeout' && name !== 'Immediate').length,
		listeners: usersClient.eventNames().reduce((sum, name) => sum + usersClient.listenerCount(name), 0) + process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
		hits: load.tally.hits,
	};
};

// What fills up once: code, connections, the memory tier.
await wait(Math.min(60_000, durationMs / 4));
const samples = [takeSample()];
while (performance.now() - startedMs < durationMs && load.tally.hits < Number(most)) {
	await wait(durationMs / 20);
	samples.push(takeSample());
	console.log(JSON.stringify(samples.at(-1)));
}

await load.stop();
usersClient.destroy();
const {tally} = load;
const [first] = samples;
const last = samples.at(-1);
if (!first || !last) {
	throw new Error('There is no sample');
}

/** Least squares: what is gained in a minute. */
const slope = (value: (sample: Sample) => number): number => {
	const times = samples.map(({atMs}) => atMs / 60_000);
	const meanTime = times.reduce((sum, time) => sum + time, 0) / times.length;
	const mean = samples.reduce((sum, sample) => sum + value(sample), 0) / samples.length;
	const covariance = samples.reduce((sum, sample, position) => sum + ((value(sample) - mean) * ((times[position] ?? 0) - meanTime)), 0);
	return Math.round(covariance / times.reduce((sum, time) => sum + ((time - meanTime) ** 2), 0) * 100) / 100;
};

const line = (name: string, value: (sample: Sample) => number, unit: string): string => `| ${name} | ${value(first)}${unit} | ${value(last)}${unit} | ${slope(value)}${unit} |`;

const table = `${Math.round(last.atMs / 6000) / 10} minutes, ${tally.requests} requests, ${tally.hits} hits; failed because of the cache: ${failuresOf(tally).length}; wrong bodies: ${tally.wrong.length}.

| | after the start | at the end | per minute |
|---|--:|--:|--:|
${line('heap, after a collection', ({heap}) => heap, ' MiB')}
${line('bytes outside the heap', ({external}) => external, ' MiB')}
${line('resident set', ({rss}) => rss, ' MiB')}
${line('handles', ({handles}) => handles, '')}
${line('listeners', ({listeners}) => listeners, '')}`;
console.log(table);

if (write) {
	const text = await readFile(page, 'utf8');
	await writeFile(page, text.replace(/<!-- soak -->.*<!-- \/soak -->/sv, () => `<!-- soak -->\n\n${table}\n\n<!-- /soak -->`));
}

const grows = last.listeners > first.listeners || last.handles > first.handles + 20 || (last.heap > first.heap * 1.5 && slope(({heap}) => heap) > 1);
process.exitCode = grows || tally.wrong.length > 0 || failuresOf(tally).length > 0 ? 1 : 0;
