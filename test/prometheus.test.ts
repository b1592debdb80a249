import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {Counter, Registry, register} from 'prom-client';
import {redisCache, type RedisCache} from '../source/index.ts';
import {registerMetrics} from '../source/prometheus.ts';
import {setUp, settleWrites} from './got/helpers.ts';
import {readStream} from './got/read-stream.ts';
import {holdNext, type Handler, type PlainResponse} from './helpers/origin.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};

const breakOff: Handler = (_request, response) => {
	response.destroy();
};

const stale: PlainResponse = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'stored'};

/** Resolves when a cache has ended as many exchanges. */
const exchangesOf = (cache: RedisCache) => {
	const urls: string[] = [];
	cache.on('exchange', ({url}) => {
		urls.push(url);
	});

	return async (expected: number): Promise<void> => {
		for (let turns = 0; urls.length < expected; turns++) {
			assert.ok(turns < 100_000, `${urls.length} exchanges instead of ${expected}`);
			await nextTurn();
		}
	};
};

/** The values of a metric, by its labels. */
const valuesOf = async (registry: Registry, name: string): Promise<Record<string, number>> => {
	const metrics = await registry.getMetricsAsJSON();
	const {values = []} = metrics.find(metric => metric.name === `got_redis_cache_${name}`) ?? {};

	return Object.fromEntries(values
		.filter(({labels}) => !Object.hasOwn(labels, 'le'))
		.map(value => [[(value as {readonly metricName?: string}).metricName?.split('_').at(-1), ...Object.values(value.labels)].filter(part => part !== undefined).join(' '), value.value]));
};

test('each kind of request is counted by status, reason and origin', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const registry = new Registry();
	const until = exchangesOf(cache);
	registerMetrics(cache, {registry});

	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await client('items');
	await readStream(client.stream('items'));
	await until(3);
	origin.queue(stale, {status: 304, headers: {etag: '"1"'}}, {status: 503});
	await client('old');
	await settleWrites(setup);
	await client.extend({})('old');
	await settleWrites(setup);
	await client('old', {context: {cache: {staleIfError: true}}});
	origin.queue({status: 301, headers: {location: '/items'}}, {headers: {'cache-control': 'no-store'}, body: 'secret'});
	await client('moved');
	await client('secret');
	await until(9);
	origin.queue(breakOff);
	await assert.rejects(client('unknown'), {code: 'ECONNRESET'});
	await client('unknown', {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	await until(11);

	assert.deepEqual(await valuesOf(registry, 'requests_total'), {
		[`miss not-stored ${origin.url}`]: 5,
		[`hit fresh ${origin.url}`]: 3,
		[`revalidated not-modified ${origin.url}`]: 1,
		[`stale error-status ${origin.url}`]: 1,
		[`unavailable only-if-cached ${origin.url}`]: 1,
	});
	assert.deepEqual(await valuesOf(registry, 'errors_total'), {ECONNRESET: 1});
	assert.deepEqual(await valuesOf(registry, 'not_stored_total'), {'not-reusable': 1, 'no-store': 1, error: 1});

	const {bytes, savedMs} = cache.stats();
	const byTier = await valuesOf(registry, 'bytes_total');
	assert.deepEqual([byTier.memory ?? 0, byTier.store ?? 0, byTier.origin], [bytes.memory, bytes.store, bytes.origin]);
	assert.equal(Math.round(Number((await valuesOf(registry, 'saved_seconds_total'))['']) * 1000), savedMs);

	const durations = await valuesOf(registry, 'request_seconds');
	assert.deepEqual([durations['count hit'], durations['count miss'], durations['count stale']], [3, 5, 1]);
	const lookUps = await valuesOf(registry, 'lookup_seconds');
	assert.equal(Object.entries(lookUps).filter(([name]) => name.startsWith('count ')).reduce((sum, [, count]) => sum + count, 0), cache.stats().lookUps.count);
	assert.equal(lookUps['count none'], 2);
});

test('requests that waited for an equal one, and refreshes in the background, are counted apart', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const registry = new Registry();
	const until = exchangesOf(cache);
	registerMetrics(cache, {registry});
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	const held = holdNext(origin);
	const requests = Promise.all([client('items'), client('items'), client('items')]);
	await held.arrived;
	held.release();
	await requests;
	await until(3);
	assert.equal((await valuesOf(registry, 'collapsed_total'))[''], 2);

	origin.queue({headers: {'cache-control': 'max-age=0, stale-while-revalidate=60'}, body: 'old'});
	await client('old');
	await settleWrites(setup);
	await client('old');
	await until(6);
	assert.equal((await valuesOf(registry, 'refreshes_total'))[''], 1);
	assert.deepEqual(await valuesOf(registry, 'requests_total'), {
		[`miss not-stored ${origin.url}`]: 2,
		[`hit collapsed ${origin.url}`]: 2,
		[`stale stale-while-revalidate ${origin.url}`]: 1,
	});
});

