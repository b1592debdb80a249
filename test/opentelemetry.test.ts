import assert from 'node:assert/strict';
import {channel} from 'node:diagnostics_channel';
import test, {after, before, type TestContext} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {
	context,
	diag,
	DiagLogLevel,
	SpanKind,
	SpanStatusCode,
	trace,
	type Attributes,
	type Span,
} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader} from '@opentelemetry/sdk-metrics';
import {InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan, type SpanProcessor} from '@opentelemetry/sdk-trace';
import {redisCache} from '../source/index.ts';
import {instrumentCache} from '../source/opentelemetry.ts';
import {setUp, settleWrites} from './got/helpers.ts';
import {readStream} from './got/read-stream.ts';
import {holdNext, type Handler, type PlainResponse} from './helpers/origin.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};

const breakOff: Handler = (_request, response) => {
	response.destroy();
};

const stale: PlainResponse = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'stored'};

before(() => {
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

after(() => {
	context.disable();
});

/** The SDK of OpenTelemetry, which keeps what it is told. */
const startSdk = (...processors: readonly SpanProcessor[]) => {
	const spanExporter = new InMemorySpanExporter();
	const tracerProvider = new TracerProvider({spanProcessors: [...processors, new SimpleSpanProcessor({exporter: spanExporter})]});
	const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
	const reader = new PeriodicExportingMetricReader({exporter: metricExporter, exportIntervalMillis: 1_000_000});
	const meterProvider = new MeterProvider({readers: [reader]});
	const tracer = tracerProvider.getTracer('test');

	return {
		providers: {tracerProvider, meterProvider},
		/** Runs a function in a span, as a server would for a request to it. */
		async inSpan<Result>(name: string, run: (span: Span) => Promise<Result>): Promise<Result> {
			return tracer.startActiveSpan(name, async span => {
				try {
					return await run(span);
				} finally {
					span.end();
				}
			});
		},
		/** The spans of the cache, in the order of their ends. */
		spans: (): ReadableSpan[] => spanExporter.getFinishedSpans().filter(({name}) => name.startsWith('cache ')),
		allSpans: (): ReadableSpan[] => spanExporter.getFinishedSpans(),
		/** Resolves when as many spans of the cache have ended. */
		async until(count: number): Promise<ReadableSpan[]> {
			for (let turns = 0; turns < 100_000; turns++) {
				const spans = this.spans();
				if (spans.length >= count) {
					return spans;
				}

				await nextTurn();
			}

			throw new Error(`${this.spans().length} spans instead of ${count}`);
		},
		/** The values of a metric, with their attributes. */
		async metric(name: string): Promise<Array<{readonly attributes: Attributes; readonly value: unknown}>> {
			metricExporter.reset();
			await reader.forceFlush();
			return metricExporter.getMetrics().at(-1)?.scopeMetrics.flatMap(({metrics}) => metrics).find(({descriptor}) => descriptor.name === `got_redis_cache.${name}`)?.dataPoints ?? [];
		},
		async metricNames(): Promise<string[]> {
			metricExporter.reset();
			await reader.forceFlush();
			return metricExporter.getMetrics().at(-1)?.scopeMetrics.flatMap(({metrics}) => metrics).map(({descriptor}) => descriptor.name) ?? [];
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
		},
	};
};

const pick = (attributes: Attributes, ...names: readonly string[]) => names.map(name => attributes[name]);

const told = ({attributes}: ReadableSpan) => pick(attributes, 'cache.status', 'cache.reason', 'http.response.status_code');

test('each kind of request has a span with what the cache did', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);

	origin.queue(fresh);
	await client('items?api_key=secret');
	await settleWrites(setup);
	await client('items?api_key=secret');
	await readStream(client.stream('items?api_key=secret'));
	await sdk.until(3);
	origin.queue(stale, {status: 304, headers: {etag: '"1"'}}, {status: 503});
	await client('old');
	await settleWrites(setup);
	await client.extend({})('old');
	await settleWrites(setup);
	await client('old', {context: {cache: {staleIfError: true}}});
	origin.queue({status: 302, headers: {location: '/items?api_key=secret'}});
	await client('moved');
	await client('unknown', {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	origin.queue(breakOff);
	await assert.rejects(client('unknown'), {code: 'ECONNRESET'});

	const spans = await sdk.until(10);
	assert.deepEqual(spans.map(span => told(span)), [
		['miss', 'not-stored', 200],
		['hit', 'fresh', 200],
		['hit', 'fresh', 200],
		['miss', 'not-stored', 200],
		['revalidated', 'not-modified', 200],
		['stale', 'error-status', 200],
		['miss', 'not-stored', 302],
		['hit', 'fresh', 200],
		['unavailable', 'only-if-cached', 504],
		['miss', 'not-stored', undefined],
	]);
	assert.ok(spans.every(({kind, name}) => kind === SpanKind.INTERNAL && name === 'cache GET'));
	const [miss, hit] = spans;
	assert.ok(miss);
	assert.ok(hit);
	assert.deepEqual(
		pick(
			miss.attributes,
			'http.request.method',
			'url.full',
			'url.scheme',
			'server.address',
			'server.port',
			'cache.tier',
			'cache.forward_status_code',
			'cache.body.size',
			'http.request.resend_count',
		),
		['GET', `${origin.url}/items?api_key=REDACTED`, 'http', '127.0.0.1', origin.port, 'origin', 200, 6, undefined],
	);
	assert.ok(['memory', 'store'].includes(String(hit.attributes['cache.tier'])));
	assert.ok(Number(hit.attributes['cache.age']) >= 0);

	const failure = spans.at(-1);
	assert.deepEqual([failure?.attributes['error.type'], failure?.attributes['cache.not_stored'], failure?.status], ['ECONNRESET', 'error', {code: SpanStatusCode.ERROR}]);
	assert.ok(spans.slice(0, -1).every(({status}) => status.code === SpanStatusCode.UNSET));
	assert.ok(!JSON.stringify(spans.map(({attributes, events}) => [attributes, events])).includes('secret'));
});

test('the span of each of many concurrent requests has its caller\'s span as its parent, and is that of its request to the origin', async t => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	const parents = new Map<string, string | undefined>();
	const onRequest = (message: unknown) => {
		parents.set((message as {readonly request: {readonly path: string}}).request.path, trace.getActiveSpan()?.spanContext().spanId);
	};

	const requests = channel('http.client.request.start');
	requests.subscribe(onRequest);
	t.after(() => {
		requests.unsubscribe(onRequest);
	});
	origin.handler = (request, response) => {
		if (request.url.startsWith('/moved-')) {
			response.writeHead(302, {location: request.url.replace('moved', 'target')}).end();
		} else {
			response.writeHead(200, {'cache-control': 'max-age=60'}).end(request.url);
		}
	};

	await Promise.all(Array.from({length: 5}, async (_, index) => client(`known-${index}`)));
	await settleWrites(setup);
	await sdk.until(5);
	const paths = Array.from({length: 20}, (_, index) => [`known-${index % 5}`, `new-${index}`, `moved-${index}`]).flat();
	await Promise.all(paths.map(async (path, index) => sdk.inSpan(`caller ${index}`, async caller => {
		const id = caller.spanContext().spanId;
		assert.equal(trace.getActiveSpan(), caller);
		await (index % 2 === 0 ? client(path) : readStream(client.stream(path)));
		assert.equal(trace.getActiveSpan()?.spanContext().spanId, id);
	})));

	const spans = (await sdk.until(5 + 80)).slice(5);
	const callers = new Map(sdk.allSpans().filter(({name}) => name.startsWith('caller')).map(span => [span.spanContext().spanId, span]));
	assert.equal(spans.length, 80);
	const byCaller = Map.groupBy(spans, ({parentSpanContext}) => parentSpanContext?.spanId);
	assert.equal(byCaller.size, paths.length);
	for (const [id, own] of byCaller) {
		const caller = callers.get(String(id));
		assert.ok(caller);
		const path = String(paths[Number(caller.name.slice('caller '.length))]);
		const expected = path.startsWith('moved') ? [path, path.replace('moved', 'target')] : [path];
		assert.deepEqual(own.map(({attributes}) => String(attributes['url.full']).slice(origin.url.length + 1)), expected);
		assert.ok(own.every(span => span.spanContext().traceId === caller.spanContext().traceId));
	}

	const misses = spans.filter(({attributes}) => attributes['cache.status'] === 'miss');
	assert.equal(misses.length, 60);
	for (const span of misses) {
		assert.equal(parents.get(String(span.attributes['url.full']).slice(origin.url.length)), span.spanContext().spanId);
	}
});

test('collapsed requests have spans of their own callers, and a refresh has the caller that it is made for', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	const held = holdNext(origin);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=0, stale-while-revalidate=60'}).end('body');
	};

	const requests = Promise.all([1, 2, 3].map(async number => sdk.inSpan(`caller ${number}`, async () => client('items'))));
	await held.arrived;
	held.release();
	await requests;
	const collapsed = await sdk.until(3);
	assert.equal(collapsed.filter(({attributes}) => attributes['cache.collapsed']).length, 2);
	assert.equal(new Set(collapsed.map(({parentSpanContext}) => parentSpanContext?.spanId)).size, 3);

	await settleWrites(setup);
	let callerId = '';
	await sdk.inSpan('caller 4', async caller => {
		callerId = caller.spanContext().spanId;
		await client('items');
	});
	const [hit, refresh] = (await sdk.until(5)).slice(3);
	assert.deepEqual([hit, refresh].map(span => span && pick(span.attributes, 'cache.status', 'cache.refresh')), [['stale', false], ['miss', true]]);
	assert.deepEqual([hit, refresh].map(span => span?.parentSpanContext?.spanId), [callerId, callerId]);
});

