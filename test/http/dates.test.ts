import assert from 'node:assert/strict';
import test from 'node:test';
import {formatHttpDate, parseHttpDate} from '../../source/http/dates.ts';

const now = Date.UTC(2026, 0, 1);

const table: ReadonlyArray<readonly [value: string, iso: string | undefined]> = [
	// RFC 9110 §5.6.7, its own examples
	['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
	['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
	['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
	['Sun Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
	// Other case
	['SUN, 06 NOV 1994 08:49:37 gmt', '1994-11-06T08:49:37.000Z'],
	// The century of two digits
	['Thursday, 18-Aug-50 02:01:18 GMT', '2050-08-18T02:01:18.000Z'],
	['Thursday, 18-Aug-76 02:01:18 GMT', '2076-08-18T02:01:18.000Z'],
	['Thursday, 18-Aug-77 02:01:18 GMT', '1977-08-18T02:01:18.000Z'],
	// Beyond 32 bits
	['Tue, 19 Jan 2038 14:14:08 GMT', '2038-01-19T14:14:08.000Z'],
	['Sun, 21 Nov 2286 04:46:39 GMT', '2286-11-21T04:46:39.000Z'],
	['Fri, 31 Dec 9999 23:59:59 GMT', '9999-12-31T23:59:59.000Z'],
	['Sat, 01 Jan 0001 00:00:00 GMT', '0001-01-01T00:00:00.000Z'],
	['Thu, 29 Feb 2024 00:00:00 GMT', '2024-02-29T00:00:00.000Z'],
	['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
	// No dates
	['', undefined],
	['0', undefined],
	['-1', undefined],
	['1700000000', undefined],
	['2026-01-01T00:00:00Z', undefined],
	['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
	['Sun, 06 Nov 1994 08:49:37 AEST', undefined],
	['Sun, 06 Nov 1994 08:49:37 +0000', undefined],
	['Sun, 06 Nov 94 08:49:37 GMT', undefined],
	['Sun 06 Nov 1994 08:49:37 GMT', undefined],
	['Sun, 06  Nov  1994 08:49:37 GMT', undefined],
	['Sun, 06-Nov-1994 08:49:37 GMT', undefined],
	['Sun, 06 Nov 1994 08.49.37 GMT', undefined],
	['Sun, 06 Nov 1994 8:49:37 GMT', undefined],
	['Sun, 06 Nov 99999 08:49:37 GMT', undefined],
	['Sun, 00 Nov 1994 08:49:37 GMT', undefined],
	['Sun, 31 Nov 1994 08:49:37 GMT', undefined],
	['Wed, 29 Feb 2023 00:00:00 GMT', undefined],
	['Sun, 06 Foo 1994 08:49:37 GMT', undefined],
	['Sun, 06 Nov 1994 24:00:00 GMT', undefined],
	['Sun, 06 Nov 1994 08:60:00 GMT', undefined],
	['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT', undefined],
];

for (const [value, iso] of table) {
	test(`\`${value}\` is ${iso ?? 'no date'}`, () => {
		const time = parseHttpDate(value, now);

		assert.equal(time === undefined ? undefined : new Date(time).toISOString(), iso);
	});
}

test('an absent field is no date', () => {
	assert.equal(parseHttpDate(undefined, now), undefined);
});

test('reads what it writes', () => {
	assert.equal(formatHttpDate(now), 'Thu, 01 Jan 2026 00:00:00 GMT');
	assert.equal(parseHttpDate(formatHttpDate(now), now), now);
});
