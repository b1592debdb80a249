/*
Two processes share a Redis: a service that answers from the cache, and an endpoint by which a CMS purges. Here they are one program with two caches, which share nothing but the Redis.
*/
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import process from 'node:process';
import got from 'got';
import {redisCache} from 'got-redis-cache';
import {purgeHandler} from 'got-redis-cache/webhook';

const api = process.env.API_URL ?? 'https://api.example.com';
const token = process.env.PURGE_TOKEN ?? 'the-output-of-openssl-rand-hex-32';

// The service.
const client = got.extend(redisCache());
const isHit = async () => (await client(`${api}/items`, {context: {cache: {tags: ['items']}}})).isFromCache;

console.log(await isHit(), await isHit());
//=> false true

// The other process.
const server = createServer(purgeHandler({cache: redisCache(), token})).listen(0);
await once(server, 'listening');

// The CMS.
const {port} = server.address() as AddressInfo;
const answer = await got.post(`http://localhost:${port}`, {headers: {authorization: `Bearer ${token}`}, json: {tag: 'items'}}).json();

console.log(answer);
//=> { confirmed: true }

console.log(await isHit());
//=> false

server.close();
