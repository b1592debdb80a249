import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import type {OptionsInit} from 'got';
import type {RedisCacheOptions} from '../../source/index.ts';
import type {Handler, PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {
	interfaces,
	places,
	refreshed,
	type Ask,
} from './store-change-helpers.ts';

/*
What the origin says last counts, also where it may not be stored.
*/

const etag = '"1"';
const page = (body: string, cacheControl: string, headers: Record<string, string> = {}): PlainResponse => ({headers: {etag, 'cache-control': cacheControl, ...headers}, body});
const noStore = {'cache-control': 'no-store'};
const noCache = {headers: {'cache-control': 'no-cache'}};

type Answer = {
	readonly answer: PlainResponse;
	readonly options?: RedisCacheOptions;
	/** Whether the cache of a stream learns of it only when the body has come. */
	readonly isLate?: boolean;
};

/** Answers about the resource that may not be stored. */
const superseding: Readonly<Record<string, Answer>> = {
	'200 with no-store': {answer: {headers: noStore, body: 'last'}},
	'200 with private': {answer: {headers: {'cache-control': 'private, max-age=60'}, body: 'last'}},
	'200 without a word': {answer: {body: 'last'}},
	'a bare 302': {answer: {status: 302, headers: {location: '/other'}, body: 'last'}},
	404: {answer: {status: 404, body: 'last'}},
	410: {answer: {status: 410, headers: noStore, body: 'last'}},
	451: {answer: {status: 451, body: 'last'}},
	'200 that a filter leaves out': {answer: page('last', 'max-age=60', {'x-filtered': '1'}), options: {filter: (_request, response) => response?.headers['x-filtered'] === undefined}},
	'200 that is too large': {answer: page('last'.repeat(100), 'max-age=60', {'content-length': '400'}), options: {maxBodySize: 100}},
	'200 that is too large, and does not say so': {
		answer: page('last'.repeat(100), 'max-age=60'),
		options: {maxBodySize: 100},
		isLate: true,
	},
};

type Way = {
	readonly stored: string;
	readonly options?: OptionsInit;
	readonly isInBackground?: boolean;
	readonly headers?: Record<string, string>;
};

const ways: Readonly<Record<string, Way>> = {
	'a validation': {stored: 'max-age=0'},
	'a validation that the request demands': {stored: 'max-age=600', options: noCache},
	'a reload': {stored: 'max-age=600', options: {context: {cache: {mode: 'reload'}}}},
	'a refresh in the background': {stored: 'max-age=0, stale-while-revalidate=600', isInBackground: true},
};

/** Has the old response stored, and another answer come in one of the ways. */
const supersede = async (setup: Setup, ask: Ask, {stored, options, isInBackground, headers = {}}: Way, answer: PlainResponse | Handler) => {
	const {client, origin} = setup;
	origin.requests.length = 0;
	origin.queue(page('old', stored, headers));
	assert.equal((await ask(client)).body, 'old');
	await settleWrites(setup);
	origin.queue(answer);
	const given = await ask(client, {followRedirect: false, ...options});
	if (isInBackground) {
		assert.deepEqual([given.body, given.info?.status], ['old', 'stale']);
		await refreshed(setup, 2);
	}

	return given;
};

for (const {where, ask} of places) {
	const options = where.startsWith('memory') ? {store: 'memory'} as const : {};
	for (const [how, way] of Object.entries(ways)) {
		test(`an answer to ${how} takes the place of what is stored, in ${where}`, async t => {
			for (const [what, {answer, options: more, isLate}] of Object.entries(superseding)) {
				await t.test(what, async () => {
					await using setup = await setUp({...options, ...more});
					const {client, origin} = setup;
					const given = await supersede(setup, ask, way, answer);
					if (!way.isInBackground) {
						assert.deepEqual([given.statusCode, given.body, given.isFromCache], [answer.status ?? 200, answer.body, false]);
					}

					if (isLate && way.options?.context) {
						await settleWrites(setup);
					}

					// Nothing of it stands in for a failure either.
					origin.queue((_request, response) => {
						response.destroy();
					}, {body: 'new'});
					await assert.rejects(ask(client), {name: /^(?:Request|Read)Error$/v});
					assert.equal((await ask(client)).body, 'new');
				});
			}
		});

		test(`a failure in place of ${how} leaves what is stored, in ${where}`, async () => {
			for (const status of [500, 503, 408, 425, 429, 400]) {
				// Of another cache each time: after a failure, nothing is refreshed for a second.
				await using setup = await setUp({...options, staleIfError: false});
				const {client, origin, cache} = setup;
				const given = await supersede(setup, ask, way, {status, headers: noStore, body: 'failed'});
				assert.equal(given.statusCode, way.isInBackground ? 200 : status);
				assert.equal(await cache.has(`${origin.url}/items`, {stale: true}), true, String(status));
				origin.queue({status: 304, headers: {etag}});
				assert.equal((await ask(client, noCache)).body, 'old');
			}
		});

		test(`401, 403 or 407 to ${how} is for the one who asked, in ${where}`, async () => {
			await using setup = await setUp({...options, staleIfError: true});
			const {client, origin, cache} = setup;
			for (const status of [401, 403, 407]) {
				await cache.clear();
				const given = await supersede(setup, ask, way, {status, body: 'refused'});
				if (way.isInBackground) {
					origin.queue({status, body: 'refused'});
				}

				// Nothing stale in its place, and no other refresh.
				const last = way.isInBackground ? await ask(client) : given;
				assert.deepEqual([last.statusCode, last.body], [status, 'refused']);
				if (way.stored === 'max-age=600') {
					assert.deepEqual([(await ask(client)).body, origin.requests.length], ['old', 2]);
				}

				origin.queue({status: 304, headers: {etag}});
				assert.deepEqual([(await ask(client, noCache)).body, origin.requests.at(-1)?.headers['if-none-match']], ['old', etag]);
			}
		});
	}
}

test('a refresh in the background that leaves what is stored is not tried again at once', async () => {
	for (const status of [503, 429, 408, 425, 400, 422]) {
		await using setup = await setUp();
		const {client, origin, cache} = setup;
		const errors: unknown[] = [];
		cache.on('error', error => {
			errors.push(error);
		});
		origin.queue(page('old', 'max-age=0, stale-while-revalidate=600'), {status});
		await client('items');
		for (let request = 0; request < 3; request++) {
			assert.equal((await client('items')).body, 'old');
			await refreshed(setup, 2);
		}

		assert.deepEqual([origin.requests.length, errors.length], [2, 1], String(status));
	}
});

suite('an answer that breaks off leaves what is stored', () => {
	const breakOff: Handler = (_request, response) => {
		response.writeHead(200, {...noStore, 'content-length': 100});
		response.write('last');
		setImmediate(() => {
			response.destroy();
		});
	};

	for (const {where, options, ask} of places) {
		test(where, async () => {
			await using setup = await setUp({...options, staleIfError: false});
			const {client, origin} = setup;
			for (const how of ['a validation that the request demands', 'a reload']) {
				await setup.cache.clear();
				await assert.rejects(supersede(setup, ask, ways[how]!, breakOff), {name: /^(?:Request|Read)Error$/v});
				assert.deepEqual([(await ask(client)).body, origin.requests.length], ['old', 2], how);
			}
		});
	}
});

suite('variants', () => {
	const vary = {vary: 'accept-language'};
	const inLanguage = (language: string, headers: Record<string, string> = {}) => ({headers: {'accept-language': language, ...headers}});

	for (const {where, options, ask} of places) {
		const ready = async (setup: Setup) => {
			await setup.cache.clear();
			setup.origin.queue(page('en', 'max-age=600', vary), page('de', 'max-age=600', {...vary, etag: '"de"'}));
			await ask(setup.client, inLanguage('en'));
			await settleWrites(setup);
			await ask(setup.client, inLanguage('de'));
			await settleWrites(setup);
			setup.origin.requests.length = 0;
		};

		test(`an answer for one leaves the others, in ${where}`, async () => {
			await using setup = await setUp(options);
			const {client, origin} = setup;
			for (const how of ['no-cache', 'reload'] as const) {
				await ready(setup);
				origin.queue({headers: {...noStore, ...vary, etag}, body: 'last'});
				const cache = how === 'reload' ? {context: {cache: {mode: how}}} : {};
				await ask(client, {...inLanguage('en', how === 'reload' ? {} : {'cache-control': how}), ...cache});
				await settleWrites(setup);
				assert.deepEqual([(await ask(client, inLanguage('de'))).body, origin.requests.length], ['de', 1]);

				// The entity tag of what is gone is not asked about.
				origin.queue({headers: {...noStore, ...vary, etag}, body: 'new'});
				assert.equal((await ask(client, inLanguage('en'))).body, 'new');
				assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"de"');
				assert.equal(origin.requests.length, 2);
			}
		});

		test(`404 and 410 are for all, in ${where}`, async () => {
			await using setup = await setUp(options);
			const {client, origin} = setup;
			for (const status of [404, 410]) {
				for (const language of ['en', 'fr']) {
					await ready(setup);
					origin.queue({status, headers: noStore}, {headers: noStore, body: 'new'});
					await ask(client, inLanguage(language, {'cache-control': 'no-cache'}));
					assert.equal((await ask(client, inLanguage('de'))).body, 'new');
				}
			}
		});
	}

	test('a reload drops the selected variant in a process that knows of none', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(page('en', 'max-age=600', vary), page('de', 'max-age=600', {...vary, etag: '"de"'}));
		await client('items', inLanguage('en'));
		await client('items', inLanguage('de'));
		await settleWrites(setup);
		for (const ask of Object.values(interfaces)) {
			const {client: other} = setup.other();
			origin.queue({headers: {...noStore, ...vary}, body: 'last'});
			await ask(other, {...inLanguage('en'), context: {cache: {mode: 'reload'}}});
			assert.equal((await ask(other, inLanguage('de'))).body, 'de');
			origin.queue(page('en', 'max-age=600', vary));
			assert.equal((await ask(other, inLanguage('en'))).isFromCache, false);
			await settleWrites(setup);
		}
	});

	test('a response to one of several equivalent URLs replaces the one that is stored for all', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		for (const options of [noCache, {context: {cache: {mode: 'reload'}}}] as const) {
			for (const status of [200, 404]) {
				for (const each of [client, setup.other().client]) {
					origin.queue(page('old', 'max-age=600', {'no-vary-search': 'params=("a")'}), {status, headers: noStore}, {headers: noStore, body: 'new'});
					await client('items?a=1');
					await settleWrites(setup);
					await each('items?a=2', {throwHttpErrors: false, ...options});
					await settleWrites(setup);
					assert.equal((await client('items?a=3')).body, 'new');
				}
			}
		}
	});

	test('in the cache of a single user each time, 404 is for him alone', async () => {
		await using setup = await setUp({shared: false});
		const {client, origin} = setup;
		const asUser = (user: string, headers = {}) => ({headers: {authorization: `Bearer ${user}`, ...headers}, throwHttpErrors: false});
		origin.queue(page('a', 'max-age=600'), page('b', 'max-age=600'), {status: 404, headers: noStore}, {headers: noStore, body: 'new'});
		await client('items', asUser('a'));
		await client('items', asUser('b'));
		await client('items', asUser('a', noCache.headers));

		assert.equal((await client('items', asUser('b'))).body, 'b');
		assert.equal((await client('items', asUser('a'))).body, 'new');
	});
});

