import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {
	arrival,
	ask,
	assertGiven,
	store,
	until,
	type Act,
} from './scene.ts';

/** Bytes that no compression shortens, always the same. */
const noise = (length: number): Uint8Array => {
	const blocks: Uint8Array[] = [];
	for (let count = 0; count * 32 < length; count++) {
		blocks.push(createHash('sha256').update(String(count)).digest());
	}

	return Buffer.concat(blocks).subarray(0, length);
};

const bodies: Record<string, Uint8Array> = {
	empty: new Uint8Array(),
	nul: Uint8Array.of(0),
	bytes: Uint8Array.from({length: 256}, (_, byte) => byte),
	text: Buffer.from('{"text": "ü \\ \u{0}\u{2028} 😀 \' \\" % _ $1"}\r\n'),
	'not-utf-8': Uint8Array.of(0xC3, 0x28, 0xFF, 0xFE, 0xED, 0xA0, 0x80),
	noise: noise(100_000),
	large: noise(4 * 1024 * 1024),
};

const fields = {
	'content-type': 'text/plain; charset="utf-8"',
	'x-latin': 'caf\u{E9}',
	'x-quotes': String.raw`it's "quoted" \ %00 \u0000`,
	'x-long': 'x'.repeat(4000),
	'x-many': ['first', 'second', 'first'],
	'x-empty': '',
};

const namesOfFields = Object.keys(fields);

const roundTrip: Act = async ({origin, one, other}) => {
	for (const [name, expected] of Object.entries(bodies)) {
		for (const status of name === 'bytes' ? [200, 203, 301, 404, 410] : [200]) {
			origin.answer = () => ({status, headers: {'cache-control': 'max-age=60', ...fields}, body: expected});
			const url = `${origin.url}/${name}?status=${status}&${'long=1&'.repeat(500)}`;
			const first = await ask(one, url, {followRedirect: false});
			await arrival(other, url);
			const again = await ask(other, url, {followRedirect: false});
			assert.deepEqual([again.status, again.statusCode], ['hit', status], name);
			assert.ok(Buffer.from(expected).equals(again.bytes), `the body '${name}' came back as another one`);
			assert.deepEqual(namesOfFields.map(field => again.headers[field]), namesOfFields.map(field => first.headers[field]), name);
			const stored = await other.cache.get(url);
			assert.ok(Buffer.from(expected).equals(stored?.body ?? Buffer.from('nothing')), `get() of '${name}' gives another body`);
		}
	}
};

const replacement: Act = async scene => {
	const {origin, one, other} = scene;
	const url = `${origin.url}/a`;
	await store(scene, url);
	await assertGiven(other, url, {status: 'hit', body: '1'});
	await ask(one, url, {context: {cache: {mode: 'reload'}}});
	await until(async () => (await ask(other, url)).body === '2', 'the later response is given');
	await assertGiven(one, url, {status: 'hit', body: '2'});
};

const expiry: Act = async ({origin, other, open, isShared}) => {
	const url = `${origin.url}/a`;
	// Some stores count in seconds.
	const brief = isShared ? await open({expireAfter: '1s', ttlOffset: 0}) : other;
	const lasting = isShared ? await open({expireAfter: '1s', ttl: false}) : other;
	await ask(lasting, `${url}/lasting`);
	await arrival(other, `${url}/lasting`);
	await until(async () => {
		// Again, where the process was too busy to see it in its time.
		await ask(brief, url, {context: {cache: {mode: 'reload', expireAfter: '1s', ttlOffset: 0}}});
		return other.cache.has(url, {stale: true});
	}, `${url} can be read`);
	await until(async () => !await other.cache.has(url, {stale: true}), 'what is past its time is gone');
	assert.equal(await other.cache.has(`${url}/lasting`, {stale: true}), true, 'what is kept for longer is there');
	await assertGiven(brief, url, {status: 'miss'});
};

const variants: Act = async scene => {
	const {origin, other} = scene;
	origin.answer = ({headers}) => ({headers: {'cache-control': 'max-age=60', vary: 'accept-language'}, body: headers['accept-language'] ?? 'none'});
	const url = `${origin.url}/a`;
	const languages = ['en', 'de', 'fr', 'x'.repeat(500)];
	for (const language of languages) {
		await store(scene, url, {'accept-language': language});
	}

	for (const language of languages) {
		await assertGiven(other, url, {status: 'hit', body: language}, {headers: {'accept-language': language}});
	}

	await assertGiven(other, url, {status: 'miss', body: 'nl'}, {headers: {'accept-language': 'nl'}});
};

