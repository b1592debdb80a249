/*
Spans of what the cache does, with the SDK of OpenTelemetry. In a service, export them to your collector.
*/
import process from 'node:process';
import {InMemorySpanExporter, SimpleSpanProcessor, TracerProvider} from '@opentelemetry/sdk-trace';
import got from 'got';
import {redisCache} from 'got-redis-cache';
import {instrumentCache} from 'got-redis-cache/opentelemetry';

const api = process.env.API_URL ?? 'https://api.example.com';
const exporter = new InMemorySpanExporter();
const tracerProvider = new TracerProvider({spanProcessors: [new SimpleSpanProcessor({exporter})]});

const cache = redisCache();
instrumentCache(cache, {tracerProvider});
const client = got.extend(cache);

await client(`${api}/items`);
await client(`${api}/items`);

for (const {name, attributes} of exporter.getFinishedSpans()) {
	console.log(name, attributes['cache.status'], attributes['cache.reason']);
}
//=> 'cache GET' 'miss' 'not-stored'
//=> 'cache GET' 'hit' 'fresh'