suite('HEAD', () => {
	for (const {where, options, ask} of places) {
		test(`tells of what GET would get, in ${where}`, async () => {
			await using setup = await setUp(options);
			const {client, origin, cache} = setup;
			for (const [answer, expected] of [
				[{headers: {etag, ...noStore}}, 'validated'],
				[{headers: {etag: '"2"', ...noStore}}, 'validated'],
				[{status: 404}, 'gone'],
				[{status: 410, headers: {'cache-control': 'max-age=60'}}, 'gone'],
				[{status: 301, headers: {location: '/other'}}, 'gone'],
				[{status: 503}, 'left'],
				[{status: 403}, 'left'],
			] as const) {
				await cache.clear();
				await supersede(setup, ask, {stored: 'max-age=600', options: {method: 'HEAD', ...noCache}}, answer);
				await settleWrites(setup);
				origin.queue({headers: noStore, body: 'new'});
				const {body} = await ask(client);
				const asked = origin.requests[2]?.headers['if-none-match'];
				assert.deepEqual([body, asked], {left: ['old', undefined], gone: ['new', undefined], validated: ['new', etag]}[expected], JSON.stringify(answer));
				if (expected === 'left') {
					await ask(client, noCache);
				}
			}
		});
	}

	test('that is not stored takes the place of a stored one', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: {'cache-control': 'max-age=600'}}, {headers: noStore}, {headers: noStore});
		for (const headers of [{}, noCache.headers, {}]) {
			await client.head('items', {headers});
		}

		assert.equal(origin.requests.length, 3);
	});
});

