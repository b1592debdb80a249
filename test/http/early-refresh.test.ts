import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {isEarlyRefreshDue} from '../../source/http/early-refresh.ts';
import {response} from '../helpers/records.ts';

const nowMs = 1_800_000_000_000;

/** Fresh for so much longer, of an origin that takes so long. */
const policyOf = (remainingMs: number, tookMs: number) => ({
	...response().policy,
	freshnessLifetimeSeconds: 100 + (remainingMs / 1000),
	correctedInitialAgeSeconds: 100,
	requestTimeMs: nowMs - tookMs,
	responseTimeMs: nowMs,
});

const table: ReadonlyArray<readonly [remainingMs: number, tookMs: number, random: number, isDue: boolean]> = [
	// −ln(1) is 0: not before the end.
	[1, 1000, 1, false],
	[0, 1000, 1, true],
	[-1, 1000, 1, true],
	// −ln(1/e) is 1: as long before the end as the origin takes.
	[999, 1000, 1 / Math.E, true],
	[1001, 1000, 1 / Math.E, false],
	[2999, 1000, Math.E ** -3, true],
	[3001, 1000, Math.E ** -3, false],
	// An origin that answers within a millisecond takes one.
	[0.9, 0, 1 / Math.E, true],
	[1.1, 0, 1 / Math.E, false],
	// A clock that was set back.
	[0.9, -5000, 1 / Math.E, true],
	[1.1, -5000, 1 / Math.E, false],
];

for (const [remainingMs, tookMs, random, isDue] of table) {
	test(`fresh for ${remainingMs} ms, took ${tookMs} ms, random ${random}: ${isDue ? 'due' : 'not due'}`, () => {
		assert.equal(isEarlyRefreshDue(policyOf(remainingMs, tookMs), nowMs, random), isDue);
	});
}

const random = fc.double({min: 1e-16, max: 1, noNaN: true});
const milliseconds = fc.integer({min: 1, max: 100_000});

test('a response that is due for a refresh stays due as time passes', () => {
	fc.assert(fc.property(milliseconds, milliseconds, milliseconds, random, (remainingMs, tookMs, laterMs, drawn) => {
		const policy = policyOf(remainingMs, tookMs);
		assert.ok(!isEarlyRefreshDue(policy, nowMs, drawn) || isEarlyRefreshDue(policy, nowMs + laterMs, drawn));
	}));
});

test('a response that never expires is never due for a refresh', () => {
	assert.equal(isEarlyRefreshDue(policyOf(Infinity, 1000), nowMs, Number.MIN_VALUE), false);
});
