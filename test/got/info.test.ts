import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import got, {type RequestError} from 'got';
import {cacheInfo, type CacheHop, type CacheInfo} from '../../source/index.ts';
import {respond, type PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};

const errorOf = async (request: Promise<unknown>): Promise<RequestError> => {
	try {
		await request;
	} catch (error) {
		return error as RequestError;
	}

	return assert.fail('The request did not fail');
};

const told = (info: CacheInfo | undefined) => info && [info.status, info.reason, info.notStored];

await suite('an error says what the cache did', () => {
	const ways: Readonly<Record<string, (setup: Setup, path: string) => Promise<unknown>>> = {
		promise: async ({client}, path) => client(path),
		stream: async ({client}, path) => readStream(client.stream(path)),
	};

	for (const [way, ask] of Object.entries(ways)) {
		test(`a status code that is an error, ${way}`, async () => {
			await using setup = await setUp();
			setup.origin.queue({status: 500});
			const error = await errorOf(ask(setup, 'items'));

			assert.equal(error.name, 'HTTPError');
			assert.deepEqual(told(cacheInfo(error)), ['miss', 'not-stored', 'not-explicit']);
			assert.deepEqual(cacheInfo(error)?.hops.map(({url}) => url), [`${setup.origin.url}/items`]);
		});

		test(`an origin that cannot be reached, ${way}`, async () => {
			await using setup = await setUp();
			await setup.origin.stop();

			assert.deepEqual(told(cacheInfo(await errorOf(ask(setup, 'items')))), ['miss', 'not-stored', 'error']);
		});

		test(`a stored response that may not stand in, ${way}`, async () => {
			await using setup = await setUp();
			setup.origin.queue({headers: {'cache-control': 'max-age=0, must-revalidate', etag: '"1"'}});
			await setup.client('items');
			await setup.origin.stop();

			assert.deepEqual(told(cacheInfo(await errorOf(ask(setup, 'items')))), ['miss', 'stale', 'error']);
		});

		test(`a body that breaks off, ${way}`, async () => {
			await using setup = await setUp();
			setup.origin.queue((_request, response) => {
				response.writeHead(200, {'cache-control': 'max-age=60', 'content-length': 10});
				response.write('x', () => response.destroy());
			});
			const [status, reason, notStored] = told(cacheInfo(await errorOf(ask(setup, 'items')))) ?? [];

			assert.deepEqual([status, reason], ['miss', 'not-stored']);
			assert.match(String(notStored), /^(?:error|incomplete)$/v);
		});

		test(`nothing stored, and the origin must not be asked, ${way}`, async () => {
			await using setup = await setUp({onlyIfCached: true});

			assert.deepEqual(told(cacheInfo(await errorOf(ask(setup, 'items')))), ['unavailable', 'only-if-cached', undefined]);
		});
	}

	test('a stored body that is not JSON', async () => {
		await using setup = await setUp();
		setup.origin.queue(fresh);
		await setup.client('items');
		const error = await errorOf(setup.client('items').json());

		assert.equal(error.name, 'ParseError');
		assert.deepEqual(told(cacheInfo(error)), ['hit', 'fresh', undefined]);
	});

	test('an error of which no cache ever heard says nothing', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const errors = [
			new Error('another'),
			await errorOf(client('items', {context: {cache: {mode: 'wrong'}}, hooks: {beforeError: [() => new Error('mine') as never]}})),
			await errorOf(client('items', {timeout: {request: 'soon' as never}})),
			await errorOf(got(`${origin.url}/items`, {retry: {limit: 0}})),
		];

		for (const error of errors) {
			assert.equal(cacheInfo(error), undefined, error.message);
		}
	});
});