test('the state of the store and its keys are those of health(), also without statistics', async () => {
	await using setup = await setUp({statistics: false, memory: false});
	const {origin, redis, cache, client} = setup;
	const registry = new Registry();
	registerMetrics(cache, {registry});
	assert.equal((await valuesOf(registry, 'store_state')).unknown, 1);
	assert.equal((await valuesOf(registry, 'store_up'))[''], 1);

	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await client('items');
	const {hits, misses} = cache.health().counters;
	assert.ok(hits > 0);
	assert.deepEqual(await valuesOf(registry, 'store_keys_total'), {hit: hits, miss: misses, error: 0, corrupt: 0, dropped: 0, unwritten: 0});
	assert.deepEqual(await valuesOf(registry, 'store_state'), {unknown: 0, ok: 1, memory: 0, partial: 0, 'read-only': 0, unavailable: 0, closed: 0});

	await redis.stop();
	origin.handler = (_request, response) => {
		response.end('from the origin');
	};

	while (cache.health().state !== 'unavailable') {
		await client('items');
	}

	assert.equal((await valuesOf(registry, 'store_up'))[''], 0);
});

test('the first 64 origins are counted by themselves, and all others together', async () => {
	await using setup = await setUp();
	const {cache, client} = setup;
	const registry = new Registry();
	const until = exchangesOf(cache);
	registerMetrics(cache, {registry});
	for (let index = 0; index < 70; index++) {
		await assert.rejects(client(`http://host-${index}.invalid/${index}`, {prefixUrl: '', request() {
			throw Object.assign(new Error('no such host'), {code: 'ENOTFOUND'});
		}}), {code: 'ENOTFOUND'});
	}

	await until(70);
	const requests = await valuesOf(registry, 'requests_total');
	assert.equal(Object.keys(requests).length, 65);
	assert.equal(requests['miss not-stored http://host-0.invalid'], 1);
	assert.equal(requests['miss not-stored *'], 6);
});

test('a cache is registered once for each prefix, and unregistered by the function or by closing it', async () => {
	const cache = redisCache('memory');
	const unregister = registerMetrics(cache);
	const names = register.getMetricsAsArray().map(({name}) => name);
	assert.ok(names.length > 10);
	assert.ok(names.every(name => name.startsWith('got_redis_cache_')));
	assert.throws(() => registerMetrics(cache), {name: 'TypeError', message: /option `prefix` .* got 'got_redis_cache_': 'got_redis_cache_requests_total' is there already/v});
	assert.throws(() => registerMetrics(redisCache('memory')), {name: 'TypeError'});

	const other = redisCache('memory');
	registerMetrics(other, {prefix: 'items_'});
	assert.equal(register.getMetricsAsArray().length, 2 * names.length);
	unregister();
	unregister();
	assert.equal(register.getMetricsAsArray().length, names.length);
	await other.close();
	await other.close();
	assert.deepEqual(register.getMetricsAsArray(), []);

	const stop = registerMetrics(cache);
	assert.equal(register.getMetricsAsArray().length, names.length);
	stop();
	await cache.close();
});

test('a metric of the user\'s of a name that was free again is left alone', async () => {
	const cache = redisCache('memory');
	const registry = new Registry();
	const unregister = registerMetrics(cache, {registry});
	registry.clear();
	const own = new Counter({name: 'got_redis_cache_requests_total', help: 'own', registers: [registry]});
	unregister();

	assert.equal(registry.getSingleMetric('got_redis_cache_requests_total'), own);
	await cache.close();
});

test('wrong arguments of registerMetrics() throw a TypeError that names them', () => {
	const cache = redisCache('memory');
	const refuse = registerMetrics as (...given: readonly unknown[]) => unknown;
	assert.throws(() => refuse({}), {name: 'TypeError', message: 'Expected a cache that redisCache() made in registerMetrics(), got an object of class Object'});
	assert.throws(() => refuse(cache, {registry: {}}), {
		name: 'TypeError',
		message: 'Expected the option `registry` in registerMetrics() to be a Registry of prom-client, got an object of class Object',
	});
	assert.throws(() => refuse(cache, {prefix: '1-'}), {name: 'TypeError', message: /option `prefix` in registerMetrics\(\) to be .*, got '1-'/v});
	assert.throws(() => refuse(cache, {prefx: 'a_'}), {name: 'TypeError', message: /Unknown option `prefx`/v});
});