for (const [name, ask] of Object.entries(interfaces)) {
	test(`a redirect's response counts where it is followed (${name})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		for (const body of ['', 'x'.repeat(3_000_000)]) {
			await supersede(setup, ask, {stored: 'max-age=600', options: {...noCache, followRedirect: false}}, {status: 304, headers: {etag}});
			origin.queue({status: 302, headers: {location: '/other'}, body}, {body: 'other'}, {headers: noStore, body: 'new'});
			assert.equal((await ask(client, {...noCache, followRedirect: true})).body, 'other');
			await settleWrites(setup);
			assert.equal((await ask(client)).body, 'new');
		}
	});

	test(`an answer that is an error to the caller counts, too (${name})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		for (const status of [404, 410, 451]) {
			await supersede(setup, ask, {stored: 'max-age=600', options: noCache}, {status: 304, headers: {etag}});
			origin.queue({status, body: 'none'}, {headers: noStore, body: 'new'});
			await assert.rejects(ask(client, {...noCache, throwHttpErrors: true}), {name: 'HTTPError'});
			assert.equal((await ask(client)).body, 'new');
		}
	});

	test(`a cache that only reads leaves what is stored (${name})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const {client: reader} = setup.other({readOnly: true});
		const {client: other} = setup.other();
		origin.queue(page('old', 'max-age=600'));
		await ask(client);
		await settleWrites(setup);
		for (const answer of [{status: 404}, {headers: noStore, body: 'last'}, {status: 304, headers: {etag: '"2"'}}, {status: 304, headers: {etag, 'cache-control': 'private'}}, {status: 403}]) {
			origin.queue(answer, {headers: noStore, body: 'last'});
			await ask(reader, noCache);
			await ask(reader, {context: {cache: {mode: 'reload'}}});
			await settleWrites(setup);
			assert.deepEqual([(await ask(other)).body, (await ask(other)).isFromCache], ['old', true]);
			origin.queue({headers: noStore, body: 'last'});
			await ask(reader, {context: {cache: {mode: 'reload'}}});
		}
	});

	test(`a request that goes past the cache leaves what is stored (${name})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(page('old', 'max-age=600'));
		await ask(client);
		await settleWrites(setup);
		for (const options of [{headers: noStore}, {context: {cache: {mode: 'no-store'}}}, {context: {cache: {disabled: true}}}] as const) {
			origin.queue({status: 404, body: 'none'});
			assert.equal((await ask(client, options)).statusCode, 404);
			assert.equal((await ask(client)).body, 'old');
		}
	});
}