await suite('a redirect is a hop of its own', () => {
	const redirect = (cacheControl: string): PlainResponse => ({status: 302, headers: {location: '/to', 'cache-control': cacheControl, etag: '"r"'}});
	const ways: Readonly<Record<string, (setup: Setup) => Promise<CacheInfo | undefined>>> = {
		promise: async ({client}) => cacheInfo(await client('from')),
		async stream({client}) {
			const stream = client.stream('from');
			await readStream(stream);
			return cacheInfo(stream.response);
		},
	};

	const hop = ({origin}: Setup, path: string, status: CacheHop['status'], reason: CacheHop['reason']): CacheHop => ({url: `${origin.url}/${path}`, status, reason, notStored: undefined});

	for (const [way, ask] of Object.entries(ways)) {
		test(`a stored response to which the origin redirected is no hit, ${way}`, async () => {
			await using setup = await setUp();
			setup.origin.queue(fresh, redirect('no-store'));
			await setup.client('to');
			const info = await ask(setup);

			assert.deepEqual([info?.status, info?.reason, info?.hops.length], ['miss', 'not-stored', 2]);
			assert.equal(typeof info?.age, 'number');
			await settleWrites(setup);
			assert.deepEqual(info?.hops.map(({url, status, reason}) => [url, status, reason]), [[`${setup.origin.url}/from`, 'miss', 'not-stored'], [`${setup.origin.url}/to`, 'hit', 'fresh']]);
		});

		test(`a stored response to which a stored redirect led is a hit, ${way}`, async () => {
			await using setup = await setUp();
			setup.origin.queue(redirect('max-age=60'), fresh);
			await setup.client('from');
			await settleWrites(setup);
			const info = await ask(setup);

			assert.deepEqual([info?.status, info?.reason], ['hit', 'fresh']);
			assert.deepEqual(info?.hops, [hop(setup, 'from', 'hit', 'fresh'), hop(setup, 'to', 'hit', 'fresh')]);
			assert.equal(setup.origin.requests.length, 2);
		});

		test(`a stored response to which the origin redirected again is no hit, ${way}`, async () => {
			await using setup = await setUp();
			const {origin} = setup;
			origin.handler = ({headers}, response) => {
				respond(response, headers['if-none-match'] === undefined ? redirect('max-age=0') : {status: 304, headers: {etag: '"r"'}});
			};

			origin.queue(redirect('max-age=0'), fresh);
			await setup.client('from');
			await settleWrites(setup);
			const info = await ask(setup);

			assert.equal(info?.hops[1]?.status, 'hit');
			assert.equal(info?.status, info?.hops[0]?.status);
			assert.notEqual(info?.status, 'hit');
		});

		test(`a stale response that stands in behind a redirect says so, and does not hide it, ${way}`, async () => {
			await using setup = await setUp();
			const {origin} = setup;
			origin.queue({headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'old'}, redirect('no-store'), (_request, response) => {
				response.destroy();
			});
			await setup.client('to');
			const info = await ask(setup);

			assert.deepEqual([info?.status, info?.reason], ['stale', 'network-error']);
			assert.deepEqual(info?.hops.map(({status, reason}) => [status, reason]), [['miss', 'not-stored'], ['stale', 'network-error']]);
		});
	}

	test('a response without a redirect has one hop', async () => {
		await using setup = await setUp({ignoredParameters: ['token']});
		setup.origin.queue(fresh);

		assert.deepEqual(cacheInfo(await setup.client('items?token=secret'))?.hops, [hop(setup, 'items', 'miss', 'not-stored')]);
		assert.deepEqual(cacheInfo(await setup.client('items?token=secret'))?.hops, [hop(setup, 'items', 'hit', 'fresh')]);
	});
});

await suite('what an option selects by is no mismatch of Vary', () => {
	const reasonFor = async ({client}: Setup, authorization: string) => cacheInfo(await client('items', {headers: {authorization}}))?.reason;

	test('a private cache has nothing stored for another user', async () => {
		await using setup = await setUp({shared: false, memory: false});
		setup.origin.queue(fresh, fresh, fresh);

		assert.deepEqual([await reasonFor(setup, 'a'), await reasonFor(setup, 'b'), await reasonFor(setup, 'a')], ['not-stored', 'not-stored', 'fresh']);
	});

	test('unless the origin sent one', async () => {
		await using setup = await setUp({shared: false, memory: false});
		const varied = {...fresh, headers: {...fresh.headers, vary: 'x-tenant'}};
		setup.origin.queue(varied, varied);
		await setup.client('items', {headers: {'x-tenant': 'a'}});

		assert.equal(cacheInfo(await setup.client('items', {headers: {'x-tenant': 'b'}}))?.reason, 'vary-mismatch');
	});
});
