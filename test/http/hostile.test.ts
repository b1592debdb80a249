import {Buffer} from 'node:buffer';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {deltaSecondsCeiling} from '../../source/http/cache-control.ts';
import {cacheStatusMember} from '../../source/http/cache-status.ts';
import {construct} from '../../source/http/construct.ts';
import {decide} from '../../source/http/decide.ts';
import type {HeaderFields, RequestHead} from '../../source/http/message.ts';
import {fieldValue, headersOf} from '../../source/http/header-fields.ts';
import {isEquivalent, simplifiedUrl, urlVariation} from '../../source/http/no-vary-search.ts';
import {combine, completed} from '../../source/http/partial.ts';
import {settle} from '../../source/http/settle.ts';
import type {Settings} from '../../source/http/settings.ts';
import {timeToLiveMs} from '../../source/http/time-to-live.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
import {triesOf, unlessFast} from '../helpers/runs.ts';
import {afterSeconds, date, settingsWith, url} from './helpers.ts';

type Passage = {
	readonly first: RequestHead;
	readonly rawHeaders: readonly string[];
	readonly second: RequestHead;
	readonly statusCode?: number;
	readonly after?: number;
	readonly settings?: Partial<Settings>;
};

/** All that can happen to one response and to a later request for it. */
const passThrough = ({first, rawHeaders, second, statusCode = 200, after = 1, settings: more}: Passage): StoredResponse | undefined => {
	const settings = settingsWith(more);
	const variation = urlVariation(fieldValue(headersOf(rawHeaders), 'no-vary-search'));
	assert.equal(isEquivalent(first.url, second.url, variation), isEquivalent(second.url, first.url, variation));
	const body = Buffer.from('0123456789');
	const response = {statusCode, statusMessage: '', httpVersion: '1.1', rawHeaders};
	const times = {requestTimeMs: afterSeconds(0), responseTimeMs: afterSeconds(0)};
	const decision = decide(first, undefined, afterSeconds(0), settings);
	const outcome = settle({request: first, decision, response, ...times, settings});
	cacheStatusMember({name: 'cache', decision, outcome});
	const stored = outcome.kind === 'store' ? completed(first, outcome.change.head, body) : undefined;
	const later = decide(second, stored, afterSeconds(after), settings);

	for (const answer of [200, 206, 304, 503]) {
		const update = settle({request: second, decision: later, response: {...response, statusCode: answer}, ...times, settings});
		if (update.kind === 'combine') {
			combine(update.answer, update.range, body);
		}
	}

	if (stored === undefined) {
		return undefined;
	}

	assert.equal(Number.isNaN(timeToLiveMs(stored.policy, afterSeconds(after), settings)), false);
	const given = construct(second, stored, afterSeconds(after));
	assert.equal(given.rawHeaders.length % 2, 0);
	assert.ok(given.body.byteLength <= body.byteLength);

	return stored;
};

/** Whatever was stored can be reckoned with. */
const isSound = (stored: StoredResponse | undefined): boolean => {
	const {freshnessLifetimeSeconds = 0, correctedInitialAgeSeconds = 0} = stored?.policy ?? {};

	return freshnessLifetimeSeconds >= 0 && freshnessLifetimeSeconds <= deltaSecondsCeiling
		&& correctedInitialAgeSeconds >= 0 && Number.isFinite(correctedInitialAgeSeconds)
		&& (stored?.rawHeaders.every(field => typeof field === 'string') ?? true);
};

const fieldNames = [
	'Age',
	'Cache-Control',
	'Cache-Group-Invalidation',
	'CDN-Cache-Control',
	'Connection',
	'Content-Encoding',
	'Content-Length',
	'Content-Location',
	'Content-Range',
	'Date',
	'ETag',
	'Expires',
	'Last-Modified',
	'Location',
	'No-Vary-Search',
	'Pragma',
	'Set-Cookie',
	'Transfer-Encoding',
	'Vary',
	'__proto__',
	'constructor',
	'',
];
const requestFieldNames = [
	'accept',
	'accept-language',
	'authorization',
	'cache-control',
	'content-type',
	'cookie',
	'if-match',
	'if-modified-since',
	'if-none-match',
	'if-range',
	'if-unmodified-since',
	'pragma',
	'range',
	'__proto__',
];

