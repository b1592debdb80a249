import assert from 'node:assert/strict';
import {AsyncLocalStorage} from 'node:async_hooks';
import {channel, tracingChannel} from 'node:diagnostics_channel';
import test, {type TestContext} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {ExchangeReport, ExchangeTrace} from '../../source/index.ts';
import type {PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites} from '../got/helpers.ts';
import {readStream} from '../got/read-stream.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};

const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

/** Records what the tracing channel publishes. */
const traceEvents = (t: TestContext) => {
	const events: Array<readonly [name: string, trace: ExchangeTrace]> = [];
	const traced = tracingChannel<unknown, ExchangeTrace>('got-redis-cache:exchange');
	const subscribers = Object.fromEntries(names.map(name => [name, (trace: ExchangeTrace) => {
		events.push([name, trace]);
	}])) as unknown as Parameters<typeof traced.subscribe>[0];
	traced.subscribe(subscribers);
	t.after(() => {
		traced.unsubscribe(subscribers);
	});

	return events;
};

const whole = ['start', 'end', 'asyncStart', 'asyncEnd'];

const namesBy = (events: ReturnType<typeof traceEvents>) => Map.groupBy(events, ([, trace]) => trace).values().map(group => group.map(([name]) => name)).toArray();

test('the tracing channel tells of the start and the end of each exchange, with the report as its result', async t => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const events = traceEvents(t);
	const reports: ExchangeReport[] = [];
	cache.on('exchange', report => {
		reports.push(report);
	});
	origin.queue(fresh);
	for (let count = 0; count < 3; count++) {
		await client('items?token=secret');
		await settleWrites(setup);
	}

	await readStream(client.stream('items?token=secret'));
	while (reports.length < 4) {
		await nextTurn();
	}

	assert.deepEqual(namesBy(events), [whole, whole, whole, whole]);
	const traces = [...new Set(events.map(([, trace]) => trace))];
	assert.deepEqual(traces.map(({result}) => result), reports);
	for (const {method, url, result} of traces) {
		assert.deepEqual([method, url], [result?.method, result?.url]);
		assert.ok(!url.includes('secret'));
	}
});

test('the tracing channel tells of an error, a redirect, a retry and a stale response that stands in', async t => {
	await using setup = await setUp();
	const {origin, client} = setup;
	origin.queue({...fresh, headers: {'cache-control': 'max-age=0', etag: '"1"'}});
	await client('items');
	await settleWrites(setup);
	const events = traceEvents(t);
	origin.queue({status: 302, headers: {location: '/other'}}, {status: 503}, fresh);
	await client('redirect', {retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});
	assert.deepEqual(namesBy(events), [whole, whole, whole]);

	events.length = 0;
	await origin.stop();
	await client('items');
	assert.deepEqual(namesBy(events), [whole]);
	assert.equal(events[0]?.[1].result?.status, 'stale');

	events.length = 0;
	await assert.rejects(client('unknown'), {code: 'ECONNREFUSED'});
	assert.deepEqual(namesBy(events), [['start', 'end', 'error', 'asyncStart', 'asyncEnd']]);
	assert.match(String(events[0]?.[1].error), /ECONNREFUSED/v);
});

test('a request that fails before its look-up has an end in the tracing channel, without a result', async t => {
	await using setup = await setUp({key() {
		throw new Error('no key');
	}});
	const events = traceEvents(t);
	await assert.rejects(setup.client('items'), {name: 'RequestError'});

	assert.deepEqual(namesBy(events), [['start', 'end', 'error', 'asyncStart', 'asyncEnd']]);
	assert.equal(events[0]?.[1].result, undefined);
});

test('a store that is bound to the tracing channel is there for the look-up and for the request to the origin', async t => {
	await using setup = await setUp();
	const {origin, client} = setup;
	const storage = new AsyncLocalStorage<ExchangeTrace>();
	const started = channel('tracing:got-redis-cache:exchange:start');
	started.bindStore(storage);
	const seen: Array<string | undefined> = [];
	const onRequest = () => {
		seen.push(storage.getStore()?.url);
	};

	const requests = channel('http.client.request.start');
	requests.subscribe(onRequest);
	t.after(() => {
		started.unbindStore(storage);
		requests.unsubscribe(onRequest);
	});
	origin.queue(fresh);
	await client('items');

	assert.deepEqual(seen, [`${origin.url}/items`]);
	assert.equal(storage.getStore(), undefined);
});

test('the tracing channel tells which cache an exchange is of', async t => {
	await using setup = await setUp();
	const {origin, cache, client, other} = setup;
	const events = traceEvents(t);
	origin.queue(fresh, fresh);
	const {cache: otherCache, client: otherClient} = other();
	await client('items');
	await otherClient('others');

	assert.deepEqual(events.filter(([name]) => name === 'start').map(([, trace]) => [cache, otherCache].indexOf(trace.cache as typeof cache)), [0, 1]);
});
