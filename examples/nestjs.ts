/*
A service with NestJS: the cache and its client are providers, the health check tells of the cache, and a shutdown closes it.
*/
import process from 'node:process';
import 'reflect-metadata';
import {Controller, Get, Inject, Injectable, Module, type OnApplicationShutdown} from '@nestjs/common';
import {NestFactory} from '@nestjs/core';
import {FastifyAdapter, type NestFastifyApplication} from '@nestjs/platform-fastify';
import got, {type Got} from 'got';
import {redisCache, type RedisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';

const httpCache = Symbol('HTTP cache');
const httpClient = Symbol('HTTP client');

@Injectable()
class CacheShutdown implements OnApplicationShutdown {
	constructor(@Inject(httpCache) private readonly cache: RedisCache) {}

	async onApplicationShutdown() {
		await this.cache.close();
		console.log(this.cache.health().state);
	}
}

@Controller()
class ItemsController {
	constructor(@Inject(httpClient) private readonly client: Got, @Inject(httpCache) private readonly cache: RedisCache) {}

	@Get('items')
	async items() {
		return this.client(`${api}/items`).json();
	}

	// A service works without its cache: a state other than `ok` is worth a warning, and no reason to stop the process.
	@Get('health')
	health() {
		return {status: 'ok', cache: this.cache.health().state};
	}
}

@Module({
	controllers: [ItemsController],
	providers: [
		{provide: httpCache, useFactory: () => redisCache({staleIfError: '1d', ttlOffset: '1d'})},
		{provide: httpClient, useFactory: (cache: RedisCache) => got.extend(cache), inject: [httpCache]},
		CacheShutdown,
	],
})
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {logger: ['error', 'warn']});
app.enableShutdownHooks(['SIGTERM']);

await app.get<RedisCache>(httpCache).ready();
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
const address = await app.getUrl();

// Somebody uses the service.
console.log(await got(`${address}/items`).json(), await got(`${address}/health`).json());
//=> [] { status: 'ok', cache: 'ok' }

// The orchestrator's SIGTERM does the same.
await app.close();
//=> 'closed'
