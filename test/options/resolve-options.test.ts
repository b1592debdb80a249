import assert from 'node:assert/strict';
import {once} from 'node:events';
import process from 'node:process';
import test, {suite} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {createClient} from '@redis/client';
import {redisCache, type RedisCache} from '../../source/index.ts';
import {lifetimeOf} from '../../source/http/lifetime.ts';
import type {CacheableRequest} from '../../source/options/options.ts';
import {resolveOptions, resolveRequestOptions, type RequestSettings} from '../../source/options/resolve-options.ts';
import {validate} from '../../source/options/validate.ts';

const resolve = (options: unknown) => resolveOptions(options as never);

await suite('defaults', () => {
	const settings = resolve({});

	test('are those of the documentation', () => {
		assert.equal(settings.namespace, 'http_cache');
		assert.equal(settings.expires, true);
		assert.equal(settings.timeoutMs, 250);
		assert.equal(settings.memoryBytes, 67_108_864);
		assert.equal(settings.coalesce, 'process');
		assert.equal(settings.isCompressing, undefined);
		assert.equal(settings.keyRing, undefined);
		assert.equal(settings.request.refreshesAhead, false);
		assert.equal(settings.request.ttlOffsetMs, 3_600_000);
		assert.equal(settings.request.maxBodyBytes, 26_214_400);
		assert.equal(settings.request.http.isShared, true);
		assert.equal(settings.request.http.staleIfError, 'disconnected');
		assert.equal(settings.request.http.staleWhileRevalidate, false);
		assert.equal(settings.request.http.cacheStatus, 'got-redis-cache');
		assert.deepEqual([...settings.request.http.methods], ['GET', 'HEAD', 'QUERY']);
	});
});

