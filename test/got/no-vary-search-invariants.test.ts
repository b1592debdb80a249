import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import got, {type Got} from 'got';
import {isEquivalent, urlVariation} from '../../source/http/no-vary-search.ts';
import {normalizeUrl} from '../../source/http/url.ts';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {runsOf, triesOf} from '../helpers/runs.ts';

/*
Whatever two processes ask for and purge, and whatever the origin says in between, nobody is given what is stored for a URL that is not equivalent to his, nor what was purged.
*/

type Given = {
	/** Of the request at the origin. */
	readonly number: number;
	/** What the origin was asked for. */
	readonly url: string;
	/** What it said. */
	readonly field: string;
};

type Step =
	| {readonly kind: 'ask'; readonly process: number; readonly searches: readonly string[]; readonly headers: Record<string, string>}
	| {readonly kind: 'delete' | 'post'; readonly process: number; readonly search: string}
	| {readonly kind: 'say'; readonly field: string; readonly lifetimeSeconds: number};

const search = fc.array(fc.constantFrom('a=1', 'a=2', 'b=1', 'b=2', 'c', 'c=', '%61=1'), {maxLength: 3}).map(list => list.length === 0 ? '' : `?${list.join('&')}`);
const process = fc.nat({max: 1});
const step: fc.Arbitrary<Step> = fc.oneof(
	{weight: 8, arbitrary: fc.record({
		kind: fc.constant('ask' as const),
		process,
		searches: fc.array(search, {minLength: 1, maxLength: 3}),
		headers: fc.constantFrom<Record<string, string>>({}, {}, {}, {'cache-control': 'no-cache'}, {'cache-control': 'max-age=0'}, {range: 'bytes=0-'}),
	})},
	{weight: 2, arbitrary: fc.record({kind: fc.constantFrom('delete' as const, 'post' as const), process, search})},
	{weight: 2, arbitrary: fc.record({
		kind: fc.constant('say' as const),
		field: fc.constantFrom('params=("a")', 'params=("b")', 'except=("a")', 'key-order', 'params', '', 'nonsense=('),
		lifetimeSeconds: fc.constantFrom(60, 60, 0),
	})},
);

const isFor = (url: string, given: Given): boolean => isEquivalent(normalizeUrl(url), normalizeUrl(given.url), urlVariation(given.field));

const origin = await startOrigin();
const redis = await startRedis();
test.after(async () => {
	await Promise.all([origin.stop(), redis.stop()]);
});

const caches = (options: () => RedisCacheOptions): Array<{readonly cache: RedisCache; readonly client: Got}> => {
	const given = options();

	return [0, 1].map(() => {
		const cache = redisCache({timeout: 5000, ...given});
		return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	});
};

let runs = 0;

const stores: Record<string, () => RedisCacheOptions> = {
	'a Map': () => ({store: new Map()}),
	'Redis without memory': () => ({store: redis.url, memory: false, namespace: `run${runs++}`}),
};

for (const [name, options] of Object.entries(stores)) {
	test(`${name}: nobody is given what is not for him, or was purged`, async () => {
		const tries = 60;
		const reused: string[] = [];
		await fc.assert(fc.asyncProperty(fc.array(step, {minLength: 3, maxLength: 15}), async steps => {
			const processes = caches(options);
			let [field, lifetimeSeconds, number] = ['params=("a")', 60, 0];
			origin.handler = ({url, headers}, response) => {
				number++;
				// Now and then what is stored is still right, and what it says of itself changes.
				const isConfirmed = number % 2 === 0 && headers['if-none-match'] !== undefined;
				const fields: Record<string, string> = field === '' ? {} : {'no-vary-search': field};
				response.writeHead(isConfirmed ? 304 : 200, {
					'cache-control': `max-age=${lifetimeSeconds}`,
					etag: isConfirmed ? headers['if-none-match'] : `"${number}"`,
					'x-number': String(number),
					'x-url': url,
					...fields,
				});
				response.end(isConfirmed ? undefined : 'x');
			};

			/** For each URL that was purged, the last request before that. */
			const purged = new Map<string, number>();
			for (const each of steps) {
				switch (each.kind) {
					case 'say': {
						({field, lifetimeSeconds} = each);
						break;
					}

					case 'delete': {
						assert.equal(await processes[each.process]!.cache.delete(`${origin.url}/p${each.search}`), true);
						purged.set(`/p${each.search}`, number);
						break;
					}

					case 'post': {
						await processes[each.process]!.client.post(`p${each.search}`);
						purged.set(`/p${each.search}`, number);
						break;
					}

					case 'ask': {
						const {client} = processes[each.process]!;
						await Promise.all(each.searches.map(async asked => {
							const {isFromCache, headers} = await client(`p${asked}`, {headers: each.headers});
							if (!isFromCache) {
								return;
							}

							reused.push(asked);
							const given = {number: Number(headers['x-number']), url: String(headers['x-url']), field: String(headers['no-vary-search'] ?? '')};
							assert.ok(isFor(`/p${asked}`, given), `${asked} was given ${JSON.stringify(given)}`);
							for (const [url, last] of purged) {
								assert.ok(given.number > last || !isFor(url, given), `${asked} was given ${JSON.stringify(given)}, though ${url} was purged after ${last}`);
							}
						}));
					}
				}
			}

			await Promise.all(processes.map(async ({cache}) => cache.close()));
		}), triesOf(tries));
		assert.ok(reused.length > runsOf(tries) / 3);
	});
}
