import assert from 'node:assert/strict';
import {cp, mkdtemp, rm} from 'node:fs/promises';
import {Agent} from 'node:http';
import path from 'node:path';
import {describe, test} from 'node:test';
import {fileURLToPath, pathToFileURL} from 'node:url';
import got, {type ExtendOptions, type Got, type Hooks, type Options, type OptionsInit, type RequestError, type Response} from 'got';
import {cacheInfo, redisCache, type RedisCache} from '../../source/index.ts';
import {respond, startOrigin, type Handler, type Origin} from '../helpers/origin.ts';
import {isGot15} from './helpers.ts';

const etag = '"1"';
const fields = {etag, 'last-modified': 'Sat, 01 Nov 2025 00:00:00 GMT', 'cache-control': 'no-cache'};

/** Everything has one entity tag, and whoever names it is told that nothing has changed. */
const validating: Handler = ({headers, url}, response) => {
	const isKnown = headers['if-none-match']?.includes(etag) === true || headers['if-modified-since'] === fields['last-modified'];
	respond(response, isKnown ? {status: 304, headers: fields} : {headers: fields, body: `body of ${url}`});
};

type Given = AsyncDisposable & {
	readonly origin: Origin;
	readonly cache: RedisCache;
	/** Without the cache; its hooks come before those of the cache. */
	readonly plain: Got;
	/** The hooks that have seen a validator which the caller did not give. */
	readonly leaks: string[];
};

/** Hooks that look for what only the cache has added. */
const lookingHooks = (leaks: string[]): Partial<Hooks> => {
	const look = (hook: string, {headers}: Pick<Options, 'headers'>) => {
		if (headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined) {
			leaks.push(hook);
		}
	};

	return {
		beforeRequest: [options => {
			look('beforeRequest', options);
		}],
		beforeRedirect: [options => {
			look('beforeRedirect', options);
		}],
		beforeRetry: [({options}) => {
			look('beforeRetry', options);
		}],
		beforeError: [error => {
			look('beforeError', error.options);
			return error;
		}],
		afterResponse: [response => {
			look('afterResponse', response.request.options);
			return response;
		}],
	};
};

const setUp = async (handler: Handler = validating): Promise<Given> => {
	const origin = await startOrigin(handler);
	const cache = redisCache({store: 'memory'});
	const leaks: string[] = [];

	return {
		origin,
		cache,
		leaks,
		plain: got.extend({prefixUrl: origin.url, hooks: lookingHooks(leaks), retry: {limit: 2, calculateDelay: ({computedValue}) => computedValue && 1}}),
		async [Symbol.asyncDispose]() {
			await Promise.all([cache.close(), origin.stop()]);
		},
	};
};

const fill = async (client: Got, ...urls: string[]) => {
	for (const url of urls) {
		assert.equal((await client(url, {throwHttpErrors: false})).statusCode, 200);
	}
};

/** Fails the first attempt of those that bear a mark, after the cache has added what it adds. */
const failingOnce = (status?: number): Handler => {
	const seen = new Set<string>();
	return (request, response, raw) => {
		const mark = String(request.headers['x-fail']);
		if (request.headers['x-fail'] !== undefined && !seen.has(mark)) {
			seen.add(mark);
			if (status === undefined) {
				response.destroy();
			} else {
				respond(response, {status, body: 'failed'});
			}

			return;
		}

		return validating(request, response, raw);
	};
};

/** Answers with a redirect to `/other` where the request bears a mark. */
const redirecting = (status: number, location = '/other'): Handler => (request, response, raw) => {
	if (request.headers['x-redirect'] !== undefined && request.url === '/items') {
		respond(response, {status, headers: {location}});
		return;
	}

	return validating(request, response, raw);
};

const tokenRefresh = (preserveHooks: boolean, more: OptionsInit = {}): ExtendOptions => ({
	hooks: {
		afterResponse: [
			(response, retryWithMergedOptions) => response.request.options.headers.token === undefined ? retryWithMergedOptions({headers: {token: 'new'}, preserveHooks, ...more}) : response,
		],
	},
});

const beforeRequest = (change: (options: Options) => void): ExtendOptions => ({hooks: {beforeRequest: [options => change(options as never)]}});

const beforeRetry = (change: (options: Options) => void): ExtendOptions => ({hooks: {beforeRetry: [({options}) => change(options)]}});

type Way = {
	readonly handler?: Handler;
	readonly client: (given: Given) => Got;
	readonly options?: OptionsInit;
	/** Default: the body of `/items`. */
	readonly body?: string;
};

