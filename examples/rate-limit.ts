/*
Stay below the limit of an API, with all processes together. Hits are free; requests over the limit wait, or are answered stale.
*/
import process from 'node:process';
import got from 'got';
import {cacheInfo, redisCache} from 'got-redis-cache';
import {rateLimit} from 'got-redis-cache/rate-limit';

const api = process.env.API_URL ?? 'https://api.example.com';
const cache = redisCache();
const {host} = new URL(api);
const limits = rateLimit(cache, {[host]: '2/m'});
const client = got.extend(cache);

for (const path of ['items', 'items', 'validated', 'validated']) {
	const response = await client(`${api}/${path}`);
	const {status, reason} = cacheInfo(response) ?? {};

	console.log(path, status, reason);
}
//=> 'items' 'miss' 'not-stored'
//=> 'items' 'hit' 'fresh'
//=> 'validated' 'miss' 'not-stored'
//=> 'validated' 'stale' 'rate-limited'

console.log(limits.stats()[host]?.sent);
//=> 2