test('a stream that is retried, and a request that is made while another one is read, have the span of the caller as their parent', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	origin.queue({status: 503}, fresh, fresh);
	let callerId = '';
	await sdk.inSpan('caller', async caller => {
		callerId = caller.spanContext().spanId;
		const {promise, resolve} = Promise.withResolvers<unknown>();
		const stream = client.stream('items', {retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});
		stream.once('retry', (_count: number, _error: Error, createRetryStream: () => typeof stream) => {
			const again = createRetryStream();
			again.once('data', () => {
				resolve(client('other'));
			});
			again.resume();
		});
		stream.resume();
		await promise;
	});

	const spans = await sdk.until(3);
	assert.equal(spans.filter(({attributes}) => attributes['url.full'] === `${origin.url}/items`).length, 2);
	assert.deepEqual(spans.map(({parentSpanContext}) => parentSpanContext?.spanId), [callerId, callerId, callerId]);
});

test('a retry has the caller of the attempt before it, and its number', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	origin.queue({status: 503}, fresh);
	let callerId = '';
	await sdk.inSpan('caller', async caller => {
		callerId = caller.spanContext().spanId;
		await client('items', {retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});
	});

	const spans = await sdk.until(2);
	assert.deepEqual(spans.map(({attributes, parentSpanContext}) => [attributes['http.request.resend_count'], parentSpanContext?.spanId]), [[undefined, callerId], [1, callerId]]);
});

