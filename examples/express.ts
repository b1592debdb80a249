/*
A service with Express: requests of a user are cached for that user, and an endpoint for Prometheus.
*/
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import process from 'node:process';
import express from 'express';
import got from 'got';
import {redisCache} from 'got-redis-cache';
import {registerMetrics} from 'got-redis-cache/prometheus';
import {Registry} from 'prom-client';

const api = process.env['API_URL'] ?? 'https://api.example.com';
const cache = redisCache({user: (request, {context}) => typeof context['userId'] === 'string' ? context['userId'] : undefined});
const client = got.extend(cache);
const registry = new Registry();
registerMetrics(cache, {registry});

const app = express();

app.get('/me', async (request, response) => {
	// In a service of yours, this comes from a session that you have checked.
	const userId = request.get('x-user') ?? 'nobody';
	const me = await client(`${api}/me`, {context: {userId}, headers: {authorization: `Bearer ${userId}`}});
	response.set('cache-status', me.headers['cache-status']).type('json').send(me.body);
});

app.get('/metrics', async (_request, response) => {
	response.type(registry.contentType).send(await registry.metrics());
});

const server = app.listen(0);
await once(server, 'listening');
const {port} = server.address() as AddressInfo;

for (const user of ['ada', 'ada', 'bob']) {
	const {headers} = await got(`http://localhost:${port}/me`, {headers: {'x-user': user}});

	console.log(user, String(headers['cache-status']).split(';')[1]);
}
//=> 'ada' 'fwd=uri-miss'
//=> 'ada' 'hit'
//=> 'bob' 'fwd=uri-miss'

const metrics = await got(`http://localhost:${port}/metrics`).text();

console.log(metrics.includes('got_redis_cache_requests_total'));
//=> true

server.close();
await cache.close();
