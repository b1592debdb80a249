import {request, type RequestOptions} from 'node:http';
import got, {type Got} from 'got';
import {randomFrom} from '../../source/acceptance/random.ts';
import {redisCache, type RedisCache} from '../../source/index.ts';
import {startOrigin, type Handler} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {zipf} from '../helpers/zipf.ts';
import {pngOf} from './png.ts';

/*
A cache with an hour of history, for the pictures of docs/inspector.md.
*/

const minuteMs = 60_000;
const minutes = 60;

const cacheControl: Readonly<Record<string, string>> = {
	items: 'max-age=1200, stale-while-revalidate=1800, stale-if-error=7200',
	prices: 'max-age=120, stale-while-revalidate=600',
	me: 'private, max-age=60',
	'logo.png': 'public, max-age=86400, immutable',
};

const itemOf = (id: number, language: string) => ({
	id,
	language,
	title: `Item no. ${id}`,
	price: {amount: 19.9, currency: 'EUR'},
	tags: ['new', 'sale'],
	available: true,
	related: [4, 8, 15, 16, 23, 42],
});

const answer: Handler = ({url, headers}, response) => {
	const [, kind = '', id = '0'] = url.split('/', 3);
	const isPicture = kind === 'logo.png';
	response.writeHead(200, {
		'content-type': isPicture ? 'image/png' : 'application/json; charset=utf-8',
		'cache-control': cacheControl[kind] ?? 'max-age=600',
		etag: `"${kind}-${id}"`,
		date: new Date(Date.now()).toUTCString(),
		...kind === 'items' && {vary: 'accept-language'},
	});
	response.end(isPicture ? pngOf(160, 60) : JSON.stringify(itemOf(Number(id), headers['accept-language'] ?? 'en')));
};

const places = [['https://api.example.com/items', 60], ['https://prices.example.com/prices', 30], ['https://api.example.com/me', 4]] as const;

/** Makes the requests of an hour: each minute with a clock that is put back. */
const makeHistory = async (client: Got, cache: RedisCache): Promise<void> => {
	const next = randomFrom(7);
	const ranks = new Map(places.map(([place, count]) => [place, zipf(count, next)]));
	const realNow = Date.now;
	try {
		for (let minute = minutes; minute >= 0; minute--) {
			Date.now = () => realNow() - (minute * minuteMs);
			const count = Math.round(25 + (15 * Math.sin(minute / 7)) + (next() * 12));
			for (let index = 0; index < count; index++) {
				const random = next();
				const [place] = places[random < 0.62 ? 0 : (random < 0.94 ? 1 : 2)];
				await client(`${place}/${ranks.get(place)?.() ?? 0}`, {headers: {'accept-language': next() < 0.8 ? 'en' : 'de'}, context: {cache: {tags: [place.split('/').at(-1) ?? '']}}});
			}

			await client('https://static.example.com/logo.png');
			await cache.fleetStats();
		}
	} finally {
		Date.now = realNow;
	}
};

export type Showcase = AsyncDisposable & {
	/** The URL of its Redis. */
	readonly store: string;
	readonly cache: RedisCache;
	readonly client: Got;
};

export const startShowcase = async (): Promise<Showcase> => {
	const [origin, redis] = await Promise.all([startOrigin(answer), startRedis()]);
	const cache = redisCache({store: redis.url, timeout: '10s'});
	const client = got.extend(cache, {
		retry: {limit: 0},
		throwHttpErrors: false,
		// The URLs look like those of a real service, and one origin answers all of them.
		request: (url, options, callback) => request({...options as RequestOptions, protocol: 'http:', host: '127.0.0.1', hostname: '127.0.0.1', port: origin.port, path: url.pathname}, callback),
	});
	await makeHistory(client, cache);

	return {
		store: redis.url,
		cache,
		client,
		async [Symbol.asyncDispose]() {
			await cache.close();
			await Promise.all([origin.stop(), redis.stop()]);
		},
	};
};
