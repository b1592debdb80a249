import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import process from 'node:process';
import {test} from 'node:test';
import got, {RequestError, type Got, type OptionsInit} from 'got';
import got15 from 'got-15';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {interfaces, refreshed} from './store-change-helpers.ts';

/*
What the functions `filter`, `key`, `user` and `expireAfter` see of requests and responses, and what comes of what they say.
*/

const fresh = {'cache-control': 'max-age=60', etag: '"1"'};

/** Answers with what is asked for, and how often anything was. */
const echo = ({origin}: Pick<Setup, 'origin'>, headers: Readonly<Record<string, string>> = fresh) => {
	origin.handler = ({body}, response) => {
		respond(response, {headers, body: JSON.stringify({...(body.length > 0 && {asked: Buffer.from(body).toString()}), count: origin.requests.length})});
	};
};

const graphql = (query: string): OptionsInit => ({method: 'POST', json: {query}});

const isMutation = (body = ''): boolean => (JSON.parse(body) as {query: string}).query.startsWith('mutation');

const hasErrors = (body: string): boolean => (JSON.parse(body) as {errors?: unknown}).errors !== undefined;

const graphqlOptions: RedisCacheOptions = {
	methods: ['GET', 'POST'],
	filter: ({body}, response) => !isMutation(body) && (response === undefined || !hasErrors(response.body)),
};

