import assert from 'node:assert/strict';
import test from 'node:test';
import {ifThereIs, useValkey} from '../helpers/valkey.ts';

/*
Requests that several processes make at the same time are one, on a real Valkey.
*/

const version = useValkey();

test('the server of these tests is a Valkey', ifThereIs(version), () => {
	assert.match(String(version), /^Valkey /v);
});

if (version !== undefined) {
	await import('../got/flights-fleet.test.ts');
}