const nothingElse: Act = async ({origin, one, other}) => {
	const answer = (cacheControl: string) => () => ({headers: {'cache-control': cacheControl}, body: 'secret'});
	const urls: string[] = [];
	for (const cacheControl of ['no-store', 'private, max-age=60', 'max-age=60, no-store']) {
		origin.answer = answer(cacheControl);
		urls.push(`${origin.url}/${encodeURIComponent(cacheControl)}`);
		await ask(one, urls.at(-1) ?? '');
	}

	origin.answer = answer('max-age=60');
	const requests: Record<string, Parameters<typeof ask>[2]> = {
		authorized: {headers: {authorization: 'Bearer secret'}},
		forbidden: {headers: {'cache-control': 'no-store'}},
		posted: {method: 'POST', body: 'secret'},
		readOnly: {context: {cache: {readOnly: true}}},
		disabled: {context: {cache: {disabled: true}}},
		tooLarge: {context: {cache: {maxBodySize: 5}}},
	};
	for (const [name, options] of Object.entries(requests)) {
		urls.push(`${origin.url}/${name}`);
		const {body} = await ask(one, urls.at(-1) ?? '', options);
		assert.equal(body, 'secret', name);
	}

	// Of what is written late there would be something by now.
	const last = `${origin.url}/last`;
	await ask(one, last, {context: {cache: {maxBodySize: 6}}});
	await arrival(other, last);
	for (const url of urls) {
		assert.equal(await other.cache.has(url, {stale: true}), false, url);
	}
};

/** Values that cannot be read under the keys of a cache: those of one with another key of encryption, and the same names. */
const foreign: Act = async ({origin, open, isShared}) => {
	if (!isShared) {
		return;
	}

	const url = `${origin.url}/a`;
	const names = 'ef'.repeat(32);
	const [stranger, reader] = [await open({encryption: ['01'.repeat(32), names]}), await open({encryption: ['23'.repeat(32), names]})];
	const {body: strange} = await ask(stranger, url);
	await arrival(stranger, url);
	assert.equal(await reader.cache.has(url, {stale: true}), false);
	const {status, body} = await ask(reader, url);
	assert.equal(status, 'miss');
	assert.notEqual(body, strange);
	assert.ok(reader.cache.health().counters.corrupt > 0, 'the value was under another key');
	await arrival(reader, url);
	await assertGiven(reader, url, {status: 'hit', body});
	assert.equal(await stranger.cache.has(url, {stale: true}), false, 'it was replaced');
};

const many: Act = async ({origin, one, other}) => {
	origin.answer = async ({path}) => {
		await delay(path.length % 3);
		return {headers: {'cache-control': 'max-age=60'}, body: path};
	};

	const paths = Array.from({length: 100}, (_, number) => `/${number}`);
	await Promise.all(paths.map(async path => ask(one, origin.url + path)));
	await Promise.all(paths.map(async path => arrival(other, origin.url + path)));
	const given = await Promise.all(paths.map(async path => ask(other, origin.url + path)));
	assert.deepEqual(given.map(({status, body}) => `${status} ${body}`), paths.map(path => `hit ${path}`));
};

/** Both write the same keys at the same time; afterwards all is there, and nothing is mixed up. */
const writers: Act = async ({origin, one, other}) => {
	origin.answer = ({path, headers}) => ({headers: {'cache-control': 'max-age=60', vary: 'accept-language'}, body: `${path} ${headers['accept-language'] ?? 'none'}`});
	const asked = ['/a', '/b', '/c'].flatMap(path => ['en', 'de', 'fr'].map(language => ({url: origin.url + path, headers: {'accept-language': language}, body: `${path} ${language}`})));
	for (const mode of ['reload', 'reload', 'default']) {
		await Promise.all(asked.flatMap(({url, headers, body}) => [one, other].map(async subject => {
			const given = await ask(subject, url, {headers, context: {cache: {mode}}});
			assert.equal(given.body, body);
		})));
	}

	// Where an index cannot be changed in one step, one that wrote last may have known less.
	for (const {url, headers} of asked) {
		await ask(one, url, {headers});
		await arrival(one, url, headers);
	}

	for (const {url, headers, body} of asked) {
		await arrival(other, url, headers);
		await assertGiven(other, url, {status: 'hit', body}, {headers});
	}
};

export const storing: Record<string, Act> = {
	'bodies and header fields come back as they were, byte for byte': roundTrip,
	'a later response takes the place of an earlier one': replacement,
	'a response is gone when its time is over, and not before': expiry,
	'variants are kept apart': variants,
	'nothing is stored that is not to be': nothingElse,
	'a value of somebody else is a miss, and is replaced': foreign,
	'a hundred responses at the same time': many,
	'two caches write the same at the same time': writers,
};
