import assert from 'node:assert/strict';
import test from 'node:test';
import {isSameRepresentation, mergeInto, type Merged} from '../../source/http/freshen.ts';
import type {Settings} from '../../source/http/settings.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
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

const reception = (fields: Fields, {request, settings}: Options = {}) => ({
	request: requestWith(request),
	response: responseWith(fields, 304),
	requestTimeMs: afterSeconds(100),
	responseTimeMs: afterSeconds(101),
	settings: settingsWith(settings),
});

const merge = (stored: Fields, update: Fields, options: Options = {}): Merged =>
	mergeInto(storedWith({'Cache-Control': 'max-age=60', ETag: '"a"', ...stored}, {request: requestWith(options.request), settings: options.settings}), reception(update, options));

const freshen = (...parameters: Parameters<typeof merge>): StoredResponse => merge(...parameters).stored;

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

	assert.equal(mergeInto({...stored, policy: {...stored.policy, isInvalidated: true}}, reception({})).stored.policy.isInvalidated, false);
});

test('the selecting fields follow the updated Vary', () => {
	assert.deepEqual(freshen({Vary: 'Foo'}, {Vary: 'Foo, Bar'}, {request: {foo: '1', bar: '2'}}).selectingHeaders, {foo: '1', bar: '2'});
});

// RFC 9111 §5.2.2.4, §5.2.2.7
const qualified: ReadonlyArray<readonly [what: string, stored: string, update: string | undefined, settings: Partial<Settings>, name: string, expected: string | undefined]> = [
	['private by the update', 'max-age=60', 'max-age=60, private="X-User"', {}, 'x-user', undefined],
	['private by the stored response', 'max-age=60, private="X-User"', undefined, {}, 'x-user', undefined],
	['private no longer', 'max-age=60, private="X-User"', 'max-age=60', {}, 'x-user', 'A'],
	['private, in a private cache', 'max-age=60', 'max-age=60, private="X-User"', {isShared: false}, 'x-user', 'A'],
	['no-cache by the update', 'max-age=60', 'max-age=60, no-cache="Set-Cookie"', {}, 'set-cookie', undefined],
	['no-cache by the stored response', 'max-age=60, no-cache="Set-Cookie"', undefined, {isShared: false}, 'set-cookie', undefined],
];

for (const [what, stored, update, settings, name, expected] of qualified) {
	test(`a field that is ${what} is ${expected === undefined ? 'not stored' : 'stored'}, and given to the one who asked`, () => {
		const merged = merge(
			{'Cache-Control': stored, 'X-User': 'before', 'Set-Cookie': 'before'},
			{'X-User': 'A', 'Set-Cookie': 'A', ...(update !== undefined && {'Cache-Control': update})},
			{settings},
		);

		assert.equal(valueOf(merged.stored.rawHeaders, name), expected);
		assert.equal(valueOf(merged.answer.rawHeaders, name), 'A');
		assert.equal(merged.answer.body, merged.stored.body);
	});
}

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
	test(`HEAD with ${JSON.stringify(head)} ${isSame ? 'is of the same representation as' : 'is of another representation than'} GET with ${JSON.stringify(fields)}`, () => {
		assert.equal(isSameRepresentation(responseWith(head), storedWith({'Cache-Control': 'max-age=60', ...fields})), isSame);
	});
}
