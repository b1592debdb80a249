import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {inspect} from 'node:util';
import got from 'got';
import got15 from 'got-15';
import {cacheInfo, redisCache} from '../../source/index.ts';

const cache = redisCache('memory');
const url = 'https://api.example.com/items';
const absolute = `an absolute URL such as '${url}'`;

type Call = (given: never) => Promise<unknown>;

/** The methods that take a request. */
const takers: Readonly<Record<string, Call>> = {
	get: async given => cache.get(given),
	has: async given => cache.has(given),
	delete: async given => cache.delete(given),
	touch: async given => cache.touch(given, '1h'),
};

const meant = 'in which `*` is a character like any other; did you mean `pattern`, as in invalidate({pattern: \'*.example.com/items\'}) and entries({pattern: …})?';

const wrongRequests: ReadonlyArray<readonly [given: unknown, message: string]> = [
	['/items', `Expected ${absolute} in %(), got '/items'`],
	['api.example.com/items', `Expected ${absolute} in %(), got 'api.example.com/items'`],
	['localhost:3000/items', `Expected ${absolute} in %(), got 'localhost:3000/items'`],
	['', `Expected ${absolute} in %(), got ''`],
	['/items?token=secret', `Expected ${absolute} in %(), got '/items?…'`],
	['https://user:secret@[/items', `Expected ${absolute} in %(), got 'https://…@[/items'`],
	[{url: new URL('file:///items')}, `Expected the property \`url\` in %() to be ${absolute}, got 'file:///items'`],
	[{method: 'GET'}, `Expected the property \`url\` in %() to be ${absolute}, got undefined`],
	[{uri: url}, 'Unknown property `uri` in %(): expected one of url, user, method, headers, body, json, form, key'],
	[{url, method: 'GETT'}, 'Expected the property `method` in %() to be an HTTP method, got \'GETT\''],
	[{url, method: 'GET it'}, 'Expected the property `method` in %() to be an HTTP method, got \'GET it\''],
	[{url, headers: new Headers({authorization: 'secret'})}, 'Expected the property `headers` in %() to be an object of header fields by name, got an object of class Headers'],
	[{url, method: 'POST', body: '{"secret": 1}'}, 'The property `body` in %() needs the `content-type` that it was sent with, as in {body, headers: {\'content-type\': \'text/plain\'}}, with undefined if it had none; or give `json` or `form` as to got'],
	[{url, method: 'POST', body: 'secret', headers: {accept: 'text/plain'}}, 'The property `body` in %() needs the `content-type` that it was sent with, as in {body, headers: {\'content-type\': \'text/plain\'}}, with undefined if it had none; or give `json` or `form` as to got'],
	[{url, method: 'POST', json: 'secret', form: {}}, 'Expected at most one of body, json and form in %(), got json, form'],
	[{url, form: 'secret=1'}, 'Expected the property `form` in %() to be an object of fields by name, got \'secret=1\''],
	[{url, body: {secret: 1}}, 'Expected the property `body` in %() to be a string or a Uint8Array, got an object of class Object'],
	[{url, method: 'QUERY', body: 5}, 'Expected the property `body` in %() to be a string or a Uint8Array, got 5'],
	[{url, key: 1}, 'Expected the property `key` in %() to be a string, got 1'],
	...['json', 'form'].map(name => [{url, [name]: {}}, `The property \`${name}\` in %() needs the \`method\` of the request, as in {url, method: 'POST', ${name}}: without it, this is about a GET request with that content`] as const),
	[{url, body: 'a', headers: {'content-type': 'a/b'}}, 'The property `body` in %() needs the `method` of the request, as in {url, method: \'POST\', body}: without it, this is about a GET request with that content'],
	...['user', 'key'].map(name => [{url, [name]: 'a'}, `The property \`${name}\` in %() finds nothing in a cache without the option \`${name}\`: leave it out, or give this cache the function \`${name}\` that it was stored by`] as const),
	...['https://api.example.com/*', 'https://*.example.com/items', 'https://*.example.com/?q=a', new URL('https://api.example.com/items*')].map(each => [each, `Expected the URL in %() without a wildcard, got '${String(each).replace('q=a', '…')}', ${meant}`] as const),
	[undefined, 'Expected a URL or an object such as {url, method} in %(), got undefined'],
	[[[url]], 'Expected a URL or an object such as {url, method} in %(), got an array'],
	[[url, '/items'], `Expected ${absolute} in %(), got '/items'`],
];