const keywords = new Set(['and', 'bool', 'offset', 'or', 'unless']);

/** The names of metrics in an expression of PromQL: words that are neither functions, keywords nor labels. */
const metricsIn = (expression: string): string[] => expression
	.replaceAll(/\{[^\{\}]*\}|\[[^\[\]]*\]|\b(?:by|ignoring|on|without)\s*\([^\(\)]*\)/gv, '')
	.matchAll(/\b[:a-z_][\w:]*\b(?!\s*\()/giv)
	.map(([name]) => name)
	.filter(name => !keywords.has(name))
	.toArray();

/** The labels in an expression of PromQL. */
const labelsIn = (expression: string): string[] => [
	...expression.matchAll(/\b(?:by|without)\s*\((?<list>[^\(\)]*)\)/gv).flatMap(({groups}) => groups?.list?.split(/,\s*/v) ?? []),
	...expression.matchAll(/[,\{]\s*(?<label>\w+)\s*[!=]/gv).map(({groups}) => groups?.label ?? ''),
];

type Metric = {readonly name: string; readonly labels: readonly string[]};

/** The metrics of a cache, by the names that a query may ask for. */
const existingMetrics = async () => {
	await using cache = redisCache('memory');
	const registry = new Registry();
	registerMetrics(cache, {registry});
	const metrics = await registry.getMetricsAsJSON();
	const histograms = ['_bucket', '_sum', '_count'];
	const existing: ReadonlyMap<string, Metric> = new Map(metrics.flatMap(metric => {
		const {labelNames} = registry.getSingleMetric(metric.name) as unknown as {readonly labelNames: readonly string[]};
		return String(metric.type) === 'histogram'
			? histograms.map(ending => [`${metric.name}${ending}`, {name: metric.name, labels: ['le', ...labelNames]}] as const)
			: [[metric.name, {name: metric.name, labels: labelNames}] as const];
	}));

	return {metrics, existing};
};

/** Checks that a query asks for metrics and labels that exist, and returns the names of the metrics. */
const checkQuery = ({title, expr}: {readonly title: string; readonly expr: string}, existing: ReadonlyMap<string, Metric>): string[] => {
	const metrics = metricsIn(expr).map(name => {
		const metric = existing.get(name);
		assert.ok(metric, `${title}: ${name} does not exist`);
		return metric;
	});
	assert.ok(metrics.length > 0, title);
	const labels = new Set(['job', 'instance', ...metrics.flatMap(metric => metric.labels)]);
	assert.deepEqual(labelsIn(expr).filter(label => !labels.has(label)), [], title);

	return metrics.map(({name}) => name);
};

type Panel = {readonly type: string; readonly title: string; readonly panels?: readonly Panel[]; readonly targets?: ReadonlyArray<{readonly expr: string}>};

type Dashboard = {
	readonly panels: readonly Panel[];
	readonly templating: {readonly list: ReadonlyArray<{readonly name: string; readonly type: string; readonly definition?: string}>};
};

test('the dashboard of Grafana asks for metrics and labels that there are, and for each metric', async () => {
	const dashboard = JSON.parse(await readFile(path.join(import.meta.dirname, '../docs/grafana-dashboard.json'), 'utf8')) as Dashboard;
	const {metrics, existing} = await existingMetrics();
	const panels = dashboard.panels.flatMap(panel => [panel, ...panel.panels ?? []]);
	const queries = panels.flatMap(({title, targets = []}) => targets.map(({expr}) => ({title, expr})));
	assert.ok(queries.length > 10);
	const asked = new Set<string>();
	for (const query of queries) {
		for (const name of checkQuery(query, existing)) {
			asked.add(name);
		}
	}

	assert.deepEqual(metrics.map(({name}) => name).filter(name => !asked.has(name)), []);
	for (const {definition} of dashboard.templating.list) {
		assert.ok(definition === undefined || existing.has(/(?<=^label_values\()\w+/v.exec(definition)?.[0] ?? ''), definition);
	}
});

test('the alerts of docs/operations.md ask for metrics and labels that there are', async () => {
	const page = await readFile(path.join(import.meta.dirname, '../docs/operations.md'), 'utf8');
	const rules = (/^```yaml\n(?<rules>.+?)^```$/msv.exec(page)?.groups?.rules ?? '').split('- alert: ').slice(1);
	assert.ok(rules.length > 4);
	const {existing} = await existingMetrics();
	for (const rule of rules) {
		const expr = /(?<=expr: )(?:\|\n)?.+?(?=\n +for:)/sv.exec(rule)?.[0].replace(/^\|/v, '') ?? '';
		checkQuery({title: rule.split('\n', 1)[0] ?? '', expr}, existing);
	}
});
