/*
A service of many users: requests of a user are cached for that user, and an endpoint for Prometheus.
*/
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import process from 'node:process';
import got from 'got';
import {Registry} from 'prom-client';
import {redisCache} from 'got-redis-cache';
import {registerMetrics} from 'got-redis-cache/prometheus';

const api = process.env.API_URL ?? 'https://api.example.com';
const cache = redisCache({user: (_request, {context}) => typeof context.userId === 'string' ? context.userId : undefined});
const client = got.extend(cache);
const registry = new Registry();
registerMetrics(cache, {registry});

const server = createServer(async (request, response) => {
	if (request.url === '/metrics') {
		response.setHeader('content-type', registry.contentType).end(await registry.metrics());
		return;
	}

	// In a service of yours, the user comes from a session that you have checked.
	const userId = String(request.headers['x-user'] ?? 'nobody');
	const me = await client(`${api}/me`, {context: {userId}, headers: {authorization: `Bearer ${userId}`}});
	response.setHeader('cache-status', String(me.headers['cache-status'])).end(me.body);
}).listen(0);
await once(server, 'listening');
const {port} = server.address() as AddressInfo;

for (const user of ['ada', 'ada', 'bob']) {
	const {headers} = await got(`http://localhost:${port}/me`, {headers: {'x-user': user}});

	console.log(user, String(headers['cache-status']).split(';', 2)[1]);
}
//=> 'ada' 'fwd=uri-miss'
//=> 'ada' 'hit'
//=> 'bob' 'fwd=uri-miss'

const metrics = await got(`http://localhost:${port}/metrics`).text();

console.log(metrics.includes('got_redis_cache_requests_total'));
//=> true

server.close();
await cache.close();
