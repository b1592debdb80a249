/* eslint-disable @stylistic/max-len -- A row of a table is a line. */
import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import {rawFieldValue} from '../../source/http/header-fields.ts';
import {decide} from '../../source/http/decide.ts';
import type {Decision} from '../../source/http/decision.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import type {Outcome} from '../../source/http/outcome.ts';
import {settle} from '../../source/http/settle.ts';
import type {Settings} from '../../source/http/settings.ts';
import {
	afterSeconds,
	date,
	privateSettings,
	requestWith,
	responseWith,
	settingsWith,
	storedWith,
	valueOf,
	type Fields,
	type StoreOptions,
} from './helpers.ts';

const maxAge = {'Cache-Control': 'max-age=60'};
const etag = {ETag: '"1"'};
const cacheControl = (value: string): Fields => ({'Cache-Control': value});
const authorization: HeaderFields = {authorization: 'Bearer A'};
const cdn: Partial<Settings> = {targets: ['cdn-cache-control']};
const page: Fields = {...maxAge, ...etag};

type Row = {
	readonly what: string;
	readonly method?: string;
	readonly request?: HeaderFields;
	/** Default: a page with a lifetime of a minute and an entity tag. `undefined`: nothing. */
	readonly stored?: Fields | undefined;
	readonly storedMore?: StoreOptions;
	/** Default: 61, so that the page is stale. */
	readonly after?: number;
	readonly settings?: Partial<Settings>;
	readonly status: number;
	readonly fields?: Fields;
	/** What becomes of what is stored, and why. */
	readonly expected: string;
};

const run = ({method, request: headers = {}, stored: fields = page, storedMore, after = 61, settings: more, status, fields: received, ...row}: Row): {readonly outcome: Outcome; readonly decision: Decision} => {
	const request = requestWith(headers, method);
	const settings = settingsWith(more);
	const stored = 'stored' in row ? undefined : storedWith(fields, {settings: {...more, isReadOnly: false}, ...storedMore});
	const nowMs = afterSeconds(after);
	const decision = decide(request, stored, nowMs, settings);
	const outcome = settle({request, decision, response: responseWith({Date: date(after), ...received}, status), requestTimeMs: nowMs, responseTimeMs: nowMs, settings});

	return {outcome, decision};
};

const changeIn = (outcome: Outcome): string => {
	if (!('change' in outcome)) {
		return outcome.kind;
	}

	const {change} = outcome;
	const kind = change.kind === 'drop' && change.scope === 'resource' ? 'drop all' : change.kind;

	return 'reason' in change ? `${kind}: ${change.reason}` : kind;
};

