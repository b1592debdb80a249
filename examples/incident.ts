/*
An incident drill: the origin fails, stale responses answer, an operator freezes the origin, and thaws it when it is back.
*/
import process from 'node:process';
import got from 'got';
import {cacheInfo, redisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';
const cache = redisCache({staleIfError: '1h'});
const client = got.extend(cache, {retry: {limit: 0}});

const ask = async () => {
	const response = await client(`${api}/flaky`);
	const {status, reason} = cacheInfo(response) ?? {};

	return [response.body, status, reason].join(', ');
};

console.log(await ask());
//=> 'the last good answer, miss, not-stored'

// The origin answers 503 from now on: each request still asks it first.
console.log(await ask());
//=> 'the last good answer, stale, error-status'

// Spare the origin: every process answers from the cache alone.
await cache.freeze({origin: api}, '30m');

console.log(await ask());
//=> 'the last good answer, stale, frozen'

await cache.thaw({origin: api});

console.log(cache.stats().requests);
//=> 3