await suite('what is wrong is named, with what was given and what is expected', () => {
	const table: ReadonlyArray<readonly [options: unknown, message: RegExp]> = [
		[{ttlOfset: '1h'}, /Unknown option `ttlOfset` in redisCache\(\): expected one of ttlOffset, /v],
		[{namespaces: 'a'}, /`namespaces` .* one of namespace, /v],
		[{TTL: false}, /`TTL` .* one of ttl, /v],
		[{constructor: 1}, /Unknown option `constructor`/v],
		[{mode: 'reload'}, /^Unknown option `mode` in redisCache\(\): each request sets it for itself, as in \{context: \{cache: \{mode: …\}\}\}$/v],
		[{tags: ['a']}, /`tags` in redisCache\(\): each request sets it for itself, as in \{context: \{cache: \{tags: …\}\}\}$/v],
		[
			{password: 'secret', namespace: 'a'},
			/^Unknown option `password` in redisCache\(\): options of node-redis go into `store`, as in \{store: \{password\}, namespace\}$/v,
		],
		[{store: 'redis://a', url: 'redis://b'}, /^Unknown option `url` .* as in \{store: \{url\}\}$/v],
		[
			{store: {url: 'redis://a', ttlOffset: '1h'}},
			/^Unknown option `ttlOffset` in `store`: options of the cache go beside it, as in \{store: \{url\}, ttlOffset\}$/v,
		],
		[{store: {ttlOffset: '1h'}}, /as in \{store: …, ttlOffset\}$/v],
		[{nonsense: 1}, /^Unknown option `nonsense` in redisCache\(\): expected one of \w+, \w+, \w+$/v],
		[{statusCode: [200]}, /expected one of statusCodes, /v],
		[{ttl_offset: 1}, /expected one of ttlOffset, /v],
		[{expires: '1h'}, /expected one of expireAfter, /v],
		[{maxAge: 60}, /expected one of expireAfter, /v],
		[{keyPrefix: 'a'}, /expected one of namespace, /v],
		[{backend: 'redis'}, /expected one of store, /v],
		[{enabled: false}, /expected one of disabled, /v],
		[{swr: true}, /expected one of staleWhileRevalidate, /v],
		[{ignoreParams: []}, /expected one of ignoredParameters, /v],
		[{ttl: 60_000}, /`ttl` .* to be a boolean, got 60000; how long responses are fresh is `expireAfter`/v],
		[
			{host: 'localhost', port: 6379},
			/^Unknown option `host` in redisCache\(\): where the Redis is goes into `store`, as in \{store: \{socket: \{host, port\}\}\}$/v,
		],
		[
			{port: 6379, password: 'secret', db: 1, namespace: 'a'},
			/^Unknown option `port` .* as in \{store: \{socket: \{port\}, password, database\}, namespace\}$/v,
		],
		[
			{store: {host: 'localhost', port: 6379}},
			/^Unknown option `host` in `store`: the options are those of node-redis, as in \{store: \{socket: \{host, port\}\}\}$/v,
		],
		[{store: {db: 1, url: 'redis://a'}}, /^Unknown option `db` in `store`: .* as in \{store: \{url, database\}\}$/v],
		[{ttlOffset: -1}, /`ttlOffset` .* to be a duration: milliseconds, .* not negative, got -1/v],
		[{ttlOffset: '-1h'}, /`ttlOffset` .* got '-1h'/v],
		[{ttlOffset: 'soon'}, /`ttlOffset` .* got 'soon'/v],
		[{ttlOffset: NaN}, /`ttlOffset` .* got NaN/v],
		[{ttlOffset: Infinity}, /`ttlOffset` .* got Infinity/v],
		[{timeout: '250'}, /`timeout` .* got '250', which has no unit: write '250s' for seconds, or the number 250 for milliseconds$/v],
		[{timeout: 0}, /`timeout` .* longer than zero.* got 0/v],
		[{namespace: ''}, /`namespace` .* string that is not empty, got ''/v],
		[{namespace: 5}, /`namespace` .* got 5/v],
		[{ttl: 1000}, /`ttl` .* to be a boolean, got 1000/v],
		[{shared: 'yes'}, /`shared` .* to be a boolean, got 'yes'/v],
		[{staleIfError: 'always'}, /`staleIfError` .* 'disconnected', a boolean, or a duration.* got 'always'/v],
		[{staleIfError: {statusCodes: [200]}}, /`staleIfError` .* with status codes from 400 to 599, got \{ statusCodes: \[ 200 \] \}$/v],
		[{staleIfError: {statusCodes: 429}}, /`staleIfError` .* got \{ statusCodes: 429 \}$/v],
		[{staleIfError: '60'}, /`staleIfError` .* got '60', which has no unit: write '60s' /v],
		[{staleIfError: {for: ' 60 '}}, /`staleIfError` .* got `for` as ' 60 ', which has no unit: write '60s' /v],
		[{staleIfError: {for: 'long'}}, /`staleIfError` .* got \{ for: 'long' \}$/v],
		[{staleIfError: {codes: [429]}}, /`staleIfError` .* such as \{statusCodes: \[429, 503\], for: '1d'\}.* got \{ codes: \[ 429 \] \}$/v],
		[{staleIfError: {}}, /`staleIfError` .* got \{\}$/v],
		[{staleIfError: [429]}, /`staleIfError` .* got \[ 429 \]$/v],
		[{staleWhileRevalidate: {}}, /`staleWhileRevalidate` .* got \{\}/v],
		[{expireAfter: '300'}, /`expireAfter` .* got '300', which has no unit: write '300s' for seconds, or the number 300 for milliseconds$/v],
		[{expireAfter: '.5'}, /`expireAfter` .* got '\.5', which has no unit: write '\.5s' for seconds, or the number 0\.5 for milliseconds$/v],
		[{expireAfter: Infinity}, /`expireAfter` .* got Infinity: a lifetime without end is 'never'$/v],
		[{expireAfter: -1}, /`expireAfter` .* got -1: a lifetime without end is 'never'$/v],
		[{staleAfter: '200'}, /`staleAfter` .* got '200', which has no unit/v],
		[{staleWhileRevalidate: '200'}, /`staleWhileRevalidate` .* got '200', which has no unit/v],
		[{ttlOffset: '0'}, /`ttlOffset` .* got '0', which has no unit/v],
		[{ttl: '3600'}, /`ttl` .* to be a boolean, got '3600'; how long responses are fresh is `expireAfter`/v],
		[{expireAfter: '1 fortnight'}, /`expireAfter` .* 'no-store', 'never', or a function, got '1 fortnight'/v],
		[{urlsExpireAfter: {'a.example': '1h'}}, /`urlsExpireAfter` .* array of \[pattern, lifetime\]/v],
		[{urlsExpireAfter: [['a.example']]}, /`urlsExpireAfter` .* got \[ 'a.example' \]$/v],
		[
			{
				urlsExpireAfter: [
					['a.example', '1h'],
					['a.example', 'soon'],
				],
			},
			/`urlsExpireAfter` .* got the lifetime 'soon'$/v,
		],
		[
			{
				urlsExpireAfter: [
					['a.example', '1h'],
					['/x', '1h'],
				],
			},
			/`urlsExpireAfter` .* got the pattern '\/x', which matches no URL: for a path of every origin, write '\*\/x' or '\/x\*'$/v,
		],
		[
			{urlsExpireAfter: [['prices', '1h']]},
			/`urlsExpireAfter` .* got the pattern 'prices', which may be a host or a path: for a path of every origin, write '\/prices\*'; for the host, 'prices:\*'$/v,
		],
		[{urlsExpireAfter: [['a.example', '300']]}, /`urlsExpireAfter` .* got the lifetime '300', which has no unit/v],
		[
			{
				urlsExpireAfter: [
					['b.example', '1m'],
					['a.example', '1h'],
					['a.example/prices', '10s'],
				],
			},
			/`urlsExpireAfter` .* got the pattern 'a\.example\/prices' behind 'a\.example', which matches all its URLs: the first match wins, so put it before that one, or leave it out$/v,
		],
		[{urlsExpireAfter: [['', '1h']]}, /`urlsExpireAfter` .* got the pattern '', which matches no URL/v],
		[{urlsExpireAfter: [['https//x', '1h']]}, /`urlsExpireAfter` .* write 'https:\/\/x'$/v],
		[{urlsExpireAfter: [[{}, '1h']]}, /`urlsExpireAfter` .* got the pattern an object of class Object$/v],
		[{methods: 'GET'}, /`methods` .* array of HTTP methods, got 'GET'/v],
		[{methods: ['GET ']}, /`methods` .* got 'GET '$/v],
		[{methods: ['GET', 'GETT']}, /`methods` .* got 'GETT'$/v],
		[{methods: []}, /`methods` .* got \[\], with which the cache would take no part: say `disabled: true`$/v],
		[{statusCodes: [99]}, /`statusCodes` .* from 200 to 599, got 99$/v],
		[{statusCodes: 200}, /`statusCodes` .* got 200$/v],
		...[304, 412, 416].map(
			code =>
				[
					{statusCodes: [200, code]},
					new RegExp(`\`statusCodes\` .* got ${code}, which is never stored: it answers the precondition or the range of one request$`, 'v'),
				] as const,
		),
		[{statusCodes: []}, /`statusCodes` .* got \[\], with which nothing would be stored: say `readOnly: true`$/v],
		[{ignoredParameters: [1]}, /`ignoredParameters` .* array of names, .* got 1$/v],
		[
			{ignoredParameters: ['a', 'utm_*']},
			/`ignoredParameters` .* got 'utm_\*', a wildcard, which names do not have: list each, such as 'utm_source' and 'utm_medium'$/v,
		],
		[{ignoredParameters: ['']}, /`ignoredParameters` .* got ''$/v],
		[{ignoredParameters: ['?page']}, /`ignoredParameters` .* got '\?page'$/v],
		[{ignoredParameters: ['page=1']}, /`ignoredParameters` .* got 'page=1'$/v],
		[{ignoredParameters: 'page'}, /`ignoredParameters` .* got 'page'$/v],
		[{matchHeaders: ['x y']}, /`matchHeaders` .* header field names/v],
		[{matchHeaders: ['x-*']}, /`matchHeaders` .* header field names/v],
		[{tagField: 'cache-*'}, /`tagField` .* header field name/v],
		[{key: 'tenant'}, /`key` .* a function, got 'tenant'/v],
		[{filter: true}, /`filter` .* a function, got true/v],
		[{maxBodySize: -1}, /`maxBodySize` .* bytes, and not negative, got -1/v],
		[
			{store: 'memory', memory: false},
			/^The options `store: 'memory'` and `memory: false` in redisCache\(\) contradict each other: the one keeps responses in the memory of the process/v,
		],
		[
			{waitForReplicas: 0},
			/`waitForReplicas` .* a whole number of replicas greater than zero, or an object such as \{count: 1, timeout: '1s'\}.* got 0$/v,
		],
		[{waitForReplicas: 1.5}, /`waitForReplicas` .* got 1\.5$/v],
		[{waitForReplicas: true}, /`waitForReplicas` .* got true$/v],
		[{waitForReplicas: {timeout: '1s'}}, /`waitForReplicas` .* got \{ timeout: '1s' \}$/v],
		[{waitForReplicas: {count: 1, timeout: 0}}, /`waitForReplicas` .* with a duration longer than zero, got \{ count: 1, timeout: 0 \}$/v],
		[{waitForReplicas: {count: 1, within: '1s'}}, /`waitForReplicas` .* got \{ count: 1, within: '1s' \}$/v],
		[{memory: true}, /`memory` .* `false`, or a whole number of bytes/v],
		[{compression: 'zstd'}, /`compression` .* to be a boolean, got 'zstd'/v],
		[{encryption: 'correct horse'}, /`encryption` .* a key of 32 bytes.* got a string of 13 characters$/v],
		[{encryption: []}, /`encryption` .* got \[\]$/v],
		[{encryption: true}, /`encryption` .* got a value of type boolean$/v],
		[{encryption: ['a'.repeat(64), new Uint8Array(31)]}, /`encryption` .* got \[a string of 64 characters, 31 bytes\]$/v],
		[
			{encryption: undefined},
			/^Expected the option `encryption` in redisCache\(\) to be a key of 32 bytes.* got undefined, as from an unset environment variable; leave the option out to store responses unencrypted$/v,
		],
		...['user', 'key', 'filter'].map(
			name =>
				[
					{[name]: undefined},
					new RegExp(
						`^Expected the option \`${name}\` in redisCache\\(\\) to be a function, got undefined, as from a name that is not exported; leave the option out to `,
						'v',
					),
				] as const,
		),
		[
			{namespace: undefined},
			/^Expected the option `namespace` .* got undefined, as from an unset environment variable; leave the option out to share /v,
		],
		[
			{store: {socket: {host: 'a', tls: {}}}},
			/^The option `store` is an object whose `socket` has `tls` as \{\}, with which node-redis would connect without TLS: expected `true` or `false`; options of TLS, such as `ca` and `servername`, go beside it$/v,
		],
		...['true', 1, 'yes', null, 0].map(
			tls => [{store: {socket: {tls}}}, /`tls` as .*, with which node-redis would connect without TLS: expected `true` or `false`/v] as const,
		),
		[
			{store: {socket: {host: 'a', rejectUnauthorized: true}}},
			/^The option `store` is an object whose `socket` has `rejectUnauthorized`, an option of TLS, without TLS: expected `tls: true` beside it, or a rediss: URL$/v,
		],
		[{store: {url: 'redis://a', socket: {ca: 'secret'}}}, /whose `socket` has `ca`, an option of TLS, without TLS/v],
		[{store: {socket: {hots: 'a'}}}, /whose `socket` has `hots`, which is no option of a connection: expected one of host, /v],
		[{store: {socket: {host: 'a', prot: 1}}}, /whose `socket` has `prot`, .* expected one of port, /v],
		[
			{store: {url: 'redis://a:secret@b', socket: {host: 'c'}}},
			/^The option `store` is an object with a `url` and `socket\.host`, which would be passed over: expected one of them \('redis:\/\/…@b'\)$/v,
		],
		[{store: {url: 'unix:///a', socket: {path: '/b'}}}, /with a `url` and `socket\.path`, which would be passed over/v],
		[{store: {socket: {path: '/b', port: 1}}}, /has both `path` and `port`: expected one of them$/v],
		[
			{store: {url: 'redis://:secret@b', password: 'other'}},
			/with `password` and a `url` that has another, which is the one that would be used: expected one of them$/v,
		],
		[{store: {url: 'redis://b/1', database: 2}}, /with `database` and a `url` that has another/v],
		[{store: {url: 'unix:///a?db=1', database: 2}}, /with `database` and a `url` that has another/v],
		[
			{store: {url: 'redis://b', socket: {tls: true}}},
			/whose `url` says that the connection is without TLS, and whose `socket` has `tls: true`: expected a rediss: URL, or no `tls` beside the URL$/v,
		],
		[
			{store: {url: 'rediss://b', socket: {tls: false}}},
			/whose `url` says that the connection is with TLS, and whose `socket` has `tls: false`: expected a redis: URL, or no `tls` beside the URL$/v,
		],
		...['clientSideCache', 'disableOfflineQueue', 'pingInterval'].map(
			name =>
				[
					{store: {[name]: 1}},
					new RegExp(
						`^The option \`store\` is an object with \`${name}\`, which would have no effect: .*; leave it out, or pass a client of your own$`,
						'v',
					),
				] as const,
		),
		[{store: {socket: {reconnectStrategy: 1}}}, /whose `socket` has `reconnectStrategy`, which would have no effect/v],
		[
			{socket: {host: 'a'}, namespace: 'b'},
			/^Unknown option `socket` in redisCache\(\): options of node-redis go into `store`, as in \{store: \{socket\}, namespace\}$/v,
		],
		[{encryption: [undefined, 'a'.repeat(64)]}, /`encryption` .* got \[a value of type undefined, a string of 64 characters\]$/v],
		[{encryption: null}, /`encryption` .* got a value of type object$/v],
		[{encryption: ''}, /`encryption` .* got a string of 0 characters$/v],
		[{coalesce: true}, /`coalesce` .* to be 'process', 'fleet' or `false`, got true/v],
		[{retryFirst: 'yes'}, /`retryFirst` .* to be a boolean, got 'yes'/v],
		[{refreshAhead: 1}, /`refreshAhead` .* to be a boolean, got 1/v],
		[{targets: ['a,b']}, /`targets`/v],
		[{cacheStatus: 'naïve'}, /`cacheStatus` .* printable ASCII/v],
		[{cacheControl: false}, /`cacheControl: false` .* needs `expireAfter` or `urlsExpireAfter`/v],
		[{ttl: false, ttlOffset: '1h'}, /`ttl: false` and `ttlOffset` .* contradict each other/v],
		[{onlyIfCached: true, alwaysRevalidate: true}, /`onlyIfCached` and `alwaysRevalidate` .* contradict each other/v],
		[undefined, /Expected an object with options in redisCache\(\), got undefined/v],
		[[], /got \[\]/v],
	];

	for (const [options, message] of table) {
		test(String(message), () => {
			assert.throws(() => resolve(options), {name: 'TypeError', message});
		});
	}

	test('few names are told all', () => {
		assert.throws(() => validate({flie: 1}, {path: [() => true, ''], binary: [() => true, '']}, {where: 'a()', noun: 'option'}), {
			message: 'Unknown option `flie` in a(): expected one of path, binary',
		});
	});

	test('a long value is cut short', () => {
		assert.throws(() => resolve({ttl: 'x'.repeat(10_000)}), error => error instanceof TypeError && error.message.length < 200);
	});
});

