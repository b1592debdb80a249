import assert from 'node:assert/strict';
import test from 'node:test';
import {decide} from '../../source/http/decide.ts';
import type {Decision} from '../../source/http/decision.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import type {Outcome} from '../../source/http/outcome.ts';
import {settle, settleFailure} from '../../source/http/settle.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
import {
	afterSeconds,
	date,
	requestWith,
	responseWith,
	settingsWith,
	storedWith,
	url,
	valueOf,
	type Fields,
} from './helpers.ts';
import {settleTable, type SettleRow} from './settle.table.ts';

const run = ({what, method, request: headers = {}, stored: fields, storedMore, after = 0, decision: expectedDecision, settings: more, response, fields: received}: SettleRow): Outcome => {
	const request = requestWith(headers, method);
	const settings = settingsWith(more);
	const stored = fields && storedWith(fields, storedMore);
	const nowMs = afterSeconds(after);
	const decided = decide(request, stored, nowMs, settings);
	const decision: Decision = expectedDecision === 'fetch: not-stored' ? {kind: 'fetch', reason: 'not-stored'} : decided;

	if (expectedDecision) {
		assert.equal(`${decision.kind}: ${decision.reason}`, expectedDecision, what);
	}

	if (typeof response === 'string') {
		return settleFailure({request, decision, failure: response, nowMs, settings});
	}

	return settle({
		request,
		decision,
		response: responseWith({Date: date(after), ...received}, response),
		requestTimeMs: nowMs,
		responseTimeMs: nowMs,
		settings,
	});
};

for (const row of settleTable) {
	test(`${row.what}: ${row.expected}`, () => {
		const outcome = run(row);

		assert.equal(`${outcome.kind}: ${outcome.reason}`, row.expected);
	});
}

const only = <Kind extends Outcome['kind']>(outcome: Outcome, kind: Kind): Extract<Outcome, {kind: Kind}> => {
	assert.equal(outcome.kind, kind);

	return outcome as Extract<Outcome, {kind: Kind}>;
};

