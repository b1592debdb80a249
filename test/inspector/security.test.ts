import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import {createServer, type RequestListener} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test from 'node:test';
import {inspectorHandler, startInspector} from '../../source/inspector.ts';
import {redisCache} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {ask, setUpInspector, tokenOf} from './helpers.ts';

const routes = [
	['GET', 'settings'],
	['GET', 'health'],
	['GET', 'statistics'],
	['GET', 'entries'],
	['GET', 'entry?key=a'],
	['GET', 'body?key=a'],
	['GET', 'exchanges'],
	['GET', 'switches'],
	['GET', 'preview?kind=all'],
	['POST', 'explain?url=http://example.com/'],
	['POST', 'purge?kind=all'],
	['POST', 'switch?kind=thaw&origin=http://example.com'],
	['POST', 'check'],
] as const;

const listen = async (listener: RequestListener) => {
	const server = createServer(listener);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
};

test('without the token, or with a wrong one, nothing is told and nothing is done', async () => {
	await using setup = await setUpInspector();
	const {origin, client, cache, token, inspector} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'secret'});
	await client('items');
	for (const [method, route] of routes) {
		for (const given of [undefined, '', token.slice(1), `${token}a`, token.toUpperCase()]) {
			const {status, body} = await ask(inspector.url, `/api/${route}`, {method, headers: {'x-inspector': given}});
			assert.equal(status, 401, route);
			assert.match(body, /^\{"error":"The token is missing or wrong/v);
		}
	}

	assert.ok(await cache.has(`${origin.url}/items`));
	assert.notEqual((await setup.ask('/api/health')).status, 401);
});

test('the token is another one each time, and long', async () => {
	await using cache = redisCache('memory');
	await using one = await startInspector({cache});
	await using other = await startInspector({cache});
	const pattern = /^http:\/\/127\.0\.0\.1:\d+\/#token=(?<token>[\w\-]{43})$/v;

	assert.match(one.url, pattern);
	assert.notEqual(pattern.exec(one.url)?.groups?.token, pattern.exec(other.url)?.groups?.token);
});

test('a request for another host, as after DNS rebinding, is refused, page and data alike', async () => {
	await using setup = await setUpInspector();
	const {port} = new URL(setup.inspector.url);
	for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', '127.0.0.1:1', `127.0.0.1.nip.io:${port}`, `[::1]:${port}`]) {
		for (const place of ['/', '/main.js', '/api/health', '/api/entries']) {
			assert.equal((await setup.ask(place, {headers: {host}})).status, 421, `${host} ${place}`);
		}
	}

	for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
		assert.equal((await setup.ask('/api/health', {headers: {host}})).status, 200);
	}
});

test('it listens on the loopback interface alone', async () => {
	await using setup = await setUpInspector();

	assert.equal(new URL(setup.inspector.url).hostname, '127.0.0.1');
});

test('each response forbids scripts, frames, sniffing and referrers that are not its own', async () => {
	await using setup = await setUpInspector();
	for (const place of ['/', '/style.css', '/main.js', '/nowhere', '/api/health', '/api/nowhere', '/api/entry?key=a']) {
		const {headers} = await setup.ask(place);
		const policy = new Map(String(headers['content-security-policy']).split('; ').map(directive => [directive.split(' ', 1)[0], directive.split(' ').slice(1).join(' ')]));
		assert.equal(policy.get('default-src'), '\'none\'', place);
		assert.equal(policy.get('script-src'), '\'self\'');
		assert.equal(policy.get('style-src'), '\'self\'');
		assert.equal(policy.get('img-src'), '\'self\' blob:');
		assert.equal(policy.get('connect-src'), '\'self\'');
		assert.equal(policy.get('frame-ancestors'), '\'none\'');
		assert.equal(policy.get('base-uri'), '\'none\'');
		assert.equal(policy.get('form-action'), '\'none\'');
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['referrer-policy'], 'no-referrer');
		assert.equal(headers['x-frame-options'], 'DENY');
		assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
		assert.equal(headers['cache-control'], 'no-store');
		assert.equal(headers['access-control-allow-origin'], undefined);
	}
});