for (const [name, ask] of Object.entries(interfaces)) {
	const told = async ({client}: Pick<Setup, 'client'>, options?: OptionsInit) => {
		const {info, body} = await ask(client, options);
		return [info?.status, info?.notStored ?? info?.reason, (JSON.parse(body) as {count: number}).count];
	};

	test(`a GraphQL mutation is told from a query, and an answer with errors is not stored: ${name}`, async () => {
		await using setup = await setUp(graphqlOptions);
		const {origin} = setup;
		echo(setup);
		assert.deepEqual(await told(setup, graphql('query a')), ['miss', 'not-stored', 1]);
		assert.deepEqual(await told(setup, graphql('query a')), ['hit', 'fresh', 1]);
		assert.deepEqual(await told(setup, graphql('query b')), ['miss', 'not-stored', 2]);
		for (const count of [3, 4]) {
			const [status, reason] = await told(setup, graphql('mutation a'));
			assert.deepEqual([status, reason], ['bypass', 'bypassed']);
			assert.equal(origin.requests.length, count);
		}

		const failing = {headers: fresh, body: '{"errors": [], "count": 0}'};
		origin.queue(failing, failing);
		for (let round = 0; round < 2; round++) {
			const answer = await ask(setup.client, graphql('query c'));
			assert.equal(answer.body, failing.body);
		}

		assert.deepEqual(await told(setup, graphql('query c')), ['miss', 'not-stored', 7]);
		await settleWrites(setup);
		assert.deepEqual(await told(setup, graphql('query c')), ['hit', 'fresh', 7]);
	});

	test(`a filter's decision on a body holds for the stored response, too: ${name}`, async () => {
		await using setup = await setUp({filter: (_request, response) => response === undefined || !hasErrors(response.body)});
		const {cache, client, origin} = setup;
		echo(setup, {'cache-control': 'max-age=0', etag: '"1"'});
		await ask(client);
		await settleWrites(setup);
		// A 304 brings the stored body with it.
		origin.queue({status: 304, headers: fresh});
		assert.deepEqual(await told(setup), ['revalidated', 'not-modified', 1]);
		assert.deepEqual(await told(setup), ['hit', 'fresh', 1]);
		await cache.touch(`${origin.url}/items`, 0);
		origin.queue({headers: fresh, body: '{"errors": []}'});
		const answer = await ask(client);
		assert.equal(answer.body, '{"errors": []}');
		await settleWrites(setup);
		assert.equal(await cache.has(`${origin.url}/items`, {stale: true}), false, 'the last word of the origin counts');
	});

	test(`a lifetime can come of the body: ${name}`, async () => {
		await using setup = await setUp({expireAfter: ({body}) => (JSON.parse(body) as {ttl?: string}).ttl as '1h' | undefined});
		const {cache, client, origin} = setup;
		const url = `${origin.url}/items`;
		for (const [ttl, seconds] of [['1h', 3600], ['no-store', undefined], [undefined, 60]] as const) {
			origin.queue({headers: fresh, body: JSON.stringify({ttl})});
			await ask(client, {context: {cache: {mode: 'reload'}}});
			await settleWrites(setup);
			const stored = await cache.get(url);
			assert.equal(stored && Math.round((stored.expiresAt!.getTime() - stored.storedAt.getTime()) / 1000), seconds, String(ttl));
		}
	});

	test(`a function that throws for a body fails the request: ${name}`, async () => {
		for (const options of [
			{filter: (_request, response) => response === undefined || hasErrors(response.body)},
			{expireAfter: ({body}) => hasErrors(body) ? 0 : undefined},
		] satisfies RedisCacheOptions[]) {
			await using setup = await setUp(options);
			setup.origin.queue({headers: fresh, body: 'no JSON'});
			await assert.rejects(
				ask(setup.client),
				error =>
					error instanceof RequestError
					&& /^The function `(?:filter|expireAfter)` of redisCache\(\) threw: .*JSON/v.test(error.message)
					&& error.cause instanceof Error
					&& error.cause.cause instanceof SyntaxError,
			);
			await settleWrites(setup);
			assert.equal(await setup.cache.has(`${setup.origin.url}/items`), false);
		}
	});

	test(`a request allows its own method, and no other request has it allowed: ${name}`, async () => {
		await using setup = await setUp();
		const {cache, origin} = setup;
		echo(setup);
		const search = graphql('query a');
		const readOnly = {...search, context: {cache: {methods: ['POST']}}};
		assert.deepEqual(await told(setup, search), ['bypass', 'bypassed', 1]);
		assert.deepEqual(await told(setup, readOnly), ['miss', 'not-stored', 2]);
		assert.deepEqual(await told(setup, readOnly), ['hit', 'fresh', 2]);
		assert.deepEqual(await told(setup, search), ['bypass', 'bypassed', 3]);
		assert.deepEqual(await told(setup, {...readOnly, ...graphql('query b')}), ['miss', 'not-stored', 4]);
		const request = {url: `${origin.url}/items`, method: 'POST', body: '{"query":"query a"}', headers: {'content-type': 'application/json'}};
		assert.equal(await cache.has(request), true);
		await cache.delete(request);
		assert.equal(await cache.has(request, {stale: true}), false);
	});

	test(`all functions see the body and the options of the request: ${name}`, async () => {
		const seen: unknown[] = [];
		const note = (place: string, {body, options}: {readonly body: string | undefined; readonly options: {readonly context: Readonly<Record<string, unknown>>}}) => {
			seen.push([place, body, options.context.tenant]);
		};

		await using setup = await setUp({
			methods: ['GET', 'POST'],
			key(request) {
				note('key', request);
				return '';
			},
			user(request) {
				note('user', request);
				return undefined;
			},
			filter(request, response) {
				note(response ? 'response' : 'filter', request);
				return true;
			},
			expireAfter(_response, request) {
				note('expireAfter', request);
				return undefined;
			},
		});
		echo(setup);
		for (const [options, body] of [[{}, undefined], [{method: 'POST', body: Buffer.from('ä')}, 'ä'], [{method: 'POST', form: {a: 1}}, 'a=1']] as const) {
			seen.length = 0;
			await ask(setup.client, {...options, context: {tenant: 't'}});
			for (const place of ['key', 'user', 'filter', 'response', 'expireAfter']) {
				assert.ok(seen.some(each => JSON.stringify(each) === JSON.stringify([place, body, 't'])), `${place}: ${JSON.stringify(seen)}`);
			}
		}
	});
}