test('a stored head has all but the bytes', () => {
	const outcome = run({
		what: 'a variant',
		request: {foo: ' 1, 2'},
		response: 200,
		fields: {'Cache-Control': 'max-age=60', Vary: 'Foo', 'Set-Cookie': ['a=1', 'b=2'], Connection: 'X-Hop', 'X-Hop': '1', 'Transfer-Encoding': 'chunked'},
		expected: 'store: stored',
	});
	const {head} = only(outcome, 'store').change;

	assert.deepEqual(head.selectingHeaders, {foo: '1,2'});
	assert.equal(head.url, url);
	assert.equal(head.method, 'GET');
	assert.equal(head.range, undefined);
	assert.deepEqual(head.rawHeaders, ['Date', date(), 'Cache-Control', 'max-age=60', 'Vary', 'Foo', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
});

test('a POST response is stored as what a GET request would get', () => {
	const outcome = run({what: '', method: 'POST', request: {foo: '1'}, response: 200, fields: {'Cache-Control': 'max-age=60', 'Content-Location': url}, expected: 'store: stored'});
	const {change: {as, head}, invalidation} = only(outcome, 'store');

	assert.equal(as?.method, 'GET');
	assert.equal(as?.url, url);
	assert.equal(head.method, 'GET');
	assert.deepEqual(invalidation?.urls, [url]);
});

test('a caller\'s own 304 freshens what is stored if it names it', () => {
	const row = {what: '', request: {'if-none-match': '"1"'}, stored: {'Cache-Control': 'max-age=60', ETag: '"1"'}, after: 61, response: 304, expected: 'pass: not-modified'} as const;
	const lifetimeIn = (more: Partial<SettleRow>) => {
		const {change} = only(run({...row, ...more}), 'pass');

		return change.kind === 'freshen' ? change.stored.policy.freshnessLifetimeSeconds : change.kind;
	};

	assert.equal(lifetimeIn({fields: {ETag: '"1"', 'Cache-Control': 'max-age=5'}}), 5);
	assert.equal(lifetimeIn({fields: {ETag: '"2"'}}), 'leave');
	assert.equal(lifetimeIn({}), 'leave');
	assert.equal(lifetimeIn({fields: {ETag: '"1"'}, settings: {isReadOnly: true}}), 'leave');
	assert.equal(lifetimeIn({stored: {'Cache-Control': 'max-age=60', 'Last-Modified': date(-1000)}, fields: {ETag: '"1"'}}), 'leave');
});

test('a caller\'s own 304 freshens what is stored weakly if they asked about nothing else', () => {
	const row = {what: '', stored: {'Cache-Control': 'max-age=60', ETag: 'W/"1"'}, after: 61, response: 304, fields: {ETag: '"1"'}, expected: 'pass: not-modified'} as const;
	const isUpdated = (request: HeaderFields): boolean => only(run({...row, request}), 'pass').change.kind === 'freshen';

	assert.equal(isUpdated({'if-none-match': 'W/"1"'}), true);
	assert.equal(isUpdated({'if-none-match': '"1"'}), true);
	assert.equal(isUpdated({'if-none-match': '"1", W/"2"'}), false);
	assert.equal(isUpdated({'if-none-match': '"2"'}), false);
	assert.equal(isUpdated({'if-none-match': '*'}), false);
	assert.equal(isUpdated({'if-modified-since': date()}), false);
});

test('a response that was validated by a weak entity tag is not put together with a part of a strong one', () => {
	const stored = {'Cache-Control': 'max-age=60', ETag: 'W/"1"'};
	const validated = only(run({what: '', stored, after: 61, response: 304, fields: {ETag: '"1"'}, expected: 'freshen: not-modified'}), 'freshen').answer;
	const outcome = settle({
		request: requestWith({range: 'bytes=5-9'}),
		decision: {kind: 'fetch', reason: 'range-not-stored', stored: {...validated, range: {firstByte: 0, lastByte: 4, completeLength: 10}, statusCode: 206}},
		response: responseWith({'Cache-Control': 'max-age=60', ETag: '"1"', 'Content-Range': 'bytes 5-9/10'}, 206),
		requestTimeMs: afterSeconds(61),
		responseTimeMs: afterSeconds(61),
		settings: settingsWith(),
	});

	assert.equal(valueOf(validated.rawHeaders, 'etag'), 'W/"1"');
	assert.notEqual(outcome.kind, 'combine');
});

test('nothing is invalidated by a cache that only reads', () => {
	const row = {what: '', method: 'PUT', response: 200, expected: 'pass: bypassed'} as const;

	assert.deepEqual(only(run(row), 'pass').invalidation, {urls: [url], groups: []});
	assert.equal(only(run({...row, settings: {isReadOnly: true}}), 'pass').invalidation, undefined);
});

test('a response without Date gets the time of its receipt', () => {
	const outcome = settle({
		request: requestWith(),
		decision: {kind: 'fetch', reason: 'not-stored'},
		response: responseWith({'Cache-Control': 'max-age=60'}),
		requestTimeMs: afterSeconds(0),
		responseTimeMs: afterSeconds(1),
		settings: settingsWith(),
	});

	assert.equal(valueOf(only(outcome, 'store').change.head.rawHeaders, 'date'), date(1));
});

const vary = {'Cache-Control': 'max-age=60', Vary: 'Accept-Language', ETag: '"1"'};
const german = requestWith({'accept-language': 'de'});

// RFC 9111 §4.3.4
const namings: ReadonlyArray<readonly [what: string, stored: StoredResponse | undefined, fields: Fields, expected: string]> = [
	['one', storedWith(vary), {ETag: '"1"'}, 'freshen: not-modified'],
	['none', undefined, {ETag: '"1"'}, 'refetch: validator-mismatch'],
	['another', storedWith(vary), {ETag: '"2"'}, 'refetch: validator-mismatch'],
	['one without saying so', storedWith(vary), {}, 'refetch: validator-mismatch'],
	['one that is a part', storedWith({...vary, 'Content-Range': 'bytes 0-4/10'}, {statusCode: 206, body: '01234'}), {ETag: '"1"'}, 'refetch: validator-mismatch'],
	['one that is no success', storedWith(vary, {statusCode: 404}), {ETag: '"1"'}, 'refetch: validator-mismatch'],
	['one of a private cache', storedWith(vary, {settings: {isShared: false}}), {ETag: '"1"'}, 'refetch: validator-mismatch'],
];

for (const [what, stored, fields, expected] of namings) {
	test(`a 304 names of all variants ${what}: ${expected}`, () => {
		const outcome = settle({
			request: german,
			decision: {kind: 'fetch', reason: 'vary-mismatch', headers: {'if-none-match': '"1"'}, stored},
			response: responseWith(fields, 304),
			requestTimeMs: afterSeconds(61),
			responseTimeMs: afterSeconds(61),
			settings: settingsWith(),
		});

		assert.equal(`${outcome.kind}: ${outcome.reason}`, expected);
		if (outcome.kind !== 'freshen') {
			return;
		}

		assert.deepEqual(outcome.answer.selectingHeaders, {'accept-language': 'de'});
		assert.equal(outcome.answer.body, stored?.body);
	});
}