/** What clients of other packages, or of older versions, are told by; none of their methods is called. */
const clientWith = (...names: readonly string[]): Record<string, unknown> =>
	Object.assign(Object.create({}) as Record<string, unknown>, Object.fromEntries(names.map(name => [name, () => assert.fail(name)])), {
		options: {password: 'secret'},
	});

const upstash = /which speaks HTTP: over HTTP there are no replies in bytes, .*\. The cache speaks Redis's own protocol, so pass the rediss:\/\/ URL of the same database/v;

await suite('a client that cannot be used is named, with the way to go', () => {
	const clients: ReadonlyArray<readonly [name: string, store: unknown, message: RegExp]> = [
		[
			'ioredis 4',
			clientWith('get', 'set', 'del', 'connect', 'sendCommand', 'duplicate', 'defineCommand', 'pipeline', 'multi'),
			/^The option `store` is a client of an old ioredis: pass its address, as in \{store: 'redis:\/\/…'\}, or a client of ioredis 5 or 6, of iovalkey, or of node-redis 5$/v,
		],
		['@upstash/redis', clientWith('get', 'set', 'ttl', 'del', 'pipeline', 'createScript', 'use', 'multi'), upstash],
		[
			'node-redis 4',
			clientWith('get', 'set', 'connect', 'sendCommand', 'duplicate', 'multi'),
			/^The option `store` is a client of an old node-redis: pass its address, /v,
		],
		['node-redis 3', clientWith('get', 'set', 'send_command', 'multi'), /^The option `store` is a client of an old node-redis: pass its address, /v],
		[
			'options of @upstash/redis',
			{url: 'https://a.upstash.io', token: 'secret'},
			/^The option `store` is an object with options of @upstash\/redis: .* pass the rediss:\/\/ URL/v,
		],
		[
			'an address of @upstash/redis',
			'https://a.upstash.io',
			/^The option `store` is the address of Upstash's HTTP API: .* pass the rediss:\/\/ URL/v,
		],
	];

	for (const [name, store, message] of clients) {
		test(name, () => {
			assert.throws(() => redisCache({store: store as never}), {name: 'TypeError', message});
			assert.throws(() => redisCache(store as never), {name: 'TypeError', message});
		});
	}

	test('options of @upstash/redis among those of the cache', () => {
		assert.throws(() => resolve({url: 'https://a.upstash.io', token: 'secret', namespace: 'a'}), {name: 'TypeError', message: /^Unknown option `url` in redisCache\(\): it is one of @upstash\/redis; .* as in \{store: 'rediss:\/\/…'\}$/v});
	});
});

