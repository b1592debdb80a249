import assert from 'node:assert/strict';
import test from 'node:test';
import {
	deltaSecondsCeiling,
	directiveSeconds,
	hasUnqualified,
	parseCacheControl,
	qualifiedFieldNames,
} from '../../source/http/cache-control.ts';

const secondsTable: ReadonlyArray<readonly [field: string, maxAgeSeconds: number | undefined]> = [
	['', undefined],
	['no-cache', undefined],
	['max-age=60', 60],
	['MaX-aGe=60', 60],
	['max-age=0060', 60],
	['foo, max-age=60, bar=1', 60],
	['s-maxage=1, max-age=60', 60],
	['max-age="60"', 60],
	// RFC 9111 §1.2.2
	['max-age=2147483647', 2_147_483_647],
	['max-age=2147483648', deltaSecondsCeiling],
	['max-age=99999999999999999999', deltaSecondsCeiling],
	// RFC 9111 §4.2.1: invalid freshness information means stale.
	['max-age', 0],
	['max-age=', 0],
	['max-age=-60', 0],
	['max-age=+60', 0],
	['max-age=60.0', 0],
	['max-age=1e3', 0],
	['max-age=a60', 0],
	['max-age=60a', 0],
	['max-age=\'60\'', 0],
	['max-age =60', 0],
	['max-age= 60', 0],
	['max-age=٦٠', 0],
	['max-age=60=60', 0],
	// RFC 9111 §4.2.1: contradictions mean stale.
	['max-age=60, max-age=60', 60],
	['max-age=60, max-age=1', 0],
	['max-age=1, max-age=60', 0],
	['max-age=60, max-age', 0],
	// RFC 9111 §5.2: a quoted string is an argument, whatever it says.
	['extension="max-age=3600", max-age=1', 1],
	['max-age=1, extension="max-age=3600"', 1],
	[String.raw`extension="a\", max-age=3600", max-age=1`, 1],
	['extension="unclosed, max-age=1', 1],
];

for (const [field, maxAgeSeconds] of secondsTable) {
	test(`\`${field}\` has a max-age of ${maxAgeSeconds}`, () => {
		assert.equal(directiveSeconds(parseCacheControl(field), 'max-age'), maxAgeSeconds);
	});
}

const presenceTable: ReadonlyArray<readonly [field: string, isPresent: boolean]> = [
	['no-store', true],
	['No-StOrE', true],
	['max-age=1,no-store', true],
	['no-store=1', true],
	['no-store =1', true],
	['a="b, no-store', true],
	['a="no-store"', false],
	['no-stored', false],
	['x-no-store', false],
];

for (const [field, isPresent] of presenceTable) {
	test(`\`${field}\` ${isPresent ? 'says' : 'does not say'} no-store`, () => {
		assert.equal(parseCacheControl(field).has('no-store'), isPresent);
	});
}

const qualifiedTable: ReadonlyArray<readonly [field: string, isUnqualified: boolean, names: readonly string[]]> = [
	['no-cache', true, []],
	['no-cache="Set-Cookie"', false, ['set-cookie']],
	['no-cache="a, B"', false, ['a', 'b']],
	['no-cache=a', false, ['a']],
	['no-cache=""', true, []],
	['no-cache="a", no-cache', true, ['a']],
	['no-cache="a", no-cache="b"', false, ['a', 'b']],
	['private', false, []],
];

for (const [field, isUnqualified, names] of qualifiedTable) {
	test(`\`${field}\` speaks of ${isUnqualified ? 'the response' : names.join(' and ') || 'nothing'}`, () => {
		const directives = parseCacheControl(field);

		assert.equal(hasUnqualified(directives, 'no-cache'), isUnqualified);
		assert.deepEqual(qualifiedFieldNames(directives, 'no-cache'), names);
	});
}

test('a directive named after a part of the language is a directive', () => {
	const directives = parseCacheControl('__proto__=1, constructor');

	assert.equal(directives.has('constructor'), true);
	assert.equal(directiveSeconds(directives, '__proto__'), 1);
	assert.equal(parseCacheControl('a').has('constructor'), false);
});