/** A 304 is judged by its own fields, and where it is silent by those of the response that it updates. */
const updates: readonly Row[] = [
	{what: 'silent', status: 304, expected: 'freshen'},
	{what: 'silent, in a private cache', status: 304, settings: privateSettings, expected: 'freshen'},
	{what: 'with a lifetime', status: 304, fields: cacheControl('max-age=5'), expected: 'freshen'},
	{what: 'private', status: 304, fields: cacheControl('private'), expected: 'invalidate: private'},
	{what: 'private with a lifetime', status: 304, fields: cacheControl('private, max-age=60'), expected: 'invalidate: private'},
	{what: 'private, in a private cache', status: 304, fields: cacheControl('private'), settings: privateSettings, expected: 'freshen'},
	{what: 'private of one field', status: 304, fields: cacheControl('max-age=60, private="X-User"'), expected: 'freshen'},
	{what: 'no-store', status: 304, fields: cacheControl('no-store'), expected: 'invalidate: no-store'},
	{what: 'no-store, in a private cache', status: 304, fields: cacheControl('no-store'), settings: privateSettings, expected: 'invalidate: no-store'},
	{what: 'no-store, of a user who ignores it', status: 304, fields: cacheControl('no-store'), settings: {heedsCacheControl: false, lifetimes: {ofCache: 60}}, expected: 'freshen'},
	{what: 'no-store of the user\'s own', status: 304, settings: {lifetimes: {ofCache: () => 'no-store'}}, stored: page, storedMore: {settings: {}}, expected: 'invalidate: no-store'},
	{what: 'no-store and must-understand', status: 304, fields: cacheControl('no-store, must-understand, max-age=60'), expected: 'freshen'},
	{what: 'Vary: *', status: 304, fields: {...maxAge, Vary: '*'}, expected: 'invalidate: vary-star'},
	{what: 'targeted no-store', status: 304, fields: {'CDN-Cache-Control': 'no-store'}, settings: cdn, expected: 'invalidate: no-store'},
	{what: 'no-store beside a targeted field that is stored', status: 304, stored: {...page, 'CDN-Cache-Control': 'max-age=60'}, fields: cacheControl('no-store'), settings: cdn, expected: 'invalidate: no-store'},
	{what: 'private beside a targeted field that is stored', status: 304, stored: {...page, 'CDN-Cache-Control': 'max-age=60'}, fields: cacheControl('private'), settings: cdn, expected: 'invalidate: private'},
	{what: 'Set-Cookie without a word', status: 304, fields: {'Set-Cookie': 'a=1'}, expected: 'invalidate: set-cookie'},
	{what: 'Set-Cookie without a word, in a private cache', status: 304, fields: {'Set-Cookie': 'a=1'}, settings: privateSettings, expected: 'freshen'},
	{what: 'Set-Cookie and a lifetime', status: 304, fields: {...maxAge, 'Set-Cookie': 'a=1'}, expected: 'freshen'},
	{what: 'Set-Cookie and a lifetime of the user\'s own', status: 304, fields: {'Set-Cookie': 'a=1'}, settings: {lifetimes: {ofCache: 60}}, after: 61, expected: 'invalidate: set-cookie'},
	{what: 'silent, to a cookie, with a lifetime of the user\'s own alone', request: {cookie: 'a'}, status: 304, stored: etag, storedMore: {settings: {lifetimes: {ofCache: 60}}}, settings: {lifetimes: {ofCache: 60}}, expected: 'invalidate: credentials'},
	{what: 'silent, to a cookie, of what states its own lifetime', request: {cookie: 'a'}, status: 304, settings: {lifetimes: {ofCache: 60}}, expected: 'freshen'},
	{what: 'Set-Cookie without a word, which is kept out of the store', status: 304, stored: {...etag, ...cacheControl('max-age=60, private="Set-Cookie"')}, fields: {'Set-Cookie': 'a=1'}, expected: 'invalidate: set-cookie'},

	// RFC 9111 §3.5
	{what: 'silent, to credentials', request: authorization, status: 304, expected: 'invalidate: authorization'},
	{what: 'silent, to credentials, in a private cache', request: authorization, status: 304, storedMore: {request: requestWith(authorization)}, settings: privateSettings, expected: 'freshen'},
	{what: 'with a lifetime, to credentials', request: authorization, status: 304, fields: maxAge, expected: 'invalidate: authorization'},
	...['public', 's-maxage=60', 'must-revalidate'].flatMap((directive): Row[] => [
		{what: `silent, to credentials, of what is stored with ${directive}`, request: authorization, status: 304, stored: {...etag, ...cacheControl(`max-age=60, ${directive}`)}, expected: 'invalidate: authorization'},
		{what: `with ${directive}, to credentials`, request: authorization, status: 304, fields: cacheControl(`max-age=60, ${directive}`), expected: 'freshen'},
		{what: `with a lifetime alone, to credentials, of what is stored with ${directive}`, request: authorization, status: 304, stored: {...etag, ...cacheControl(`max-age=60, ${directive}`)}, fields: maxAge, expected: 'invalidate: authorization'},
		{what: `with a lifetime alone, to credentials, of what is stored with a targeted ${directive}`, request: authorization, status: 304, stored: {...etag, 'CDN-Cache-Control': `max-age=60, ${directive}`}, fields: maxAge, settings: cdn, expected: 'invalidate: authorization'},
	]),

	// HEAD, RFC 9111 §4.3.5
	{what: 'HEAD, silent', method: 'HEAD', status: 200, fields: etag, expected: 'freshen'},
	...[cacheControl('private'), cacheControl('no-store'), {'Set-Cookie': 'a=1'}].map((fields): Row => ({what: `HEAD with ${JSON.stringify(fields)}`, method: 'HEAD', status: 200, fields: {...etag, ...fields}, expected: `invalidate: ${'Set-Cookie' in fields ? 'set-cookie' : fields['Cache-Control'] as string}`})),
	{what: 'HEAD, silent, to credentials', method: 'HEAD', request: authorization, status: 200, fields: etag, expected: 'invalidate: authorization'},
	{what: 'HEAD of another representation', method: 'HEAD', status: 200, fields: {...maxAge, ETag: '"2"'}, expected: 'invalidate: head'},
	{what: 'HEAD of what is gone', method: 'HEAD', status: 410, fields: maxAge, expected: 'drop all: head'},
	{what: 'HEAD of what has moved', method: 'HEAD', status: 301, fields: maxAge, expected: 'drop: head'},
	{what: 'HEAD that is forbidden', method: 'HEAD', status: 403, expected: 'invalidate: head'},
	{what: 'HEAD that failed', method: 'HEAD', status: 500, fields: maxAge, expected: 'leave: head'},

	// The caller's own precondition
	{what: 'to the caller, silent', request: {'if-none-match': '"1"'}, status: 304, fields: etag, expected: 'freshen'},
	{what: 'to the caller, private', request: {'if-none-match': '"1"'}, status: 304, fields: {...etag, ...cacheControl('private')}, expected: 'invalidate: private'},
	{what: 'to the caller with credentials', request: {'if-none-match': '"1"', ...authorization}, status: 304, fields: etag, expected: 'invalidate: authorization'},
	{what: 'to the caller, private, of something else', request: {'if-none-match': '"2"'}, status: 304, fields: {ETag: '"2"', ...cacheControl('private')}, expected: 'leave: not-modified'},

	{what: 'private, though read-only', status: 304, fields: cacheControl('private'), settings: {isReadOnly: true}, expected: 'leave: read-only'},
	{what: 'silent, though read-only', status: 304, settings: {isReadOnly: true}, expected: 'leave: read-only'},
	{what: 'of something else', status: 304, fields: {ETag: '"2"'}, expected: 'drop: not-modified'},
	{what: 'of something else, though read-only', status: 304, fields: {ETag: '"2"'}, settings: {isReadOnly: true}, expected: 'leave: not-modified'},
];

