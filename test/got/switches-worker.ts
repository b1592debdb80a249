import process from 'node:process';
import got from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';

/** What came of a request of another process. */
export type Answer = {
	readonly statusCode: number;
	readonly body: string;
	readonly status: string | undefined;
	readonly reason: string | undefined;
	readonly switches: ReadonlyArray<{readonly origin: string; readonly kind: string}>;
};

/*
A process of a fleet: requests each URL that it is told.
*/
const options = JSON.parse(process.argv[2] ?? '{}') as RedisCacheOptions;
const cache = redisCache({timeout: '30s', ...options});
const client = got.extend({retry: {limit: 0}, throwHttpErrors: false}, cache);

process.on('message', async (url: string) => {
	const response = await client(url);
	const {status, reason} = cacheInfo(response) ?? {};
	const answer: Answer = {statusCode: response.statusCode, body: response.body, status, reason, switches: cache.health().switches.map(({origin, kind}) => ({origin, kind}))};
	process.send?.(answer);
});

process.on('disconnect', () => {
	process.exit();
});

process.send?.('ready');