await suite('values', () => {
	test('an option that is undefined has its default', () => {
		assert.equal(resolve({ttlOffset: undefined}).request.ttlOffsetMs, 3_600_000);
	});

	test('a store that is null is not the default one', () => {
		assert.equal(resolve({store: undefined}).store, undefined);
		assert.equal(resolve({store: null}).store, null);
	});

	test('an adapter may have properties that are named as options are', () => {
		const nothing = () => undefined;
		const store = {get: nothing, set: nothing, delete: nothing, clear: nothing, namespace: 'a', timeout: 5};
		assert.equal(resolve({store}).store, store);
	});

	test('durations are milliseconds or strings', () => {
		assert.equal(resolve({ttlOffset: 1500}).request.ttlOffsetMs, 1500);
		assert.equal(resolve({ttlOffset: '90s'}).request.ttlOffsetMs, 90_000);
		assert.equal(resolve({ttlOffset: '0s'}).request.ttlOffsetMs, 0);
		assert.equal(resolve({staleIfError: '1m'}).request.http.staleIfError, 60);
	});

	const response = {statusCode: 200, statusMessage: 'OK', httpVersion: '1.1', rawHeaders: []};
	const lifetimeIn = ({http: {lifetimes}}: RequestSettings, url = 'https://a.example/') => lifetimeOf({
		request: {method: 'GET', url, headers: {}},
		response,
		lifetimes,
		heedsCacheControl: true,
		statusCode: 200,
		headers: {},
		directives: new Map(),
		isExpiresHeeded: true,
		isShared: true,
		responseTimeMs: 0,
	}).own;

	test('a list of failures has a window, or none', () => {
		const {staleIfError, failureStatusCodes} = resolve({staleIfError: {statusCodes: [429, 503], for: '1m'}}).request.http;
		assert.deepEqual([staleIfError, [...failureStatusCodes ?? []]], [60, [429, 503]]);
		assert.equal(resolve({staleIfError: {statusCodes: [429]}}).request.http.staleIfError, true);
		assert.equal(resolve({staleIfError: {for: '1m'}}).request.http.failureStatusCodes, undefined);
	});

	test('the first URL pattern that matches gives the lifetime, then `expireAfter` of the cache', () => {
		const {request} = resolve({
			expireAfter: '1m',
			urlsExpireAfter: [
				['/everywhere/*', '3s'],
				[new URLPattern({pathname: '/pattern'}), '4s'],
				['a.example/x', 'never'],
				['a.example/z', 'no-store'],
				['*.example/y', () => '2s'],
				['a.example', 5],
			],
		});

		assert.equal(lifetimeIn(request, 'https://a.example/x/1'), Infinity);
		assert.equal(lifetimeIn(request, 'https://a.example/y'), 2);
		assert.equal(lifetimeIn(request, 'https://a.example/z'), 'no-store');
		assert.equal(lifetimeIn(request, 'https://a.example/'), 0.005);
		assert.equal(lifetimeIn(request, 'https://b.example/'), 60);
		assert.equal(lifetimeIn(request, 'https://b.example/everywhere/1'), 3);
		assert.equal(lifetimeIn(request, 'https://b.example/pattern'), 4);
	});

	test('the lifetime of a request comes before those of the cache', () => {
		const cacheOptions = {expireAfter: '1m', urlsExpireAfter: [['a.example', '1h']]} as const;

		assert.equal(lifetimeIn(resolveRequestOptions(cacheOptions, {expireAfter: '5s'})), 5);
		assert.equal(lifetimeIn(resolveRequestOptions(cacheOptions, {expireAfter: 0})), 0);
		assert.equal(lifetimeIn(resolveRequestOptions(cacheOptions, {expireAfter: () => undefined})), undefined);
		assert.equal(lifetimeIn(resolveRequestOptions(cacheOptions, {expireAfter: undefined})), 3600);
		assert.equal(lifetimeIn(resolveRequestOptions(cacheOptions, {tags: ['a']}), 'https://b.example/'), 60);
	});

	test('a function that returns no lifetime is told so', () => {
		assert.throws(() => lifetimeIn(resolve({expireAfter: () => 'whenever'}).request), {name: 'TypeError', message: /`expireAfter` to return .*'no-store', or 'never'.* got 'whenever'/v});
	});

	test('a function that returns what decides nothing is told so', () => {
		const request = {method: 'GET', url: 'https://a.example/', headers: {}, body: undefined, options: undefined as never};
		for (const wrong of [undefined, 1, Promise.resolve(false), {}, 'no']) {
			assert.throws(() => resolve({filter: () => wrong as never}).filter?.(request), {name: 'TypeError', message: /`filter` to return a boolean, got/v});
		}

		for (const wrong of [undefined, 1, Promise.resolve('a'), {}, true, 'undefined', 'null', 'NaN', '[object Object]', '[object Promise]']) {
			assert.throws(() => resolve({key: () => wrong as never}).key?.(request, {} as never), {
				name: 'TypeError',
				message: /`key` to return a string, and not one that a missing value comes to; '' for none, got/v,
			});
		}

		assert.equal(resolve({filter: () => false}).filter?.(request), false);
		assert.equal(resolve({key: () => ''}).key?.(request, {} as never), '');
		assert.equal(resolve({key: ({headers}: CacheableRequest) => String(headers['x-tenant'])}).key?.({...request, headers: {'x-tenant': 'a'}}, {} as never), 'a');
	});

	test('a private cache tells users apart', () => {
		assert.deepEqual(resolve({shared: false}).request.http.matchHeaders, ['authorization', 'cookie']);
	});
});