const part: StoreOptions = {statusCode: 206, body: '01234'};
const firstPart = {...page, 'Content-Range': 'bytes 0-4/10'};
const lastPart = {...etag, 'Content-Range': 'bytes 5-9/10'};
const rest = {stored: firstPart, storedMore: part, status: 206} as const;

/** A part is judged by its own fields, and by those that it has together with what is stored. */
const parts: readonly Row[] = [
	{...rest, what: 'the rest', fields: {...lastPart, ...maxAge}, expected: 'freshen'},
	{...rest, what: 'the rest, silent', fields: lastPart, expected: 'freshen'},
	{...rest, what: 'the rest, private', fields: {...lastPart, ...cacheControl('private, max-age=60')}, expected: 'invalidate: private'},
	{...rest, what: 'the rest, no-store', fields: {...lastPart, ...cacheControl('no-store, max-age=60')}, expected: 'invalidate: no-store'},
	{...rest, what: 'the rest, Vary: *', fields: {...lastPart, ...maxAge, Vary: '*'}, expected: 'invalidate: vary-star'},
	{...rest, what: 'the rest with Set-Cookie', fields: {...lastPart, 'Set-Cookie': 'a=1'}, expected: 'invalidate: set-cookie'},
	{...rest, what: 'the rest, to credentials', request: authorization, fields: {...lastPart, ...maxAge}, expected: 'invalidate: authorization'},
	{...rest, what: 'the rest, to credentials, silent, of what is public', request: authorization, stored: {...firstPart, ...cacheControl('public, max-age=60')}, fields: lastPart, expected: 'invalidate: authorization'},
	{...rest, what: 'the rest, to credentials, public', request: authorization, fields: {...lastPart, ...cacheControl('public, max-age=60')}, expected: 'freshen'},
	{...rest, what: 'the rest, though read-only', fields: {...lastPart, ...maxAge}, settings: {isReadOnly: true}, expected: 'leave: read-only'},
	{...rest, what: 'the rest, which is none', fields: {...lastPart, ETag: '"2"'}, expected: 'drop: partial'},
	{...rest, what: 'not modified in place of the rest', status: 304, fields: etag, expected: 'drop: not-modified'},
	{...rest, what: 'another part, private', request: {range: 'bytes=5-9'}, fields: {...lastPart, ...cacheControl('private, max-age=60')}, expected: 'invalidate: private'},
	{...rest, what: 'a part that cannot be placed', request: {range: 'bytes=5-6, 8-9'}, fields: {...page, 'Content-Type': 'multipart/byteranges; boundary=x'}, expected: 'leave: partial'},
	{...rest, what: 'a part that cannot be placed, of another state', request: {range: 'bytes=5-6, 8-9'}, fields: {...maxAge, ETag: '"2"'}, expected: 'drop: partial'},
	{...rest, what: 'a part of another state, private', request: {range: 'bytes=5-9'}, fields: {...lastPart, ETag: '"2"', ...cacheControl('private')}, expected: 'drop: private'},
	{...rest, what: 'a part of what is stored weakly, private', stored: {...maxAge, ETag: 'W/"1"'}, storedMore: {}, request: {range: 'bytes=5-9'}, fields: {...lastPart, ETag: 'W/"1"', ...cacheControl('private')}, expected: 'invalidate: private'},
	{...rest, what: 'a range that does not exist', request: {range: 'bytes=5-9'}, status: 416, expected: 'leave: status'},
];