const fragments = [
	'max-age',
	's-maxage',
	'stale-if-error',
	'stale-while-revalidate',
	'no-cache',
	'no-store',
	'private',
	'must-revalidate',
	'must-understand',
	'immutable',
	'public',
	'only-if-cached',
	'max-stale',
	'min-fresh',
	'params',
	'except',
	'key-order',
	'=("a" "%ff")',
	'(',
	')',
	'=',
	',',
	';',
	'"',
	'\\',
	'*',
	'-',
	' ',
	'\t',
	'\0',
	'\u{7F}',
	'é',
	'\u{D800}',
	'q=',
	'0',
	'1',
	'60',
	'-1',
	'1.5',
	'9'.repeat(30),
	'NaN',
	'Infinity',
	'1e999',
	'W/',
	'"a"',
	'bytes',
	'bytes=',
	'bytes ',
	'0-4/10',
	'5-',
	'-5',
	'/',
	'Accept',
	'Foo',
	date(0),
	date(-1000),
	'Thursday, 18-Aug-50 02:01:18 GMT',
	'Sun Nov  6 08:49:37 1994',
	'Fri, 31 Dec 99999 23:59:59 GMT',
	'https://example.com/',
	'https://[',
	'__proto__',
];

const get: RequestHead = {method: 'GET', url, headers: {}};

const value = fc.oneof(
	fc.array(fc.constantFrom(...fragments), {maxLength: 8}).map(parts => parts.join('')),
	fc.string({unit: 'binary', maxLength: 20}),
);
const fields = fc.array(fc.tuple(fc.constantFrom(...fieldNames), value), {maxLength: 8}).map(pairs => pairs.flat());
const requestField = fc.tuple(fc.constantFrom(...requestFieldNames), fc.oneof(value, fc.array(value, {maxLength: 2})));
const requestHeaders: fc.Arbitrary<HeaderFields> = fc.array(requestField, {maxLength: 4}).map(pairs => Object.fromEntries(pairs));
const request: fc.Arbitrary<RequestHead> = fc.record({method: fc.constantFrom('GET', 'HEAD', 'POST', 'QUERY', ''), url: fc.constantFrom(url, `${url}?a=%`, '', 'nowhere'), headers: requestHeaders});
const settings: fc.Arbitrary<Partial<Settings>> = fc.record({
	isShared: fc.boolean(),
	mode: fc.constantFrom('default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'),
	staleIfError: fc.constantFrom<Settings['staleIfError']>('disconnected', true, false, 5),
	staleWhileRevalidate: fc.constantFrom<Settings['staleWhileRevalidate']>(true, false, 5),
	heedsCacheControl: fc.boolean(),
	targets: fc.constantFrom([], ['cdn-cache-control']),
	matchHeaders: fc.constantFrom([], ['accept-language', '__proto__']),
	alwaysRevalidates: fc.boolean(),
});

const passage: fc.Arbitrary<Passage> = fc.record({
	first: request,
	rawHeaders: fields,
	second: request,
	statusCode: fc.constantFrom(200, 206, 301, 404, 599, 0, 99, 1000),
	after: fc.integer({min: -1e6, max: 1e6}),
	settings,
});

test('whatever the header fields, nothing throws', () => {
	fc.assert(fc.property(passage, each => {
		assert.ok(isSound(passThrough(each)));
	}), triesOf(3000));
});

test('whatever the header fields, a response to another user is not reused', () => {
	const authorization = {authorization: 'Bearer one'};

	fc.assert(fc.property(fields, rawHeaders => {
		const stored = passThrough({first: {...get, headers: authorization}, rawHeaders, second: get});
		const text = rawHeaders.join(' ').toLowerCase();
		// RFC 9111 §3.5
		const isAllowed = ['public', 's-maxage', 'must-revalidate'].some(directive => text.includes(directive));

		assert.ok(stored === undefined || isAllowed);
	}), triesOf(2000));
});

test('whatever stands around it, no-store is seen', () => {
	const harmless = fc.array(fc.constantFrom(...fragments.filter(fragment => !['must-understand', '"', '\\', '"a"'].includes(fragment))), {maxLength: 8}).map(parts => parts.join(''));

	fc.assert(fc.property(harmless, harmless, (before, after) => {
		assert.equal(passThrough({first: get, rawHeaders: ['Cache-Control', `${before}, no-store, ${after}`, 'ETag', '"a"'], second: get}), undefined);
	}));
});

