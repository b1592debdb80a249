import assert from 'node:assert/strict';
import test from 'node:test';
import {freshenedBy, freshenedByHead} from '../../source/http/freshen.ts';
import type {Settings} from '../../source/http/settings.ts';
import type {StoredResponse} from '../../source/stored.ts';
import {
	afterSeconds,
	date,
	requestWith,
	responseWith,
	settingsWith,
	storedWith,
	valueOf,
	type Fields,
} from './helpers.ts';

type Options = {readonly request?: Record<string, string>; readonly settings?: Partial<Settings>};

const reception = (fields: Fields, {request, settings}: Options = {}, method = 'GET', statusCode = 304) => ({
	request: requestWith(request, method),
	response: responseWith(fields, statusCode),
	requestTimeMs: afterSeconds(100),
	responseTimeMs: afterSeconds(101),
	settings: settingsWith(settings),
});

const freshen = (stored: Fields, update: Fields, options: Options = {}): StoredResponse =>
	freshenedBy(reception(update, options), storedWith({'Cache-Control': 'max-age=60', ETag: '"a"', ...stored}, {request: requestWith(options.request), settings: options.settings}));

// RFC 9111 §3.2
const table: ReadonlyArray<readonly [what: string, name: string, stored: string | undefined, update: string | undefined, expected: string | undefined]> = [
	['a field that is not updated stays', 'Test', 'a', undefined, 'a'],
	['a field is updated', 'Test', 'a', 'b', 'b'],
	['a field is added', 'Test', undefined, 'b', 'b'],
	['Cache-Control is updated', 'Cache-Control', 'max-age=60', 'max-age=5', 'max-age=5'],
	['Content-Type is updated', 'Content-Type', 'text/plain', 'text/html', 'text/html'],
	['Set-Cookie is updated', 'Set-Cookie', 'a=1', 'a=2', 'a=2'],
	['Expires is updated', 'Expires', date(1), date(2), date(2)],
	['Age is of the update alone', 'Age', '30', undefined, undefined],
	['Age is updated', 'Age', '30', '5', '5'],
	['Content-Length describes the stored bytes', 'Content-Length', '10', '0', '10'],
	['Content-Encoding describes the stored bytes', 'Content-Encoding', 'identity', 'gzip', 'identity'],
	['Content-Range describes the stored bytes', 'Content-Range', 'x', 'bytes 0-1/2', 'x'],
	['Content-MD5 describes the stored bytes', 'Content-MD5', 'a', 'b', 'a'],
	['Content-Digest describes the stored bytes', 'Content-Digest', 'sha-256=:YQ==:', 'sha-256=:Yg==:', 'sha-256=:YQ==:'],
	['Connection is of the connection', 'Connection', undefined, 'close', undefined],
	['Transfer-Encoding is of the connection', 'Transfer-Encoding', undefined, 'chunked', undefined],
	['Date is updated', 'Date', date(0), date(100), date(100)],
];

for (const [what, name, stored, update, expected] of table) {
	test(what, () => {
		const freshened = freshen(stored === undefined ? {} : {[name]: stored}, update === undefined ? {} : {[name]: update});

		assert.equal(valueOf(freshened.rawHeaders, name), expected);
	});
}

test('a repeated field is replaced as a whole', () => {
	const {rawHeaders} = freshen({'X-A': ['1', '2']}, {'x-a': ['3', '4']});

	assert.deepEqual(rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'x-a'), ['3', '4']);
});

test('freshness begins anew', () => {
	const {policy, body} = freshen({}, {Date: date(100), Age: '5'});

	assert.equal(policy.freshnessLifetimeSeconds, 60);
	assert.equal(policy.correctedInitialAgeSeconds, 6);
	assert.equal(policy.responseTimeMs, afterSeconds(101));
	assert.equal(policy.isInvalidated, false);
	assert.equal(body.byteLength, 10);
});

test('an update without Date is dated by its receipt', () => {
	assert.equal(freshen({}, {}).policy.correctedInitialAgeSeconds, 1);
});

test('a response that was marked invalid is valid again', () => {
	const stored = storedWith({'Cache-Control': 'max-age=60', ETag: '"a"'});

	assert.equal(freshenedBy(reception({}), {...stored, policy: {...stored.policy, isInvalidated: true}}).policy.isInvalidated, false);
});

test('the selecting fields follow the updated Vary', () => {
	assert.deepEqual(freshen({Vary: 'Foo'}, {Vary: 'Foo, Bar'}, {request: {foo: '1', bar: '2'}}).selectingHeaders, {foo: '1', bar: '2'});
});

test('what the origin would no longer have stored is asked about each time', () => {
	const updates: readonly Fields[] = [{'Cache-Control': 'no-store'}, {'Cache-Control': 'private, max-age=60'}, {Vary: '*'}];

	for (const update of updates) {
		assert.equal(freshen({}, update).policy.isNoCache, true, JSON.stringify(update));
	}

	assert.equal(freshen({}, {'Cache-Control': 'private, max-age=60'}, {settings: {isShared: false}}).policy.isNoCache, false);
	assert.equal(freshen({}, {'Cache-Control': 'no-store, must-understand, max-age=60'}).policy.isNoCache, false);
});

// RFC 9111 §4.3.5
const heads: ReadonlyArray<readonly [stored: Fields, head: Fields, isSame: boolean]> = [
	[{}, {}, true],
	[{ETag: '"a"'}, {ETag: '"a"'}, true],
	[{ETag: '"a"'}, {}, true],
	[{ETag: '"a"'}, {ETag: '"b"'}, false],
	[{ETag: '"a"'}, {ETag: 'W/"a"'}, false],
	[{}, {ETag: '"a"'}, false],
	[{'Last-Modified': date(-1)}, {'Last-Modified': date(-1)}, true],
	[{'Last-Modified': date(-1)}, {'Last-Modified': date(0)}, false],
	[{}, {'Content-Length': '10'}, true],
	[{}, {'Content-Length': '11'}, false],
	[{'Content-Length': '10'}, {'Content-Length': '10'}, true],
	// What arrived decoded has no length to compare.
	[{}, {'Content-Length': '7', 'Content-Encoding': 'gzip'}, true],
];

for (const [fields, head, isSame] of heads) {
	test(`HEAD with ${JSON.stringify(head)} ${isSame ? 'freshens' : 'invalidates'} GET with ${JSON.stringify(fields)}`, () => {
		const stored = storedWith({'Cache-Control': 'max-age=60', ...fields});
		const updated = freshenedByHead(reception({...head, Test: 'new'}, {}, 'HEAD', 200), stored);

		assert.equal(updated.policy.isInvalidated, !isSame);
		assert.equal(valueOf(updated.rawHeaders, 'test'), isSame ? 'new' : undefined);
		assert.equal(updated.method, 'GET');
		assert.equal(updated.body, stored.body);
	});
}