const ways: Record<string, Way> = {
	'a validation': {client: ({plain, cache}) => plain.extend(cache)},
	'a token that is renewed, hooks dropped, before the cache': {client: ({plain, cache}) => plain.extend(tokenRefresh(false), cache)},
	'a token that is renewed, hooks dropped, behind the cache': {client: ({plain, cache}) => plain.extend(cache, tokenRefresh(false))},
	'a token that is renewed, hooks preserved, before the cache': {client: ({plain, cache}) => plain.extend(tokenRefresh(true), cache)},
	'a token that is renewed, hooks preserved, behind the cache': {client: ({plain, cache}) => plain.extend(cache, tokenRefresh(true))},
	'a retry with another URL': {client: ({plain, cache, origin}) => plain.extend(cache, tokenRefresh(false, {url: `${origin.url}/other`})), body: 'body of /other'},
	'a retry with other hooks': {client: ({plain, cache}) => plain.extend(cache, tokenRefresh(false, {hooks: {afterResponse: [response => response]}}))},
	'a retry with the response’s own options': {
		client: ({plain, cache}) => plain.extend(cache, {hooks: {afterResponse: [(response, retryWithMergedOptions) => {
			const {options} = response.request;
			if (options.headers.token === undefined) {
				options.headers.token = 'new';
				return retryWithMergedOptions(options);
			}

			return response;
		}]}}),
	},
	'hooks dropped by a hook behind the cache': {client: ({plain, cache}) => plain.extend(cache, beforeRequest(options => {
		options.hooks.afterResponse = [];
		options.hooks.beforeRetry = [];
		options.hooks.beforeRedirect = [];
		options.hooks.beforeError = [];
	}))},
	'another URL by a hook behind the cache': {client: ({plain, cache}) => plain.extend(cache, beforeRequest(options => {
		options.url = new URL('/other', options.url);
	})), body: 'body of /other'},
	'another method by a hook behind the cache': {client: ({plain, cache}) => plain.extend(cache, beforeRequest(options => {
		options.method = 'POST';
	}))},
	'other header fields by a hook behind the cache': {client: ({plain, cache}) => plain.extend(cache, beforeRequest(options => {
		options.headers = {accept: 'text/html'};
	}))},
	'a hook that adds a hook': {client: ({plain, cache}) => plain.extend(cache, beforeRequest(({hooks}) => {
		hooks.beforeRequest.push(options => {
			options.url = new URL('/other', options.url);
		});
	})), body: 'body of /other'},
	'a hook that clears the hooks before the request': {client: ({plain, cache}) => plain.extend(beforeRequest(options => {
		options.hooks.beforeRequest = [];
	}), cache)},
	'a retry after a status': {handler: failingOnce(503), client: ({plain, cache}) => plain.extend(cache), options: {headers: {'x-fail': 'a'}}},
	'a retry after a network error': {handler: failingOnce(), client: ({plain}) => plain.extend(redisCache({store: 'memory', staleIfError: false})), options: {headers: {'x-fail': 'a'}}},
	'hooks dropped before a retry': {handler: failingOnce(503), client: ({plain, cache}) => plain.extend(cache, beforeRetry(options => {
		options.hooks.afterResponse = [];
		options.hooks.beforeRequest = [];
	})), options: {headers: {'x-fail': 'a'}}},
	'another URL before a retry': {handler: failingOnce(503), client: ({plain, cache}) => plain.extend(cache, beforeRetry(options => {
		options.url = new URL('/other', options.url);
	})), options: {headers: {'x-fail': 'a'}}, body: 'body of /other'},
	'a redirect in place of the answer': {handler: redirecting(302), client: ({plain, cache}) => plain.extend(cache), options: {headers: {'x-redirect': 'yes'}}, body: 'body of /other'},
	'a redirect in place of the answer, with its hooks dropped': {handler: redirecting(301), client: ({plain, cache}) => plain.extend(cache, beforeRequest(options => {
		options.hooks.beforeRedirect = [];
	})), options: {headers: {'x-redirect': 'yes'}}, body: 'body of /other'},
	'a redirect whose target a hook changes': {handler: redirecting(307), client: ({plain, cache}) => plain.extend(cache, {hooks: {beforeRedirect: [options => {
		options.url = new URL('/third', options.url);
	}]}}), options: {headers: {'x-redirect': 'yes'}}, body: 'body of /third'},
	'a redirect to what cannot be validated': {handler: redirecting(302), client: ({plain, cache}) => plain.extend(cache, {hooks: {beforeRedirect: [options => {
		options.hooks.beforeRequest = [];
		options.hooks.afterResponse = [];
	}]}}), options: {headers: {'x-redirect': 'yes'}}, body: 'body of /other'},
	'the same cache twice': {client: ({plain, cache}) => plain.extend(cache).extend(cache)},
	'two caches': {client: ({plain, cache}) => plain.extend(redisCache({store: 'memory'}), cache)},
	'two caches, the second before a hook': {client: ({plain, cache}) => plain.extend(redisCache({store: 'memory'}), cache, tokenRefresh(true))},
	'extended from an instance that has it': {client: ({plain, cache}) => got.extend(plain.extend(cache), plain.extend(cache))},
	'.json() of what is none': {client: ({plain, cache}) => plain.extend(cache, {parseJson: text => text, responseType: 'json'})},
	'a retry.calculateDelay that never retries': {client: ({plain, cache}) => plain.extend(cache, {retry: {calculateDelay: () => 0}})},
	'mutable defaults': {client({plain, cache}) {
		const client = plain.extend({mutableDefaults: true}, cache);
		client.defaults.options.hooks.afterResponse = [];
		return client;
	}},
	'an agent that keeps no connection': {client: ({plain, cache}) => plain.extend(cache, {agent: {http: new Agent()}})},
	'got’s own cache behind it': {client: ({plain, cache}) => plain.extend(cache, {cache: new Map() as never})},
};