// Long enough that a quadratic rule would not come back.
const length = 500_000;
const long: ReadonlyArray<readonly [what: string, fields: readonly string[]]> = [
	['directives', ['Cache-Control', 'a=1, '.repeat(length / 5)]],
	['empty members', ['Cache-Control', ','.repeat(length)]],
	['quotation marks', ['Cache-Control', '"'.repeat(length + 1)]],
	['escapes', ['Cache-Control', String.raw`"\"`.repeat(length / 3)]],
	['one endless string', ['Cache-Control', `"${String.raw`\"`.repeat(length / 2)}`]],
	['spaces', ['Cache-Control', `max-age=60${' '.repeat(length)}x`]],
	['spaces in a name', ['Cache-Control', `${' '.repeat(length)}a${' '.repeat(length)}=`]],
	['digits', ['Cache-Control', `max-age=${'9'.repeat(length)}`]],
	['one directive again and again', ['Cache-Control', 'max-age=60,'.repeat(length / 11)]],
	['lines', Array.from({length: 50_000}, () => ['Cache-Control', 'max-age=60']).flat()],
	['fields', Array.from({length: 50_000}, (_, index) => [`X-${index}`, 'a']).flat()],
	['cookies', Array.from({length: 50_000}, () => ['Set-Cookie', 'a=b']).flat()],
	['a targeted field', ['CDN-Cache-Control', 'a=1, '.repeat(length / 5)]],
	['a targeted field with a string', ['CDN-Cache-Control', `a="${'b'.repeat(length)}"`]],
	['a targeted field with an inner list', ['CDN-Cache-Control', `a=(${'b '.repeat(length / 2)})`]],
	['Vary', ['Cache-Control', 'max-age=60', 'Vary', Array.from({length: 50_000}, (_, index) => `x-${index}`).join(',')]],
	['Connection', ['Cache-Control', 'max-age=60', 'Connection', Array.from({length: 50_000}, (_, index) => `x-${index}`).join(',')]],
	['no-cache', ['Cache-Control', `no-cache="${Array.from({length: 50_000}, (_, index) => `x-${index}`).join(',')}"`]],
	['Age', ['Cache-Control', 'max-age=60', 'Age', '0,'.repeat(length / 2)]],
	['Expires', ['Expires', 'Sun, 06 Nov 1994 08:49:37 GMT, '.repeat(length / 31)]],
	['Content-Range', ['Cache-Control', 'max-age=60', 'Content-Range', `bytes ${'0'.repeat(length)}`]],
	['groups', ['Cache-Group-Invalidation', '"a", '.repeat(length / 5)]],
	['Pragma', ['Pragma', 'a,'.repeat(length / 2)]],
	['No-Vary-Search', ['Cache-Control', 'max-age=60', 'No-Vary-Search', `params=(${'"a" '.repeat(length / 4)})`]],
	['No-Vary-Search without an end', ['Cache-Control', 'max-age=60', 'No-Vary-Search', '('.repeat(length)]],
	['No-Vary-Search in lines', Array.from({length: 50_000}, () => ['No-Vary-Search', 'params']).flat()],
];

for (const [what, rawHeaders] of long) {
	test(`half a megabyte of ${what}`, unlessFast, () => {
		const headers = {
			accept: 'a;q=1,'.repeat(10_000),
			'accept-language': '"'.repeat(10_001),
			range: `bytes=${'0-1,'.repeat(10_000)}`,
			'if-none-match': `"${'a"," '.repeat(10_000)}`,
			'cache-control': `${'a='.repeat(10_000)}, max-stale`,
		};

		for (const method of ['GET', 'POST']) {
			assert.ok(isSound(passThrough({first: {method, url, headers}, rawHeaders, second: {method, url, headers}, settings: {targets: ['cdn-cache-control']}})));
		}
	});
}

test('a URL of half a megabyte, and as many names as a field may have', unlessFast, () => {
	const variation = urlVariation(`params=(${Array.from({length: 500}, (_, index) => `"x${index}"`).join(' ')})`);
	assert.ok(variation);
	const many = (nameOf: (index: number) => string) => Array.from({length: 100_000}, (_, index) => `${nameOf(index)}=1`).join('&');
	for (const query of [...['&', 'a=1&', '%', '+'].map(text => text.repeat(length / text.length)), many(index => `x${index}`), many(index => `%78${100_000 - index}`)]) {
		const simplified = simplifiedUrl(`${url}?${query}`, variation);
		assert.ok(simplified.startsWith(url));
		assert.ok(isEquivalent(simplified, `${url}?${query}&x1`, variation));
	}
});