test('the span of the caller has the number of its requests by status', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	origin.queue(fresh);
	await sdk.inSpan('caller', async () => {
		await client('items');
		await settleWrites(setup);
		await client('items');
		await client('items');
	});

	const caller = sdk.allSpans().find(({name}) => name === 'caller');
	assert.deepEqual(caller?.attributes, {'cache.requests.miss': 1, 'cache.requests.hit': 2});
});

test('metrics count requests, bytes, look-ups and the time saved, without URLs', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await client('items');
	await client('items');
	origin.queue({headers: {'cache-control': 'max-age=0, stale-while-revalidate=60'}, body: 'old'}, {status: 404});
	await client('old');
	await settleWrites(setup);
	await client('old');
	const held = holdNext(origin);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	const equal = Promise.all([client('equal'), client('equal')]);
	await held.arrived;
	held.release();
	await equal;
	await sdk.until(8);
	origin.queue(breakOff);
	await assert.rejects(client('unknown'), {code: 'ECONNRESET'});
	await sdk.until(9);

	const server = {'http.request.method': 'GET', 'url.scheme': 'http', 'server.address': '127.0.0.1', 'server.port': origin.port};
	const requests = await sdk.metric('requests');
	// Memory answers once it has what Redis has.
	const inMemory = requests.map(({attributes, value}) => [attributes['cache.tier'] === 'store' ? {...attributes, 'cache.tier': 'memory'} : attributes, value] as const);
	const added = Map.groupBy(inMemory, ([attributes]) => JSON.stringify(attributes)).values().map(points => [points[0]?.[0], points.reduce((sum, [, value]) => sum + Number(value), 0)]).toArray();
	assert.deepEqual(added, [
		[{...server, 'cache.tier': 'origin', 'cache.status': 'miss', 'cache.reason': 'not-stored', 'http.response.status_code': 200}, 3],
		[{...server, 'cache.tier': 'memory', 'cache.status': 'hit', 'cache.reason': 'fresh', 'http.response.status_code': 200}, 2],
		[{...server, 'cache.tier': 'memory', 'cache.status': 'stale', 'cache.reason': 'stale-while-revalidate', 'http.response.status_code': 200}, 1],
		[{...server, 'cache.tier': 'memory', 'cache.status': 'hit', 'cache.reason': 'collapsed', 'http.response.status_code': 200}, 1],
		[{...server, 'cache.status': 'miss', 'cache.reason': 'not-stored', 'error.type': 'ECONNRESET'}, 1],
	]);

	const stats = cache.stats();
	const sum = (points: ReadonlyArray<{readonly value: unknown}>) => points.reduce((total, {value}) => total + Number(value), 0);
	const counts = (points: ReadonlyArray<{readonly value: unknown}>) => points.reduce((total, {value}) => total + (value as {readonly count: number}).count, 0);
	assert.equal(sum(await sdk.metric('io')), stats.bytes.memory + stats.bytes.store + stats.bytes.origin);
	assert.equal(counts(await sdk.metric('lookup.duration')), stats.lookUps.count);
	assert.equal(counts(await sdk.metric('request.duration')), stats.requests);
	assert.equal(Math.round(sum(await sdk.metric('saved_time')) * 1000), stats.savedMs);
	assert.deepEqual([sum(await sdk.metric('collapsed')), sum(await sdk.metric('refreshes'))], [stats.collapsed, stats.refreshes]);
	assert.deepEqual(Object.fromEntries((await sdk.metric('not_stored')).map(({attributes, value}) => [attributes['cache.not_stored'], value])), stats.notStored);
	assert.deepEqual((await sdk.metric('store.state')).filter(({value}) => value === 1).map(({attributes}) => attributes['cache.store.state']), ['ok']);
	const {hits} = cache.health().counters;
	assert.equal((await sdk.metric('store.keys')).find(({attributes}) => attributes['cache.store.outcome'] === 'hit')?.value, hits);
});