await suite('one request', () => {
	test('sets options over those of the cache', () => {
		const {http, ttlOffsetMs, tags} = resolveRequestOptions({shared: false, ttlOffset: '2h'}, {mode: 'reload', tags: ['a']});

		assert.equal(http.mode, 'reload');
		assert.equal(http.isShared, false);
		assert.equal(ttlOffsetMs, 7_200_000);
		assert.deepEqual(tags, ['a']);
	});

	test('leaves an option that is undefined as the cache has it', () => {
		assert.equal(resolveRequestOptions({ttlOffset: '2h'}, {ttlOffset: undefined}).ttlOffsetMs, 7_200_000);
	});

	test('cannot set what is the cache\'s alone', () => {
		assert.throws(() => resolveRequestOptions({}, {store: 'memory'}), {name: 'TypeError', message: /Unknown option `store` in `context.cache`/v});
	});

	test('is told where an option of the whole cache belongs', () => {
		assert.throws(() => resolveRequestOptions({}, {shared: false}), {name: 'TypeError', message: 'Unknown option `shared` in `context.cache`: it is one of the whole cache, in redisCache()'});
		assert.throws(() => resolveRequestOptions({}, {moed: 'reload'}), {name: 'TypeError', message: /Unknown option `moed` in `context.cache`: expected one of mode, /v});
	});

	test('is told what the time to live of a response is called', () => {
		assert.throws(() => resolveRequestOptions({}, {ttl: '1h'}), {
			name: 'TypeError',
			message:
				'Unknown option `ttl` in `context.cache`: how long a response is fresh is `expireAfter`, and how much longer it is kept is `ttlOffset`',
		});
	});

	test('leaves the cache out with false', () => {
		assert.equal(resolveRequestOptions({}, false).isDisabled, true);
		assert.equal(resolveRequestOptions({onlyIfCached: true}, false).isDisabled, true);
	});

	test('is told how to leave the cache out', () => {
		for (const given of [null, true]) {
			assert.throws(() => resolveRequestOptions({}, given), {
				name: 'TypeError',
				message: `Expected an object with options in \`context.cache\`, got ${given}; \`false\` leaves the cache out of a request`,
			});
		}

		assert.throws(() => resolveRequestOptions({}, 'reload'), {name: 'TypeError', message: /got 'reload'$/v});
	});

	test('cannot be kept from the origin by its mode and validate at the same time', () => {
		assert.throws(() => resolveRequestOptions({}, {mode: 'only-if-cached', alwaysRevalidate: true}), {
			name: 'TypeError',
			message:
				'The options `mode: \'only-if-cached\'` and `alwaysRevalidate` in `context.cache` contradict each other: the one forbids to ask the origin, the other demands it',
		});
	});

	test('is told of a wrong mode', () => {
		assert.throws(() => resolveRequestOptions({}, {mode: 'fresh'}), {name: 'TypeError', message: /`mode` in `context.cache` to be one of 'default', .* got 'fresh'/v});
	});
});

