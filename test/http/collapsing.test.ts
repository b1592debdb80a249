import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {collapsingKey} from '../../source/http/collapsing.ts';
import type {Decision} from '../../source/http/decision.ts';
import {resolveRequestOptions} from '../../source/options/resolve-options.ts';
import type {RequestCacheOptions} from '../../source/options/options.ts';
import {response} from '../helpers/records.ts';

const url = 'https://example.com/';
const miss: Decision = {kind: 'fetch', reason: 'not-stored'};

const keyOf = (
	headers: Record<string, string> = {},
	{
		method = 'GET',
		decision = miss,
		vary = [],
		options = {},
	}: {method?: string; decision?: Decision; vary?: readonly string[]; options?: RequestCacheOptions} = {},
) => collapsingKey({method, url, headers}, decision, vary, resolveRequestOptions({}, options).http);

await suite('requests that have to be made by themselves', () => {
	const validate = (reason: Extract<Decision, {kind: 'validate'}>['reason']): Decision => ({kind: 'validate', reason, stored: response(), headers: {}});
	const table: Record<string, string | undefined> = {
		'an unsafe method': keyOf({}, {method: 'POST'}),
		'a safe method whose responses are not stored': keyOf({}, {method: 'OPTIONS'}),
		'a precondition': keyOf({'if-none-match': '"1"'}),
		'Cache-Control: no-cache': keyOf({'cache-control': 'no-cache'}),
		'Pragma: no-cache': keyOf({pragma: 'no-cache'}),
		'Cache-Control: max-age=0': keyOf({'cache-control': 'max-age=0'}),
		'mode reload': keyOf({}, {decision: {kind: 'fetch', reason: 'reload'}}),
		'mode no-cache': keyOf({}, {options: {mode: 'no-cache'}}),
		'read only: nobody else would find the response': keyOf({}, {options: {readOnly: true}}),
		'a stored no-cache': keyOf({}, {decision: validate('no-cache')}),
		'always to be revalidated': keyOf({}, {decision: validate('always-revalidate')}),
		'a bypass': keyOf({}, {decision: {kind: 'bypass', reason: 'no-store'}}),
		'a hit': keyOf({}, {decision: {kind: 'reuse', reason: 'fresh', stored: response()}}),
	};

	for (const [name, key] of Object.entries(table)) {
		test(name, () => {
			assert.equal(key, undefined);
		});
	}

	test('not those that validate what is stale', () => {
		assert.notEqual(keyOf({}, {decision: validate('stale')}), undefined);
	});
});

await suite('requests that cannot be one', () => {
	const plain = keyOf();
	const table: Record<string, string | undefined> = {
		'another method': keyOf({}, {method: 'HEAD'}),
		'a range': keyOf({range: 'bytes=0-1'}),
		credentials: keyOf({authorization: 'Bearer a'}),
	};

	for (const [name, key] of Object.entries(table)) {
		test(name, () => {
			assert.notEqual(key, undefined);
			assert.notEqual(key, plain);
		});
	}

	test('another variant', () => {
		const [english, french] = ['en', 'fr'].map(language => keyOf({'accept-language': language}, {vary: ['accept-language']}));

		assert.notEqual(english, french);
	});
});

await suite('requests that may be one', () => {
	test('others than those that a field sets apart which does not select', () => {
		assert.equal(keyOf({'x-request-id': '1'}), keyOf({'x-request-id': '2'}));
	});

	test('users who may be given the same', () => {
		assert.equal(keyOf({authorization: 'Bearer a'}), keyOf({authorization: 'Bearer b'}));
	});
});
