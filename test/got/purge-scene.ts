import got, {type Got} from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';

/** Each is purged in another way. */
export const paths = ['url', 'tag/1', 'soft/1', 'prefix/1'];

/** By what they purge of these. */
export const purges: Record<string, (cache: RedisCache, url: string) => Promise<boolean>> = {
	url: async (cache, url) => cache.delete(`${url}/url`),
	tag: async cache => cache.invalidate({tag: 'tag'}),
	soft: async cache => cache.invalidate({tag: 'soft'}, {soft: true}),
	prefix: async (cache, url) => cache.invalidate({prefix: `${url}/prefix`}),
};

export type PurgeClient = {
	readonly cache: RedisCache;
	readonly client: Got;
	/** What the cache has told to be wrong. */
	readonly errors: readonly string[];
	/** Of all paths. */
	bodies(): Promise<string[]>;
	/** When they are stored, all of them. */
	bodiesStored(): Promise<string[]>;
};

export type PurgeScene = PurgeClient & AsyncDisposable & {
	readonly origin: Origin;
	/** As in another process. It ends with the scene. */
	other(options: RedisCacheOptions): PurgeClient;
};

/**
An origin each of whose answers is another, so that an old one shows, and a cache in front of it.
*/
export const startPurgeScene = async (options: RedisCacheOptions): Promise<PurgeScene> => {
	const origin = await startOrigin(({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': url.split('/', 2)[1]}).end(`${url} ${origin.requests.length}`);
	});
	const caches: RedisCache[] = [];

	const other = (more: RedisCacheOptions): PurgeClient => {
		const cache = redisCache({timeout: 5000, tagField: 'cache-tag', ...more});
		caches.push(cache);
		const errors: string[] = [];
		cache.on('error', ({message}) => errors.push(message));
		const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
		const bodies = async () => Promise.all(paths.map(async path => client(path).text()));

		return {
			cache,
			client,
			errors,
			bodies,
			async bodiesStored() {
				let last = await bodies();
				for (let again = await bodies(); String(again) !== String(last); again = await bodies()) {
					last = again;
				}

				return last;
			},
		};
	};

	return {
		origin,
		other,
		...other(options),
		async [Symbol.asyncDispose]() {
			await Promise.all(caches.map(async cache => cache.close()));
			await origin.stop();
		},
	};
};