test('the files name no other origin, and have no script or style in the markup', async () => {
	await using setup = await setUpInspector();
	const folder = path.resolve(import.meta.dirname, '../../source/inspector/page');
	const names = readdirSync(folder).filter(name => /\.(?:css|html|svg|ts)$/v.test(name)).map(name => name.replace(/\.ts$/v, '.js'));
	assert.ok(names.length > 15);
	for (const name of names) {
		const {status, body, headers} = await setup.ask(name === 'index.html' ? '/' : `/${name}`);
		assert.equal(status, 200, name);
		assert.match(String(headers['content-type']), /^(?:text\/(?:html|css|javascript); charset=utf-8|image\/svg\+xml)$/v);
		const outside = body.match(/https?:\/\/[\w\-.]+/gv)?.filter(address => !/^https?:\/\/(?:\w+\.)?example\.com$|^http:\/\/www\.w3\.org$/v.test(address)) ?? [];
		assert.deepEqual(outside, [], name);
		assert.doesNotMatch(body, / style="| on\w+="|<style|<script(?! type="module" src=)|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/v);
	}
});

test('paths that lead out of the folder, and files beside the page, find nothing', async () => {
	await using setup = await setUpInspector();
	for (const place of [
		'/../handler.js',
		'/..%2fhandler.js',
		'/%2e%2e/handler.ts',
		'/page/main.js',
		'//etc/passwd',
		'/./main.js',
		'/main.ts',
		'/tsconfig.json',
		'/../../../package.json',
		String.raw`/..\handler.js`,
		'/__proto__',
		'/constructor',
		'/api/__proto__',
		'/api/../main.js',
		'/api',
		'/api/',
		String.raw`/C:\windows\win.ini`,
		'/main.js%00.html',
	]) {
		assert.equal((await setup.ask(place)).status, 404, place);
	}
});

test('a route of a GET takes no POST, and a route of a POST no GET', async () => {
	await using setup = await setUpInspector();
	for (const [allowed, route] of routes) {
		const others = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter(each => each !== allowed);
		for (const method of others) {
			const {status, headers} = await setup.ask(`/api/${route}`, {method});
			assert.equal(status, 405, `${method} ${route}`);
			assert.equal(headers.allow, allowed);
		}
	}

	for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
		const {status, headers} = await setup.ask('/', {method});
		assert.equal(status, 405);
		assert.equal(headers.allow, 'GET, HEAD');
	}

	const head = await setup.ask('/style.css', {method: 'HEAD'});
	assert.equal(head.status, 200);
	assert.equal(head.body, '');
});

test('a request of another site is refused, also with the token', async () => {
	await using setup = await setUpInspector();
	const {origin, client, cache, inspector} = setup;
	const {origin: own} = new URL(inspector.url);
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'stored'});
	await client('items');
	const foreign = [{'sec-fetch-site': 'cross-site'}, {'sec-fetch-site': 'same-site'}, {'sec-fetch-site': 'none'}, {origin: 'https://evil.example'}, {origin: 'null'}, {origin: `${own}0`}];
	for (const headers of foreign) {
		assert.equal((await setup.ask('/api/purge?kind=all', {method: 'POST', headers})).status, 403, JSON.stringify(headers));
		assert.equal((await setup.ask('/api/entries', {headers})).status, 403);
	}

	assert.ok(await cache.has(`${origin.url}/items`));
	assert.equal((await setup.ask('/api/purge?kind=all', {method: 'POST', headers: {'sec-fetch-site': 'same-origin', origin: own}})).status, 200);
	assert.ok(!await cache.has(`${origin.url}/items`));
});

test('a handler without a token wants the header field that only the page sends', async () => {
	await using cache = redisCache('memory');
	await using server = await listen(inspectorHandler({cache}));
	assert.equal((await ask(server.url, '/')).status, 200);
	assert.equal((await ask(server.url, '/api/health')).status, 401);
	assert.equal((await ask(server.url, '/api/purge?kind=all', {method: 'POST'})).status, 401);
	assert.equal((await ask(server.url, '/api/purge?kind=all', {method: 'POST', headers: {'x-inspector': '', origin: 'https://evil.example'}})).status, 403);
	assert.equal((await ask(server.url, '/api/purge?kind=all', {method: 'POST', headers: {'x-inspector': '', 'sec-fetch-site': 'cross-site'}})).status, 403);
	assert.equal((await ask(server.url, '/api/purge?kind=all', {method: 'POST', headers: {'x-inspector': '', origin: server.url}})).status, 200);
});

