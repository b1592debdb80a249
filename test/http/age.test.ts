import assert from 'node:assert/strict';
import test from 'node:test';
import {
	ageValueSeconds,
	correctedInitialAgeSeconds,
	currentAgeSeconds,
	remainingFreshnessSeconds,
} from '../../source/http/age.ts';
import {afterSeconds, now, storedWith} from './helpers.ts';

const ageValues: ReadonlyArray<readonly [field: string | undefined, seconds: number]> = [
	[undefined, 0],
	['0', 0],
	['7200', 7200],
	['007200', 7200],
	['2147483647', 2_147_483_647],
	['2147483649', 2_147_483_648],
	['99999999999999999999999999', 2_147_483_648],
	// RFC 9111 §5.1: of a list the first member counts.
	['7200, 0', 7200],
	['0, 7200', 0],
	['0,7200', 0],
	// RFC 9111 §5.1: what is invalid is ignored.
	['', 0],
	['abc', 0],
	['-7200', 0],
	['7200.0', 0],
	['7200;foo=bar', 0],
	['abc, 7200', 0],
];

for (const [field, seconds] of ageValues) {
	test(`an Age of \`${field}\` is ${seconds} seconds`, () => {
		assert.equal(ageValueSeconds(field), seconds);
	});
}

// RFC 9111 §4.2.3
const initialAges: ReadonlyArray<readonly [what: string, ageSeconds: number, dateSeconds: number | undefined, delaySeconds: number, expectedSeconds: number]> = [
	['nothing is known', 0, undefined, 0, 0],
	['Age alone', 30, undefined, 0, 30],
	['Age and the delay of the response', 30, undefined, 2.5, 32.5],
	['Date tells of more than Age', 30, -100, 0, 100],
	['Date tells of less than Age', 300, -100, 0, 300],
	['the origin\'s clock is ahead', 0, 7200, 0, 0],
	['the origin\'s clock is behind', 0, -7200, 0, 7200],
	['the delay alone', 0, 0, 3, 3],
	['Date has no fraction of a second', 0, -0.9, 0, 0],
];

for (const [what, ageSeconds, dateSeconds, delaySeconds, expectedSeconds] of initialAges) {
	test(`the initial age when ${what}`, () => {
		assert.equal(correctedInitialAgeSeconds({
			ageSeconds,
			dateValueMs: dateSeconds === undefined ? undefined : afterSeconds(dateSeconds),
			requestTimeMs: afterSeconds(-delaySeconds),
			responseTimeMs: now,
		}), expectedSeconds);
	});
}

test('a response grows older while it is stored', () => {
	const {policy} = storedWith({'Cache-Control': 'max-age=100', Age: '30'});

	assert.equal(currentAgeSeconds(policy, now), 30);
	assert.equal(currentAgeSeconds(policy, afterSeconds(5)), 35);
	assert.equal(remainingFreshnessSeconds(policy, afterSeconds(5)), 65);
	assert.equal(remainingFreshnessSeconds(policy, afterSeconds(80)), -10);
});

test('an age is a whole number of milliseconds', () => {
	const policy = {...storedWith({'Cache-Control': 'max-age=100'}).policy, correctedInitialAgeSeconds: 0.1};

	assert.equal(currentAgeSeconds(policy, afterSeconds(0.2)), 0.3);
	assert.equal(remainingFreshnessSeconds({...policy, freshnessLifetimeSeconds: 1}, afterSeconds(0.2)), 0.7);
});

test('a clock that is set back makes a response older, not fresh for as long as it was set back', () => {
	const {policy} = storedWith({'Cache-Control': 'max-age=100', Age: '30'});

	assert.equal(currentAgeSeconds(policy, afterSeconds(-3600)), 30 + 3600);
	assert.equal(currentAgeSeconds(policy, afterSeconds(-0.5)), 30.5);
});

test('a clock that goes back between request and response gives no negative delay', () => {
	assert.equal(correctedInitialAgeSeconds({ageSeconds: 0, dateValueMs: undefined, requestTimeMs: afterSeconds(60), responseTimeMs: now}), 0);
});