test('equal requests that wait are given nothing that a filter leaves out for its body', async () => {
	await using setup = await setUp({filter: (_request, response) => response === undefined || !hasErrors(response.body)});
	const {origin} = setup;
	origin.handler = (_request, response) => {
		respond(response, {headers: fresh, body: JSON.stringify({errors: origin.requests.length})});
	};

	for (const ask of Object.values(interfaces)) {
		const answers = await Promise.all([1, 2, 3].map(async () => ask(setup.client)));
		assert.equal(new Set(answers.map(({body}) => body)).size, 3);
	}
});

test('a refresh in the background goes by what a filter says of the body', async () => {
	await using setup = await setUp({filter: (_request, response) => response === undefined || !hasErrors(response.body)});
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=1, stale-while-revalidate=60', age: '1'}, body: '{"count": 1}'}, {headers: fresh, body: '{"errors": []}'});
	echo(setup);
	await client('items');
	await client('items');
	await refreshed(setup, 2);
	assert.deepEqual(await client('items').json(), {count: 3});
});

test('an unsafe method in `methods` without `filter` or `key` is warned of when the cache is made, and no other', async () => {
	for (const options of [{methods: ['GET', 'post']}, {methods: ['PUT']}] satisfies RedisCacheOptions[]) {
		const warned = once(process, 'warning') as Promise<[Error & {code?: string}]>;
		redisCache({store: 'memory', ...options});
		const [{code, message}] = await warned;
		assert.equal(code, 'GOT_REDIS_CACHE_UNSAFE_METHODS');
		assert.match(message, /`methods` of redisCache\(\).*`filter`.*context: \{cache: \{methods: \['(?:post|PUT)'\]/v);
	}

	const warnings: unknown[] = [];
	const note = (warning: unknown) => warnings.push(warning);
	process.on('warning', note);
	for (const options of [{}, {methods: ['GET', 'HEAD', 'QUERY', 'SEARCH']}, {methods: ['POST'], filter: () => true}, {methods: ['POST'], key: () => ''}] satisfies RedisCacheOptions[]) {
		redisCache({store: 'memory', ...options});
	}

	await new Promise(resolve => {
		setImmediate(resolve);
	});
	process.off('warning', note);
	assert.deepEqual(warnings, []);
});

test('an unsafe method in `context.cache.methods` of a client without `filter` or `key` is warned of once, and that of a request is not', async () => {
	const warnings: NodeJS.ErrnoException[] = [];
	const note = (warning: NodeJS.ErrnoException) => {
		warnings.push(warning);
	};

	const settled = async () => new Promise(resolve => {
		setImmediate(resolve);
	});
	const context = {cache: {methods: ['POST']}};
	process.on('warning', note);
	for (const client of [got, got15 as unknown as typeof got]) {
		const cache = redisCache('memory');
		const ways: ReadonlyArray<() => Got> = [
			() => client.extend(cache).extend({context}),
			() => client.extend({context}).extend(redisCache('memory')),
			() => client.extend(redisCache('memory'), {context}),
		];
		for (const extend of ways) {
			warnings.length = 0;
			const extended = extend();
			extended.extend({headers: {a: 'b'}});
			client.extend(extended);
			await settled();
			assert.deepEqual(warnings.map(({code}) => code), ['GOT_REDIS_CACHE_UNSAFE_METHODS']);
			assert.match(warnings[0]?.message ?? '', /^got-redis-cache: with POST in the option `methods` of `context\.cache` of a client, every such request may be answered from the cache/v);
		}
	}

	warnings.length = 0;
	got.extend(redisCache({store: 'memory', filter: () => true})).extend({context});
	got.extend(redisCache({store: 'memory', key: () => ''}), {context});
	got.extend(redisCache('memory'), {context: {cache: {methods: ['GET']}}});
	got.extend({context});
	await using setup = await setUp();
	echo(setup);
	await setup.client.post('items', {context});
	await setup.client('items', {context, method: 'POST'});
	await setup.client.paginate.all('items', {context, pagination: {requestLimit: 1, transform: () => []}});
	await settled();
	process.off('warning', note);
	assert.deepEqual(warnings, []);
});