await suite('a store that is undefined, as from an unset variable, is the default one, and a warning says so', () => {
	const warningOf = async (make: () => RedisCache): Promise<string> => {
		const warned = once(process, 'warning', {signal: AbortSignal.timeout(1000)});
		await using cache = make();
		assert.equal(cache.health().state, 'unknown');
		const [warning] = await warned as [NodeJS.ErrnoException];
		assert.equal(warning.code, 'GOT_REDIS_CACHE_STORE_UNDEFINED');
		return warning.message;
	};

	const ways: Readonly<Record<string, () => RedisCache>> = {
		store: () => redisCache({store: undefined}),
		'store, alone': () => redisCache(undefined),
		'store.url': () => redisCache({store: {url: undefined}, namespace: 'a'}),
		'store.socket.host': () => redisCache({store: {socket: {host: undefined}}, namespace: 'a'} as never),
		'store.socket.host, alone': () => redisCache({url: undefined, socket: {host: undefined}} as never),
		'store.url, alone': () => redisCache({url: undefined} as never),
	};

	for (const [name, make] of Object.entries(ways)) {
		test(name, async () => {
			assert.equal(await warningOf(make), `got-redis-cache: the option \`${name.split(',', 1)[0]}\` in redisCache() is undefined, as from an unset environment variable, so the store is ${name.startsWith('store.') ? 'redis://localhost:6379' : 'the default one: REDIS_URL if it is set, else redis://localhost:6379 or, until it answers, memory'}; give the address of your Redis, or leave the option out`);
		});
	}

	test('one that is left out is warned of by nobody', async () => {
		const warnings: Error[] = [];
		const listener = (warning: Error) => {
			warnings.push(warning);
		};

		process.on('warning', listener);
		await redisCache().close();
		await redisCache({}).close();
		await redisCache({store: {socket: {host: '127.0.0.1'}, url: undefined}}).close();
		await nextTurn();
		process.off('warning', listener);
		assert.deepEqual(warnings, []);
	});
});

test('options that `createClient()` of node-redis was given, and has written into, are taken as a store', () => {
	for (const options of [{url: 'redis://user:p%40ss@127.0.0.1:1/2'}, {url: 'redis://[::1]:1'}, {socket: {host: '127.0.0.1', port: 1}}]) {
		createClient(options);
		assert.ok(redisCache({store: options}));
	}
});