/** `delete()` alone takes several requests at a time. */
const expectedOf = (name: string, given: unknown, template: string): string => name !== 'delete' && Array.isArray(given)
	? `Expected a URL or an object such as {url, method} in ${name}(), got an array`
	: template.replace('%', () => name);

await suite('a wrong request', () => {
	for (const [name, call] of Object.entries(takers)) {
		for (const [given, template] of wrongRequests) {
			const message = expectedOf(name, given, template);
			test(`${name}(${inspect(given)})`, async () => {
				await assert.rejects(call(given as never), {name: 'TypeError', message});
			});
		}
	}
});

const prefix = `the beginning of an absolute URL, such as '${url}'`;
const pattern = 'a string such as \'*.example.com/items\', a regular expression, or a URLPattern';

/** What `invalidate()` and `entries()` have in common. */
const wrongFilters: ReadonlyArray<readonly [given: unknown, message: string]> = [
	[{tag: ''}, 'Expected the property `tag` in % to be a string that is not empty, or an array of such strings, got \'\''],
	[{tag: ['a', '']}, 'Expected the property `tag` in % to be a string that is not empty, or an array of such strings, got [ \'a\', \'\' ]'],
	[{tag: [undefined]}, 'Expected the property `tag` in % to be a string that is not empty, or an array of such strings, got [ undefined ]'],
	[{origin: 'api.example.com'}, 'Expected the property `origin` in % to be an absolute URL such as \'https://api.example.com\', got \'api.example.com\''],
	[{url: '/items'}, `Expected the property \`url\` in % to be ${absolute}, got '/items'`],
	[{prefix: 'api.example.com'}, 'Expected the property `prefix` in % to be the beginning of an absolute URL, such as \'https://api.example.com/items\', got \'api.example.com\''],
	[{prefix: ''}, 'Expected the property `prefix` in % to be the beginning of an absolute URL, such as \'https://api.example.com/items\', got \'\''],
	[{prefix: 'https://API.example.com'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'https://API.example.com', which no stored URL begins with: they have the form 'https://api.example.com'`],
	[{prefix: 'HTTPS://api.example.com/a b'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'HTTPS://api.example.com/a b', which no stored URL begins with: they have the form 'https://api.example.com/a%20b'`],
	[{prefix: 'https://api.example.com:443/items'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'https://api.example.com:443/items', which no stored URL begins with: they have the form 'https://api.example.com/items'`],
	[{prefix: 'http://api.example.com:80'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'http://api.example.com:80', which no stored URL begins with: they have the form 'http://api.example.com'`],
	[{prefix: 'https://user:secret@api.example.com/items'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'https://…@api.example.com/items', which no stored URL begins with: they have the form 'https://api.example.com/items'`],
	[{prefix: `${url}?b=secret&a=1`}, `Expected the property \`prefix\` in % to be ${prefix}, got '${url}?…', which no stored URL begins with: they have the form '${url}?…', with the query parameters in the order of their names`],
	[{prefix: `${url}#a`}, `Expected the property \`prefix\` in % to be ${prefix}, got '${url}#a', which no stored URL begins with: they have the form '${url}'`],
	[{prefix: 'https://user:secret@api.example.com'}, `Expected the property \`prefix\` in % to be ${prefix}, got 'https://…@api.example.com'`],
	[{prefix: /items/v}, `Expected the property \`prefix\` in % to be ${prefix}, got an object of class RegExp`],
	...(['url', 'prefix'] as const).flatMap(name => ['https://api.example.com/*', 'https://*.example.com/items'].map(each => [{[name]: each}, `Expected the property \`${name}\` in % without a wildcard, got '${each}', ${meant}`] as const)),
	[{prefix: 'https://api.example.com/items?page=*'}, `Expected the property \`prefix\` in % without a wildcard, got 'https://api.example.com/items?…', ${meant}`],
	[{origin: 'https://*.example.com'}, `Expected the property \`origin\` in % without a wildcard, got 'https://*.example.com', ${meant}`],
	[{pattern: ''}, `Expected the property \`pattern\` in % to be ${pattern}, got '', which matches no URL: '*' matches every URL`],
	[{pattern: '/x'}, `Expected the property \`pattern\` in % to be ${pattern}, got '/x', which matches no URL: for a path of every origin, write '*/x' or '/x*'`],
	[{pattern: 'https//x'}, `Expected the property \`pattern\` in % to be ${pattern}, got 'https//x', which matches no URL: with a scheme, write 'https://x'`],
	[{pattern: 'api.example.com/items?b=secret&a=1'}, `Expected the property \`pattern\` in % to be ${pattern}, got 'api.example.com/items?…', which matches no stored URL: the query parameters of those are in the order of their names`],
	[{pattern: 'items/5'}, `Expected the property \`pattern\` in % to be ${pattern}, got 'items/5', which may be a host or a path: for a path of every origin, write '/items/5*'; for the host, 'items:*/5'`],
	[{pattern: ['a', 'b']}, `Expected the property \`pattern\` in % to be ${pattern}, got an array`],
	[{pattern: new URL('https://user:secret@a.example')}, `Expected the property \`pattern\` in % to be ${pattern}, got 'https://…@a.example/'`],
	[{olderThan: 'yesterday'}, 'Expected the property `olderThan` in % to be a duration: milliseconds, or a string such as \'15m\', and not negative; or a Date, got \'yesterday\''],
	[{olderThan: '300'}, 'Expected the property `olderThan` in % to be a duration: milliseconds, or a string such as \'15m\', and not negative; or a Date, got \'300\', which has no unit: write \'300s\' for seconds, or the number 300 for milliseconds'],
	[{olderThan: new Date('yesterday')}, 'Expected the property `olderThan` in % to be a duration: milliseconds, or a string such as \'15m\', and not negative; or a Date, got Invalid Date'],
];

const wrongPurges: ReadonlyArray<readonly [given: unknown, message: string]> = [
	...wrongFilters,
	[url, `Expected an object such as {tag: 'items'} in %, got '${url}'; what is stored for a URL is removed by delete(), and for all users of it by invalidate({url: …})`],
	[undefined, 'Expected an object such as {tag: \'items\'} in %, got undefined; what is stored for a URL is removed by delete(), and for all users of it by invalidate({url: …})'],
	[{tags: ['a']}, 'Unknown property `tags` in %: expected one of tag, origin, url, prefix, pattern, olderThan, group, stale'],
	[{tag: 'a', soft: true}, 'Unknown property `soft` in %: it goes into a second argument, as in invalidate({tag: \'items\'}, {soft: true})'],
	[{url, method: 'POST'}, 'Unknown property `method` in %: what is stored for one request is removed by delete({url, method})'],
	[{group: 'g'}, 'The property `group` in % needs the `origin` whose group it is, as in {group: \'items\', origin: \'https://api.example.com\'}'],
	[{group: [1], origin: url}, 'Expected the property `group` in % to be a string, or an array of strings, got [ 1 ]'],
	[{group: 'g', tag: 'a'}, 'Expected exactly one of tag, group with origin, origin, url, prefix, pattern, olderThan and stale in %, got group, tag'],
	[{tag: 'a', origin: url}, 'Expected exactly one of tag, group with origin, origin, url, prefix, pattern, olderThan and stale in %, got tag, origin'],
	[{}, 'Expected exactly one of tag, group with origin, origin, url, prefix, pattern, olderThan and stale in %, got none'],
	[{prefix: undefined}, 'Expected the property `prefix` in % to have a value, got undefined'],
	[{origin: new URL(url)}, `Expected the property \`origin\` in % without a path, got '${url}': all of the origin would be purged; did you mean \`prefix\` or \`url\`?`],
	[{stale: false}, 'Expected the property `stale` in % to be true, got false'],
];

const wrongListings: ReadonlyArray<readonly [given: unknown, message: string]> = [
	...wrongFilters,
	[url, `Expected an object such as {prefix: 'https://api.example.com/'} in %, got '${url}'`],
	[{group: 'g'}, 'Unknown property `group` in %: expected one of origin, url, tag, prefix, pattern, olderThan, stale'],
	[{stale: 'yes'}, 'Expected the property `stale` in % to be a boolean, got \'yes\''],
];

await suite('a wrong filter', () => {
	for (const [given, template] of wrongPurges) {
		const message = template.replace('%', 'invalidate()');
		test(message, async () => {
			await assert.rejects(cache.invalidate(given as never), {name: 'TypeError', message});
		});
	}

	for (const [given, template] of wrongListings) {
		const message = template.replace('%', 'entries()');
		test(message, async () => {
			await assert.rejects(Array.fromAsync(cache.entries(given as never)), {name: 'TypeError', message});
		});
	}
});

const others: ReadonlyArray<readonly [call: () => Promise<unknown>, message: string]> = [
	[async () => cache.has(url, {state: true} as never), 'Unknown property `state` in has(): expected one of stale'],
	[async () => cache.has(url, true as never), 'Expected an object such as {stale: true} in has(), got true'],
	[async () => cache.invalidate({tag: 'a'}, {soft: 1} as never), 'Expected the property `soft` in invalidate() to be a boolean, got 1'],
	[async () => cache.touch(url, 'soon' as never), 'Expected `expireAfter` in touch() to be a duration: milliseconds, or a string such as \'15m\', and not negative; or \'never\', got \'soon\''],
	[async () => cache.touch(url, '300' as never), 'Expected `expireAfter` in touch() to be a duration: milliseconds, or a string such as \'15m\', and not negative; or \'never\', got \'300\', which has no unit: write \'300s\' for seconds, or the number 300 for milliseconds'],
	[async () => cache.touch(url, undefined as never), 'Expected `expireAfter` in touch() to be a duration: milliseconds, or a string such as \'15m\', and not negative; or \'never\', got undefined'],
	[async () => cache.touch(url, (() => 1) as never), 'Expected `expireAfter` in touch() to be a duration: milliseconds, or a string such as \'15m\', and not negative; or \'never\', got [Function (anonymous)]'],
	[async () => cache.copyTo('redis://user:secret@cache.example.com' as never), 'Expected a cache that redisCache() made in copyTo(), got \'redis://…@cache.example.com\''],
	[async () => cache.copyTo({} as never), 'Expected a cache that redisCache() made in copyTo(), got an object of class Object'],
	// @ts-expect-error There is none of that name.
	[async () => cache.on('err', () => undefined), 'Expected one of error, degraded, recovered, failover, closed, exchange in on(), got \'err\''],
	[async () => cache.once('toString' as never, () => undefined), 'Expected one of error, degraded, recovered, failover, closed, exchange in once(), got \'toString\''],
	[async () => cache.off(undefined as never, () => undefined), 'Expected one of error, degraded, recovered, failover, closed, exchange in off(), got undefined'],
	// @ts-expect-error It takes none.
	[async () => cache.clear(url), `Expected no argument in clear(), which removes everything, got '${url}'; use delete() for a URL, or invalidate()`],
	// @ts-expect-error It takes one.
	[async () => cache.delete(url, url), 'Expected at most one argument in delete(), got 2: several URLs go into an array, as in delete([a, b]); a soft purge is invalidate({url}, {soft: true})'],
	[async () => cache.delete({tag: 'items'} as never), 'Unknown property `tag` in delete(): what has it in common is purged by invalidate({tag: …})'],
	[async () => cache.delete({tags: ['items']} as never), 'Unknown property `tags` in delete(): what has it in common is purged by invalidate({tag: …})'],
	[async () => cache.delete({url, soft: true} as never), 'Unknown property `soft` in delete(): a soft purge is invalidate({url}, {soft: true})'],
	[async () => cache.get({prefix: url} as never), 'Unknown property `prefix` in get(): what has it in common is listed by entries({prefix: …})'],
	[async () => cache.has({url, stale: true} as never), 'Unknown property `stale` in has(): it goes into a second argument, as in has(url, {stale: true})'],
	// @ts-expect-error It takes two.
	[async () => cache.invalidate({tag: 'a'}, {}, {tag: 'b'}), 'Expected at most two arguments in invalidate(), got 3: several tags go into an array, as in invalidate({tag: [\'a\', \'b\']})'],
	[async () => cache.invalidate({tag: 'a'}, {tag: 'b'} as never), 'Unknown property `tag` in invalidate(): expected one of soft'],
	// @ts-expect-error It takes one.
	[async () => cache.get(url, {accept: 'text/plain'}), 'Expected at most one argument in get(), got 2: what tells requests apart goes into one object, as in get({url, headers})'],
	// @ts-expect-error It takes two.
	[async () => cache.has(url, {}, undefined), 'Expected at most two arguments in has(), got 3'],
	// @ts-expect-error It takes two.
	[async () => cache.touch(url, '1h', '2h'), 'Expected at most two arguments in touch(), got 3'],
	// @ts-expect-error It takes one.
	[async () => Array.fromAsync(cache.entries({tag: 'a'}, {origin: url})), 'Unknown property `origin` in entries(): one filter has all properties, as in entries({tag, origin}); the second argument takes `onUnreadable`'],
	// @ts-expect-error It takes one.
	[async () => cache.copyTo(redisCache('memory'), 'a'), 'Expected at most one argument in copyTo(), got 2'],
	// @ts-expect-error It takes none.
	[async () => cache.health('store'), 'Expected no argument in health(), got 1'],
	// @ts-expect-error It takes none.
	[async () => cache.ready({timeout: 1}), 'Expected no argument in ready(), got 1'],
	// @ts-expect-error It takes none.
	[async () => cache.close({force: true}), 'Expected no argument in close(), got 1'],
	// @ts-expect-error It takes two.
	[async () => cache.on('error', () => undefined, {once: true}), 'Expected at most two arguments in on(), got 3'],
	// @ts-expect-error It takes two.
	[async () => cache.once('error', () => undefined, 1), 'Expected at most two arguments in once(), got 3'],
	// @ts-expect-error It takes two.
	[async () => cache.off('error', () => undefined, 1), 'Expected at most two arguments in off(), got 3'],
];

await suite('another wrong argument', () => {
	for (const [call, message] of others) {
		test(message, async () => {
			await assert.rejects(call(), {name: 'TypeError', message});
		});
	}

	test('a body in the place of a response', () => {
		assert.equal(cacheInfo(undefined), undefined);
		for (const [body, type] of [['secret', 'string'], [[], 'object'], [{items: []}, 'object'], [null, 'object']] as const) {
			assert.throws(() => cacheInfo(body), {name: 'TypeError', message: `Expected a response of got's in cacheInfo(), got a value of type ${type}: it takes the whole response that a promise resolves to, or a stream's \`response\`, not a body`});
		}
	});

	test('what has a response in the place of one', () => {
		assert.throws(() => cacheInfo(Promise.resolve()), {name: 'TypeError', message: 'Expected a response of got\'s in cacheInfo(), got a promise: await it first, as in cacheInfo(await client(url))'});
		const stream = got.extend(cache).stream(url, {request: async () => Promise.withResolvers<never>().promise});
		assert.throws(() => cacheInfo(stream), {name: 'TypeError', message: 'Expected a response of got\'s in cacheInfo(), got a stream: pass its `response`, which is there from its \'response\' event on'});
		stream.destroy();
	});

	test('no key, where the cache has the option of that name', async () => {
		const keyed = redisCache({store: 'memory', key: () => 'a'});
		const calls = {
			get: async () => keyed.get(url),
			has: async () => keyed.has(url),
			delete: async () => keyed.delete(url),
			touch: async () => keyed.touch(url, '1h'),
		};
		for (const [name, call] of Object.entries(calls)) {
			await assert.rejects(call(), {name: 'TypeError', message: `Expected the property \`key\` in ${name}(), since this cache has the option \`key\`: what that returns for the request; with whatever key, invalidate({url: …}) purges and entries({url: …}) lists`});
		}

		assert.equal(await keyed.delete({url, key: 'a'}), true);
	});

	test('redisCache itself in the place of what it returns', () => {
		const error = {name: 'TypeError', message: 'Expected what redisCache() returns in got.extend(), got the function itself: call it, as in got.extend(redisCache())'};
		assert.throws(() => got.extend(redisCache as never), error);
		assert.throws(() => got15.extend(redisCache as never), error);
		assert.deepEqual(Object.keys(redisCache), []);
	});

	test('what redisCache() returns, taken apart', async () => {
		const {hooks, handlers} = redisCache('memory');
		const message = 'The handlers of redisCache() run without its hooks, so that nothing would be cached, as in got.extend({...redisCache(), hooks}): pass what redisCache() returns as it is, as in got.extend(redisCache(), {hooks})';
		for (const library of [got, got15 as unknown as typeof got]) {
			for (const given of [{handlers}, {handlers, hooks: {beforeRequest: []}}]) {
				const client = library.extend(given);
				await assert.rejects(async () => client('http://127.0.0.1:1/'), {name: 'TypeError', message});
				assert.throws(() => client.stream('http://127.0.0.1:1/'), {name: 'TypeError', message});
			}

			await assert.rejects(library.extend({handlers, hooks})('http://127.0.0.1:1/', {retry: {limit: 0}}), {code: 'ECONNREFUSED'});
		}
	});

	test('a cache in the place of its options for one request', async () => {
		await assert.rejects(got.extend(redisCache('memory'))(url, {context: {cache: redisCache('memory')}}), {name: 'RequestError', message: 'Unknown option `hooks` in `context.cache`: a cache is an extension, as in got.extend(redisCache()); here go options of one request, or `false`'});
	});

	test('null in the place of a store', () => {
		for (const given of [null, {store: null}]) {
			assert.throws(() => redisCache(given as never), {name: 'TypeError', message: /^The option `store` is null: expected a redis:, .* URL, /v});
		}
	});

	test('a store without a scheme', () => {
		for (const given of ['localhost:6379', '127.0.0.1:6379', '[::1]:6379', 'redis:6379/2']) {
			assert.throws(() => redisCache({store: given}), {name: 'TypeError', message: `The option \`store\` is '${given}', without a scheme: expected 'redis://${given}'`});
		}
	});

	test('options among those of a node-redis client', () => {
		const given = {url: 'redis://user:secret@cache.example.com', ttlOffset: '1d'} as const;
		assert.throws(() => redisCache(given), {name: 'TypeError', message: 'Unknown option `url` in redisCache(): options of node-redis go into `store`, as in {store: {url}, ttlOffset}'});
		assert.throws(() => redisCache({socket: {port: 6379}, namespace: 'a'}), {name: 'TypeError', message: 'Unknown option `socket` in redisCache(): options of node-redis go into `store`, as in {store: {socket}, namespace}'});
	});

	test('options among those of a cluster, a sentinel or a pool of node-redis', () => {
		const misplaced = (name: string, maker: string) => ({name: 'TypeError', message: `Unknown option \`${name}\` in redisCache(): options of node-redis go into \`store\`, as in {store: ${maker}(…), ttlOffset}`});
		assert.throws(() => redisCache({rootNodes: [], defaults: {}, ttlOffset: '1d'} as never), misplaced('rootNodes', 'createCluster'));
		assert.throws(() => redisCache({sentinelRootNodes: [], ttlOffset: '1d'} as never), misplaced('sentinelRootNodes', 'createSentinel'));
		assert.throws(() => redisCache({minimum: 1, ttlOffset: '1d'} as never), misplaced('minimum', 'createClientPool'));
		assert.throws(() => redisCache({store: {rootNodes: [], ttlOffset: '1d'}} as never), {name: 'TypeError', message: 'Unknown option `ttlOffset` in `store`: options of the cache go beside it, as in {store: createCluster(…), ttlOffset}'});
	});

	test('options beside what an embedded Redis is', () => {
		const embedded = {clientOptions: {socket: {path: '/run/redis.sock', tls: false}}, async close() {}} as const; // eslint-disable-line @typescript-eslint/no-empty-function
		for (const given of [{...embedded, ttlOffset: '1d'}, {store: {...embedded, ttlOffset: '1d'}}] as const) {
			assert.throws(() => redisCache(given), {name: 'TypeError', message: 'Unknown option `ttlOffset` in `store`: options of the cache go beside it, as in {store: …, ttlOffset}'});
		}

		assert.throws(() => redisCache({...embedded, database: 1}), {name: 'TypeError', message: 'Unknown option `database` in `store`: options of node-redis go into its `clientOptions`'});
	});

	test('options behind a store', () => {
		// @ts-expect-error It takes one.
		assert.throws(() => redisCache('memory', {ttlOffset: '1d'}), {name: 'TypeError', message: 'Expected one argument in redisCache(), got 2: give the store among the options, as in redisCache({store: \'memory\', ttlOffset: \'1d\'})'});
		// @ts-expect-error It takes one.
		assert.throws(() => redisCache('redis://user:secret@cache.example.com', {}), {name: 'TypeError', message: 'Expected one argument in redisCache(), got 2: give the store among the options, as in redisCache({store: …, ttlOffset: \'1d\'})'});
	});
});

test('what is right is taken', async () => {
	const map = new Map<string, unknown>();
	const adapter = {
		get: async (key: string) => map.get(key),
		set: async (key: string, value: unknown) => map.set(key, value),
		delete: async (key: string) => map.delete(key),
		clear: async () => map.clear(),
		url: 'redis://localhost',
		namespace: 'a',
	};
	assert.equal(await redisCache(adapter as never).delete(url), true);

	assert.equal(await cache.delete([url, new URL(url), {url}]), true);
	assert.equal(await cache.delete([]), true);
	assert.equal(await cache.has({url: new URL(url), method: 'query', headers: {accept: 'a/b', 'Content-Type': undefined}, body: '{}'}, {stale: undefined}), false);
	assert.equal(await cache.get({url, method: undefined, headers: undefined, body: undefined, key: undefined}), undefined);
	assert.equal(await cache.has({url: `${url}?q=*`, method: 'GET', json: {}}), false);
	assert.equal(await cache.has({url, headers: {accept: ['a/b', 'c/d'] as const}}), false);
	assert.equal(await cache.get('unix:/var/run/docker.sock:/info'), undefined);
	assert.equal(await cache.touch(url, 'never'), false);
	assert.deepEqual(await Array.fromAsync(cache.entries({tag: undefined, stale: false, olderThan: new Date()})), []);
	for (const what of [{origin: new URL('/', url)}, {group: '', origin: url}, {group: ['a', 'b'], origin: url}, {tag: ['a', 'b']}, {tag: []}, {url}, {url: new URL(`${url}?api_key=REDACTED`)}, {url: `${url}?q=*`}, {url: `${url}/*/a`}, {prefix: `${url}/*/a`}, {tag: 'a*'}, {prefix: 'http'}, {prefix: `${url}?page=`}, {prefix: 'https://10.0.0.'}, {prefix: `${url}/.`}, {prefix: `${url}?`}, {prefix: 'https://api'}, {prefix: 'unix:/var/run'}, {pattern: /items/v}, {pattern: new URLPattern({pathname: '/x'})}, {pattern: '/x/*'}, {pattern: 'a.example/x?a=1&b=2'}, {olderThan: 0}, {stale: true}] as const) {
		assert.equal(await cache.invalidate(what, {soft: true}), true);
	}

	assert.equal(await cache.clear(), true);
});