describe('a 304 that the caller did not ask for never reaches him', () => {
	for (const [name, {handler = validating, client: clientOf, options, body = 'body of /items'}] of Object.entries(ways)) {
		// Got 15 freezes the hooks of mutable defaults.
		if (isGot15 && name === 'mutable defaults') {
			continue;
		}

		test(name, async () => {
			await using given = await setUp(handler);
			const client = clientOf(given);
			const seen: number[] = [];
			const observed = client.extend({hooks: {afterResponse: [response => {
				seen.push(response.statusCode);
				return response;
			}]}});
			await fill(observed, 'items', 'other', 'third');
			seen.length = 0;
			given.origin.requests.length = 0;

			const response = await observed('items', options) as Response;
			assert.equal(response.statusCode, 200);
			assert.equal(response.body, body);
			assert.ok(!seen.includes(304), 'no hook sees it either');
			for (const field of ['if-none-match', 'if-modified-since']) {
				assert.ok(!Object.hasOwn(response.request.options.headers, field), 'a validator is left behind');
			}

			assert.deepEqual(given.leaks, []);
			assert.ok(given.origin.requests.length > 0);
		});
	}

	test('nor by pages that are made of one another', async () => {
		await using given = await setUp();
		const client = given.plain.extend(given.cache);
		const urls = ['items', 'other', 'third'];
		await fill(client, ...urls);
		for (const asOptions of [false, true]) {
			let index = 0;

			const pages = await client.paginate.all<string>('items', {
				pagination: {
					transform: ({statusCode, body}) => [`${statusCode} ${String(body)}`],
					paginate({response}) {
						const {options} = response.request;
						index++;
						assert.equal(options.headers['if-none-match'], undefined);
						if (index === urls.length) {
							return false;
						}

						const url = new URL(`/${urls[index]}`, given.origin.url);
						if (!asOptions) {
							return {url};
						}

						options.url = url;
						return options;
					},
				},
			});
			assert.deepEqual(pages, urls.map(url => `200 body of /${url}`));
		}
	});

	test('nor a validator by an error', async () => {
		for (const handler of [failingOnce(404), failingOnce()]) {
			await using given = await setUp(handler);
			const client = given.plain.extend(redisCache({store: 'memory', staleIfError: false}), {retry: {limit: 0}});

			await fill(client, 'items');

			await assert.rejects(async () => client('items', {headers: {'x-fail': 'a'}}), ({options}: RequestError) => {
				assert.equal(options.headers['if-none-match'], undefined);
				return true;
			});
			assert.deepEqual(given.leaks, []);
			assert.equal(given.origin.requests.at(-1)?.headers['if-none-match'], etag);
		}
	});

	test('but one that he asked for does', async () => {
		await using given = await setUp();
		const client = given.plain.extend(given.cache);
		await fill(client, 'items');
		const response = await client('items', {headers: {'if-none-match': etag}});
		assert.equal(response.statusCode, 304);
		assert.equal(response.request.options.headers['if-none-match'], etag);
	});

	test('and one that speaks of something else is asked again without condition, whatever the user has retried', async () => {
		let entityTag = '"1"';
		await using given = await setUp(({headers}, response) => {
			const isAsked = headers['if-none-match'] !== undefined;
			respond(response, isAsked ? {status: 304, headers: {etag: '"2"'}} : {headers: {etag: entityTag, 'cache-control': 'no-cache'}, body: entityTag});
		});
		for (const retry of [{limit: 0}, {limit: 2, calculateDelay: () => 0}, {limit: 2, enforceRetryRules: false, calculateDelay: () => 0}, {limit: 2, methods: []}]) {
			entityTag = '"1"';
			const calls: string[] = [];
			const client = got.extend({prefixUrl: given.origin.url}, redisCache({store: 'memory'}), {
				retry,
				hooks: {
					beforeRetry: [() => {
						calls.push('retry');
					}],
					afterResponse: [response => {
						calls.push(`${response.statusCode}, retry ${response.retryCount}`);
						return response;
					}],
				},
			});

			await client('items');
			entityTag = '"2"';

			assert.equal((await client('items')).body, '"2"');
			assert.deepEqual(calls, ['200, retry 0', '200, retry 0']);
		}
	});
});