test('after 64 origins, all others are `_OTHER`', async () => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {cache, client} = setup;
	instrumentCache(cache, sdk.providers);
	for (let index = 0; index < 70; index++) {
		await assert.rejects(client(`https://host-${index}.invalid/${index}`, {prefixUrl: '', request() {
			throw Object.assign(new Error('no such host'), {code: 'ENOTFOUND'});
		}}), {code: 'ENOTFOUND'});
	}

	await sdk.until(70);
	const requests = await sdk.metric('requests');
	assert.equal(requests.length, 65);
	assert.deepEqual(pick(requests[0]!.attributes, 'server.address', 'server.port', 'url.scheme'), ['host-0.invalid', 443, 'https']);
	const others = requests.at(-1);
	assert.deepEqual([others?.attributes['server.address'], others?.attributes['server.port'], others?.value], ['_OTHER', undefined, 6]);
});

test('a part of the SDK that throws fails no request', async t => {
	await using setup = await setUp();
	await using sdk = startSdk({
		onStart(span) {
			if (span.attributes['url.full']?.toString().includes('start')) {
				throw new Error('start');
			}
		},
		onEnd() {
			throw new Error('end');
		},
		forceFlush: async () => undefined,
		shutdown: async () => undefined,
	});
	const messages: string[] = [];
	const tell = (...parts: readonly unknown[]) => {
		messages.push(parts.map(String).join(' '));
	};

	diag.setLogger({error: tell, warn: tell, info: tell, debug: tell, verbose: tell}, {logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true});
	t.after(() => {
		diag.disable();
	});
	const {origin, cache, client} = setup;
	const errors: Error[] = [];
	cache.on('error', error => {
		errors.push(error);
	});
	instrumentCache(cache, sdk.providers);
	origin.queue(fresh, fresh);
	assert.equal(await client('start').text(), 'stored');
	assert.equal(await client('end').text(), 'stored');
	await settleWrites(setup);
	assert.equal(await client('end').text(), 'stored');
	await nextTurn();

	assert.deepEqual(messages, ['start', 'end', 'end'].map(text => `got-redis-cache: a span was not recorded Error: ${text}`));
	assert.deepEqual(errors, []);
});

