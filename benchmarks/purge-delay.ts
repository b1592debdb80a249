import {fork} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import got from 'got';
import {redisCache} from '../source/index.ts';
import {startProxy} from '../test/faults/proxy.ts';
import {startOrigin} from '../test/helpers/origin.ts';
import {startRedis} from '../test/helpers/redis.ts';

/*
How long after a purge returned in one process a request that begins in another one may still be answered with what was purged: `node benchmarks/purge-delay.ts`.

The other process asks all the time, from its memory tier, and notes when it began to ask for each answer. Both clocks are the machine's monotonic one.
*/

const rounds = 200;
const roundsInTheDark = 8;
const workMs = 5;

type Question = {readonly kind: 'prove'} | {readonly kind: 'work'; readonly ms: number} | {readonly kind: 'last'; readonly body: string};
type Report = {readonly lastMs: number; readonly answers: number};

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const read = async (store: string, url: string) => {
	const cache = redisCache({store, tagField: 'cache-tag'});
	const client = got.extend(cache);
	const last = new Map<string, Report>();
	let busyMs = 0;
	process.on('message', async (question: Question) => {
		if (question.kind === 'work') {
			busyMs = question.ms;
			process.send?.('ready');
		} else if (question.kind === 'prove') {
			await cache.has('http://nowhere.invalid/');
			process.send?.('ready');
		} else {
			process.send?.(last.get(question.body) ?? {lastMs: 0, answers: 0});
		}
	});
	process.on('disconnect', () => {
		process.exit();
	});
	process.send?.('ready');
	for (;;) {
		const startMs = nowMs();
		const {body} = await client(url);
		last.set(body, {lastMs: startMs, answers: (last.get(body)?.answers ?? 0) + 1});
		while (nowMs() - startMs < busyMs) {
			// A process that does something else, too.
		}

		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}
};

const percentile = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;

const format = (ms: number) => ms <= 0 ? 'never after' : `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`;

const measure = async () => {
	await using redis = await startRedis();
	await using proxy = await startProxy(redis.port);
	let version = 1;
	await using origin = await startOrigin((_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': 'a'}).end(String(version));
	});
	const url = `${origin.url}/a`;
	await using cache = redisCache({store: redis.url, tagField: 'cache-tag'});
	const reader = fork(import.meta.filename, ['read', `redis://127.0.0.1:${proxy.port}`, url]);
	const told = async (question: Question) => {
		reader.send(question);
		const [message] = await once(reader, 'message') as [Report];
		return message;
	};

	await once(reader, 'message');

	/** In a row of the tier at least, so that it is the tier that is purged. */
	const settle = async () => {
		while ((await told({kind: 'last', body: String(version)})).answers < 5) {
			await wait(1);
		}
	};

	const row = async (name: string, count: number, purge: () => Promise<boolean>, {before, after}: {readonly before?: () => Promise<unknown>; readonly after?: () => Promise<unknown>} = {}) => {
		const delays: number[] = [];
		for (let round = 0; round < count; round++) {
			await settle();
			await before?.();
			const old = String(version);
			version++;
			if (!await purge()) {
				throw new Error('The purge was not confirmed');
			}

			const purgedMs = nowMs();
			await settle();
			delays.push((await told({kind: 'last', body: old})).lastMs - purgedMs);
			await after?.();
		}

		delays.sort((one, other) => one - other);
		console.log(`| ${name} | ${count} | ${[0.5, 0.99, 1].map(share => format(percentile(delays, share))).join(' | ')} |`);
	};

	const byUrl = async () => cache.delete(url);
	const byTag = async () => cache.invalidate({tag: 'a'});
	console.log('| the other process | purges | median | 99 % | longest |\n|---|--:|--:|--:|--:|');
	await row('is told, by URL', rounds, byUrl);
	await row('is told, by tag', rounds, byTag);
	await told({kind: 'work', ms: workMs});
	await row(`is told, and works for ${workMs} ms at a time`, rounds, byUrl);
	await told({kind: 'work', ms: 0});
	await row('has its connection cut', roundsInTheDark, byUrl, {
		async before() {
			proxy.cutAll();
		},
	});
	await row('cannot be told: its connection is dead without a sign', roundsInTheDark, byUrl, {
		async before() {
			await told({kind: 'prove'});
			proxy.weather = {isBlackHole: true};
		},
		async after() {
			proxy.cutAll();
			proxy.weather = {};
			// Until it dares to use Redis again.
			await wait(1500);
		},
	});
	reader.disconnect();
};

const [role, store = '', url = ''] = process.argv.slice(2);

if (role === 'read') {
	await read(store, url);
} else {
	await measure();
}
