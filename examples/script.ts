/*
A script that asks an API again and again while you work on it. Its responses are in a file beside it, so that a second run asks for nothing.
*/
import process from 'node:process';
import got from 'got';
import {cacheInfo, redisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';
const client = got.extend(redisCache({store: 'sqlite:./script-cache.db', expireAfter: '1d'}));

for (const page of [1, 2, 1]) {
	const response = await client(`${api}/search`, {searchParams: {q: 'redis', page}});

	console.log(page, cacheInfo(response)?.status);
}
//=> 1 'miss'
//=> 2 'miss'
//=> 1 'hit'
