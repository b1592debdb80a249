import assert from 'node:assert/strict';
import test from 'node:test';
import {
	formatBytes,
	formatSeconds,
	pad,
	plain,
	plainLines,
	toJsonLine,
	truncate,
	truncateMiddle,
	widthOf,
	wrapIndented,
} from '../../source/cli/terminal/text.ts';

test('text is cut to the columns that it takes', () => {
	assert.deepEqual([widthOf('abc'), widthOf('日本'), widthOf('👩‍👩‍👧a'), widthOf('é')], [3, 4, 3, 1]);
	assert.deepEqual([truncate('abcdef', 4), truncate('日本語', 4), truncate('abc', 3), truncate('abc', 0)], ['abc…', '日…', 'abc', '…']);
	assert.deepEqual([truncateMiddle('abcdefgh', 5), truncateMiddle('日本語日本語', 7), truncateMiddle('abc', 3)], ['ab…gh', '日…本語', 'abc']);
	for (let columns = 1; columns < 20; columns++) {
		for (const text of ['https://api.example.com/items', '日本語日本語日本語', '👩‍👩‍👧'.repeat(12)]) {
			assert.ok(widthOf(truncateMiddle(text, columns)) <= columns);
			assert.ok(widthOf(truncate(text, columns)) <= columns);
		}
	}

	assert.deepEqual([pad('日', 4), pad('日', 4, 'right'), pad('abcde', 4)], ['日  ', '  日', 'abcde']);
});

test('a line that is too long is broken between words, and what follows is indented', () => {
	assert.equal(wrapIndented('Key        one two three four', 24, 11), 'Key        one two three\n           four');
	assert.equal(wrapIndented('Key        one two', 20, 11), 'Key        one two');
	assert.equal(wrapIndented('Key        one two three four', Infinity, 11), 'Key        one two three four');
});

test('control characters and escape sequences do not reach a terminal', () => {
	assert.equal(plain('a\u{1B}[31mb\u{1B}]0;title\u{7}c\nd\u{9B}2Je\u{202E}f\u{7F}'), 'abc�de�f�');
	assert.equal(plainLines('a\r\n\tb\rc\u{0}'), 'a\n\tb�c�');
	assert.equal(toJsonLine({a: '\u{1B}[31m\u{9B}\u{2028}\u{202E}ä'}), String.raw`{"a":"\u001b[31m\u009b\u2028\u202eä"}`);
});

test('bytes and seconds take few characters', () => {
	assert.deepEqual([0, 1, 999, 1000, 1_250_000, 99_949, 123_456_789_012].map(bytes => formatBytes(bytes)), ['0 B', '1 B', '999 B', '1.0 kB', '1.3 MB', '100 kB', '123 GB']);
	assert.deepEqual([0, 59.9, 60, 3599, 3600, 86_400, 31_557_600, -90].map(seconds => formatSeconds(seconds)), ['0s', '59s', '1m', '59m', '1h', '1d', '1y', '-1m']);
});