/** What the origin says last counts, if it is about the resource. */
const answers: readonly Row[] = [
	...[200, 203, 226, 300, 301, 302, 303, 307, 308, 451].map((status): Row => ({what: `${status} with no-store`, status, fields: cacheControl('no-store'), expected: 'drop: no-store'})),
	...[404, 410].map((status): Row => ({what: `${status} with no-store`, status, fields: cacheControl('no-store'), expected: 'drop all: no-store'})),
	...[404, 410].map((status): Row => ({what: `${status} with no-store, where users are told apart`, status, fields: cacheControl('no-store'), settings: {matchHeaders: ['cookie']}, expected: 'drop: no-store'})),
	{what: '302 without a word', status: 302, expected: 'drop: not-explicit'},
	{what: '200 without a word', status: 200, expected: 'drop: not-reusable'},
	{what: '200, private', status: 200, fields: cacheControl('private, max-age=60'), expected: 'drop: private'},
	{what: '200 to credentials', request: authorization, status: 200, fields: maxAge, expected: 'drop: authorization'},
	{what: '200 with a status code that the user left out', status: 203, fields: maxAge, settings: {statusCodes: new Set([200])}, expected: 'drop: status'},
	{what: '200 of what is still fresh', request: {'cache-control': 'no-cache'}, after: 1, status: 200, fields: cacheControl('no-store'), expected: 'drop: no-store'},
	{what: '200 in place of a part', request: {range: 'bytes=5-9'}, stored: firstPart, storedMore: part, status: 200, fields: cacheControl('no-store'), expected: 'drop: no-store'},
	{what: '200 to a precondition of the caller\'s own', request: {'if-none-match': '"0"'}, status: 200, fields: cacheControl('no-store'), expected: 'drop: no-store'},
	{what: '200 to a reload', status: 200, settings: {mode: 'reload'}, fields: cacheControl('no-store'), expected: 'drop: no-store'},
	{what: '200, storable', status: 200, fields: maxAge, expected: 'replace'},
	{what: '404, storable', status: 404, fields: maxAge, expected: 'replace'},
	...[500, 501, 502, 503, 504, 599, 408, 425, 429, 400, 405, 412, 414, 416, 428, 431].map((status): Row => ({what: `${status}`, status, fields: cacheControl('no-store'), expected: `leave: ${status === 412 || status === 416 || [428, 429, 431].includes(status) ? 'status' : 'no-store'}`})),
	...[401, 403, 407].flatMap((status): Row[] => [
		{what: `${status}, of what is stale`, status, fields: cacheControl('no-store'), expected: `invalidate: ${status === 403 ? 'no-store' : 'status'}`},
		{what: `${status}, of what is fresh`, status, request: {'cache-control': 'no-cache'}, after: 1, fields: cacheControl('no-store'), expected: `leave: ${status === 403 ? 'no-store' : 'status'}`},
		{what: `${status}, whatever may stand in for a failure`, status, settings: {staleIfError: true}, fields: cacheControl('no-store'), expected: `invalidate: ${status === 403 ? 'no-store' : 'status'}`},
	]),
	{what: '503 that something stale stands in for', status: 503, settings: {staleIfError: true}, expected: 'reuse-stale'},
	{what: '200, though read-only', status: 200, fields: cacheControl('no-store'), settings: {isReadOnly: true}, expected: 'leave: read-only'},
	{what: '404 past the cache', request: {'cache-control': 'no-store'}, status: 404, expected: 'leave: bypassed'},
];

