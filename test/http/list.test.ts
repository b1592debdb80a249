import assert from 'node:assert/strict';
import test from 'node:test';
import {listMembers, splitOutsideQuotes, trimWhitespace, unquote} from '../../source/http/list.ts';

const lists: ReadonlyArray<readonly [value: string, members: readonly string[]]> = [
	['', []],
	[' , ,, ', []],
	['a', ['a']],
	['a, b,c ,\td', ['a', 'b', 'c', 'd']],
	['"a, b", c', ['"a, b"', 'c']],
	[String.raw`"a\", b", c`, [String.raw`"a\", b"`, 'c']],
	[String.raw`"a\\", b`, [String.raw`"a\\"`, 'b']],
	['x="a, b", y', ['x="a, b"', 'y']],
	// A quotation mark that is never closed hides nothing.
	['a="b, no-store', ['a="b', 'no-store']],
	['"a", "b, c', ['"a"', '"b', 'c']],
];

for (const [value, members] of lists) {
	test(`the members of \`${value}\``, () => {
		assert.deepEqual(listMembers(value), members);
	});
}

test('splits at other separators', () => {
	assert.deepEqual(splitOutsideQuotes('text/plain; a="x;y" ;q=1', ';'), ['text/plain', 'a="x;y"', 'q=1']);
});

test('unquotes what is quoted and nothing else', () => {
	assert.equal(unquote(String.raw`"a\"b\\"`), String.raw`a"b\ `.trim());
	assert.equal(unquote('"'), '"');
	assert.equal(unquote('\'a\''), '\'a\'');
	assert.equal(unquote('a'), 'a');
});

test('trims optional whitespace alone', () => {
	assert.equal(trimWhitespace(' \ta b\t '), 'a b');
	assert.equal(trimWhitespace('\u{A0}a'), '\u{A0}a');
});