const chains: Record<string, (given: Given, hook: ExtendOptions, other: RedisCache) => Got> = {
	'the cache once': ({plain, cache}, hook) => plain.extend(hook, cache),
	'the cache before the hook': ({plain, cache}, hook) => plain.extend(cache, hook),
	'the same cache twice': ({plain, cache}, hook) => plain.extend(cache, cache, hook),
	'the same cache around the hook': ({plain, cache}, hook) => plain.extend(cache).extend(hook).extend(cache),
	'the same cache by two instances': ({plain, cache}, hook) => got.extend(plain.extend(cache), got.extend(cache), hook),
	'another cache first': ({plain, cache}, hook, other) => plain.extend(other, cache, hook),
	'another cache around the hook': ({plain, cache}, hook, other) => plain.extend(other).extend(hook).extend(cache),
	'another cache between two': ({plain, cache}, hook, other) => plain.extend(cache, other, cache, hook),
};

/** What another copy of the package in the same process gives. */
const otherCopy = async (): Promise<ExtendOptions & {close(): Promise<void>}> => {
	const url = new URL('../../source/got/plugin.ts', import.meta.url);
	const copies = await mkdtemp(fileURLToPath(new URL('../../.copy-', import.meta.url)));
	try {
		await cp(new URL('../', url), path.join(copies, 'source'), {recursive: true});
		const {redisCache: create} = await import(pathToFileURL(path.join(copies, 'source/index.ts')).href) as {redisCache: typeof redisCache};
		return create({store: 'memory'});
	} finally {
		await rm(copies, {recursive: true});
	}
};

describe('the plugin twice is the plugin once', () => {
	test('also where two copies of the package meet', {timeout: 20_000}, async () => {
		await using given = await setUp(({url}, response) => {
			respond(response, {headers: {'cache-control': 'max-age=60'}, body: url});
		});
		const other = await otherCopy();
		for (const chain of [[given.cache, other], [other, given.cache]]) {
			const client = given.plain.extend(...chain);
			given.origin.requests.length = 0;

			await client('items');

			const {isFromCache, headers} = await client('items');
			assert.equal(isFromCache, true);
			assert.equal(given.origin.requests.length, 1);
			assert.equal(String(headers['cache-status']).split('got-redis-cache', 10).length, 2, 'one report');
		}

		await other.close();
	});

	for (const [name, clientOf] of Object.entries(chains)) {
		test(name, async () => {
			await using given = await setUp(({url}, response) => {
				respond(response, {headers: {'cache-control': 'max-age=60', vary: 'accept-language'}, body: url});
			});
			await using other = redisCache({store: 'memory'});
			const calls: string[] = [];
			const client = clientOf(given, {
				hooks: {
					beforeRequest: [({headers}) => {
						headers['accept-language'] = 'de';
						calls.push('beforeRequest');
					}],
					afterResponse: [response => {
						calls.push('afterResponse');
						return response;
					}],
				},
			}, other);

			const miss = await client('items');
			const hit = await client('items');
			assert.deepEqual(calls, ['beforeRequest', 'afterResponse', 'beforeRequest', 'afterResponse']);
			assert.equal(given.origin.requests.length, 1);
			assert.equal(cacheInfo(miss)?.status, 'miss');
			assert.equal(cacheInfo(hit)?.status, 'hit');
			assert.equal(String(hit.headers['cache-status']).split('got-redis-cache', 10).length, 2, 'one report');
			assert.equal(String(miss.headers['cache-status']).split('got-redis-cache', 10).length, 2, 'one report');
			await given.cache.clear();
			const again = await client('items');
			assert.equal(cacheInfo(again)?.status, 'miss', 'the last of several caches is the one that takes part');
		});
	}
});