for (const [name, rows] of Object.entries({'a 304 or HEAD response': updates, 'a part': parts, 'an answer': answers})) {
	suite(name, () => {
		for (const row of rows) {
			test(`${row.what}: ${row.expected}`, () => {
				assert.equal(changeIn(run(row).outcome), row.expected);
			});
		}
	});
}

suite('what is marked invalid', () => {
	const given = {status: 304, fields: {...cacheControl('private, max-age=60'), 'X-User': 'A', 'Set-Cookie': 'session=A'}} as const;
	const invalidated = (row: Omit<Row, 'what' | 'expected'>) => {
		const {outcome} = run({what: '', expected: '', ...row});
		if (!('change' in outcome) || outcome.change.kind !== 'invalidate') {
			throw new Error(`Not marked invalid: ${changeIn(outcome)}`);
		}

		return {answer: 'answer' in outcome ? outcome.answer : undefined, stored: outcome.change.stored};
	};

	test('keeps its own header fields, and the caller is given his', () => {
		const {answer, stored} = invalidated(given);
		assert.deepEqual(stored.rawHeaders, storedWith(page).rawHeaders);
		assert.deepEqual(['x-user', 'set-cookie', 'cache-control', 'etag'].map(name => valueOf(answer?.rawHeaders ?? [], name)), ['A', 'session=A', 'private, max-age=60', '"1"']);
		assert.deepEqual(answer?.body, storedWith(page).body);
	});

	test('answers no request before it is validated', () => {
		const {stored} = invalidated({...given, after: 1, request: {'cache-control': 'no-cache'}});
		for (const mode of ['default', 'force-cache'] as const) {
			assert.equal(decide(requestWith(), stored, afterSeconds(2), settingsWith({mode, staleWhileRevalidate: true})).kind, 'validate');
		}

		assert.equal(decide(requestWith({'cache-control': 'max-stale'}), stored, afterSeconds(2), settingsWith()).kind, 'validate');
	});

	test('stands in for no failure, but for others than the one who was refused', () => {
		const failureOf = (stored: typeof withdrawn) => settle({
			request: requestWith(),
			decision: decide(requestWith(), stored, afterSeconds(62), settingsWith()),
			response: responseWith({}, 503),
			requestTimeMs: afterSeconds(62),
			responseTimeMs: afterSeconds(62),
			settings: settingsWith({staleIfError: true}),
		}).kind;

		const {stored: withdrawn} = invalidated(given);
		assert.equal(failureOf(withdrawn), 'pass');
		assert.equal(failureOf(invalidated({status: 403}).stored), 'reuse-stale');
	});

	test('is not marked again', () => {
		const {stored} = invalidated(given);
		const decision = decide(requestWith(), stored, afterSeconds(61), settingsWith());
		const outcome = settle({request: requestWith(), decision, response: responseWith(given.fields, 304), requestTimeMs: afterSeconds(61), responseTimeMs: afterSeconds(61), settings: settingsWith()});

		assert.equal(changeIn(outcome), 'leave: private');
	});
});

test('a filter of the user\'s is asked about all that would be stored', () => {
	const isFiltered = (status: number, stored: Fields, storedMore: StoreOptions | undefined, fields: Fields) => {
		const seen: Array<readonly [number, unknown]> = [];
		const held = storedWith(stored, storedMore);
		const outcome = settle({
			request: requestWith(),
			decision: decide(requestWith(), held, afterSeconds(61), settingsWith()),
			response: responseWith(fields, status),
			requestTimeMs: afterSeconds(61),
			responseTimeMs: afterSeconds(61),
			settings: settingsWith(),
			isFilteredOut({statusCode, rawHeaders}) {
				seen.push([statusCode, rawFieldValue(rawHeaders, 'test')]);
				return true;
			},
		});

		return [changeIn(outcome), ...seen];
	};

	assert.deepEqual(isFiltered(200, page, undefined, {...page, Test: 'new'}), ['drop: filtered', [200, 'new']]);
	assert.deepEqual(isFiltered(304, page, undefined, {Test: 'new'}), ['invalidate: filtered', [200, 'new']]);
	assert.deepEqual(isFiltered(206, firstPart, part, {...lastPart, Test: 'new'}), ['invalidate: filtered', [206, 'new']]);
	assert.deepEqual(isFiltered(503, page, undefined, {}), ['leave: not-explicit']);
});