test('a request that fails before its look-up has a span with the error', async () => {
	await using setup = await setUp({key() {
		throw new Error('no key');
	}});
	await using sdk = startSdk();
	instrumentCache(setup.cache, sdk.providers);
	await assert.rejects(setup.client('items'), {name: 'RequestError'});

	const [span] = await sdk.until(1);
	assert.deepEqual([span?.attributes['error.type'], span?.attributes['cache.status'], span?.status.code], ['Error', undefined, SpanStatusCode.ERROR]);
});

test('only the cache that is instrumented is recorded, until that ends or the cache is closed', async (t: TestContext) => {
	await using setup = await setUp();
	await using sdk = startSdk();
	const {origin, cache, client, other} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	const stop = instrumentCache(cache, sdk.providers);
	t.assert.throws(() => instrumentCache(cache, sdk.providers), {name: 'TypeError', message: /is instrumented already/v});
	const {client: otherClient} = other();
	await otherClient('items');
	await client('items');
	assert.equal((await sdk.until(1)).length, 1);
	stop();
	stop();
	await client('items');
	assert.equal(sdk.spans().length, 1);
	assert.equal((await sdk.metric('requests')).reduce((sum, {value}) => sum + Number(value), 0), 1);
	assert.deepEqual(await sdk.metric('store.state'), []);

	instrumentCache(cache, sdk.providers);
	await client('items');
	await sdk.until(2);
	await cache.close();
	await client('items');
	assert.equal(sdk.spans().length, 2);
	instrumentCache(cache, sdk.providers)();
});

test('without an SDK, requests go on as ever', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const stop = instrumentCache(cache);
	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	assert.equal((await client('items')).isFromCache, true);
	stop();
});

test('wrong arguments of instrumentCache() throw a TypeError that names them', async () => {
	const cache = redisCache('memory');
	const refuse = instrumentCache as (...given: readonly unknown[]) => unknown;
	assert.throws(() => refuse({}), {name: 'TypeError', message: 'Expected a cache that redisCache() made in instrumentCache(), got an object of class Object'});
	assert.throws(() => refuse(cache, {meterProvider: {}}), {
		name: 'TypeError',
		message: 'Expected the option `meterProvider` in instrumentCache() to be a MeterProvider of OpenTelemetry, got an object of class Object',
	});
	assert.throws(() => refuse(cache, {provider: {}}), {name: 'TypeError', message: /Unknown option `provider`/v});
	await cache.close();
});