test('a handler finds its place: below a base path, or where Express has mounted it', async () => {
	await using cache = redisCache('memory');
	const withPath = inspectorHandler({cache, basePath: '/admin/cache/'});
	const without = inspectorHandler({cache});
	await using server = await listen((request, response) => {
		if (request.url?.startsWith('/express')) {
			const url = request.url.slice('/express'.length);
			without(Object.assign(request, {originalUrl: request.url, baseUrl: '/express', url: url.startsWith('/') ? url : `/${url}`}), response);
			return;
		}

		withPath(request, response);
	});
	const headers = {'x-inspector': ''};
	for (const base of ['/admin/cache', '/express']) {
		const redirect = await ask(server.url, `${base}?a=b`);
		assert.equal(redirect.status, 308);
		assert.equal(new URL(String(redirect.headers.location), `${server.url}${base}`).pathname, `${base}/`);
		assert.match((await ask(server.url, `${base}/`)).body, /<title>Cache inspector<\/title>/v);
		assert.equal((await ask(server.url, `${base}/main.js`)).status, 200);
		assert.equal((await ask(server.url, `${base}/api/health?`, {headers})).status, 200);
	}

	for (const place of ['/', '/admin', '/admin/cachet/', '/main.js', '/api/health']) {
		assert.equal((await ask(server.url, place, {headers})).status, 404, place);
	}
});

test('a body is given as bytes to be saved, never as a document', async () => {
	await using setup = await setUpInspector();
	const {origin, client, cache} = setup;
	origin.queue((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60', 'content-type': 'text/html'}, body: '<script>alert(1)</script>'});
	});
	await client('page');
	const {storeKey = ''} = await cache.get(`${origin.url}/page`) ?? {};
	const {headers, body} = await setup.ask(`/api/body?key=${encodeURIComponent(storeKey)}`);

	assert.equal(body, '<script>alert(1)</script>');
	assert.equal(headers['content-type'], 'application/octet-stream');
	assert.equal(headers['content-disposition'], 'attachment');
	assert.equal((await setup.ask(`/api/body?limit=7&key=${encodeURIComponent(storeKey)}`)).body, '<script');
});

test('options that are none say so', async () => {
	await using cache = redisCache('memory');
	const give = (options: unknown) => inspectorHandler(options as {cache: typeof cache});

	assert.throws(() => give(undefined), {name: 'TypeError', message: 'Expected an object with the option `cache` in inspectorHandler(), got undefined'});
	assert.throws(() => give({}), {name: 'TypeError', message: 'Expected the option `cache` in inspectorHandler() to be what redisCache() returns, got undefined'});
	assert.throws(() => give({cache: new Map()}), {name: 'TypeError', message: /`cache` in inspectorHandler\(\) to be what redisCache\(\) returns, got Map/v});
	assert.throws(() => give({cache, path: '/cache'}), {name: 'TypeError', message: 'Unknown option `path` in inspectorHandler(): expected one of cache, basePath, readOnly'});
	for (const basePath of ['cache', '//cache', '/cache?a', 5]) {
		assert.throws(() => give({cache, basePath}), {name: 'TypeError', message: /`basePath` in inspectorHandler\(\) to be a path such as '\/cache'/v});
	}

	for (const port of [-1, 1.5, 65_536, '8080']) {
		await assert.rejects(startInspector({cache, port: port as number}), {name: 'TypeError', message: /`port` in startInspector\(\) to be a whole number from 0 to 65535/v});
	}

	await using inspector = await startInspector({cache});
	const port = Number(new URL(inspector.url).port);
	await assert.rejects(startInspector({cache, port}), {message: new RegExp(String.raw`^got-redis-cache: The inspector cannot listen to the port ${port} of 127.0.0.1 \(.*EADDRINUSE`, 'v')});
});

test('a page that only shows tells everything and changes nothing', async () => {
	await using setup = await setUpInspector();
	const {origin, client, cache} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'stored'});
	await client('items');
	await using served = await listen(inspectorHandler({cache, readOnly: true}));
	await using started = await startInspector({cache, readOnly: true});
	for (const [base, headers] of [[served.url, {'x-inspector': ''}], [started.url, {'x-inspector': tokenOf(started)}]] as const) {
		for (const [method, route] of routes) {
			const {status, body} = await ask(base, `/api/${route}`, {method, headers});
			// An explanation is a POST because its parameters do not belong into a URL.
			const isRefused = method === 'POST' && !route.startsWith('explain');
			assert.equal(status === 403, isRefused, route);
			assert.equal(body.includes('This inspector is read-only'), isRefused);
		}

		assert.equal((await ask(base, '/api/settings', {headers})).body, '{"isReadOnly":true}');
	}

	assert.ok(await cache.has(`${origin.url}/items`));
	assert.deepEqual(await setup.json('/api/settings'), {isReadOnly: false});
	assert.throws(() => inspectorHandler({cache, readOnly: 1 as never}), /^TypeError: Expected the option `readOnly` in inspectorHandler\(\) to be a boolean, got 1$/v);
});
