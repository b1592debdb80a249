/*
A service with Fastify: a health check that tells of the cache, and a shutdown that loses nothing.
*/
import process from 'node:process';
import fastify from 'fastify';
import got from 'got';
import {redisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';
const cache = redisCache({staleIfError: '1d', ttlOffset: '1d'});
const client = got.extend(cache);

const app = fastify();

app.get('/items', async () => client(`${api}/items`).json());

// A service works without its cache: `degraded` is worth a warning, and no reason to stop the process.
app.get('/health', async () => ({status: 'ok', cache: cache.health().state}));

app.addHook('onClose', async () => {
	await cache.close();
});

cache.on('degraded', error => {
	app.log.warn(error);
});

process.once('SIGTERM', () => {
	void app.close();
});

await cache.ready();
const address = await app.listen({port: Number(process.env.PORT ?? 0), host: '127.0.0.1'});

// Somebody uses the service, and the orchestrator ends it.
console.log(await got(`${address}/items`).json(), await got(`${address}/health`).json());
//=> [] { status: 'ok', cache: 'ok' }

process.kill(process.pid, 'SIGTERM');
