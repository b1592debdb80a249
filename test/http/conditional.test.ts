import assert from 'node:assert/strict';
import test from 'node:test';
import {
	evaluatePreconditions,
	isConditional,
	validationHeaders,
	variantValidationHeaders,
	type PreconditionResult,
} from '../../source/http/conditional.ts';
import type {HeaderFields, RequestHead} from '../../source/http/message.ts';
import type {VariantIndex} from '../../source/types/stored.ts';
import {
	afterSeconds,
	date,
	requestWith,
	storedWith,
	type Fields,
} from './helpers.ts';

const etag = {ETag: '"a"'};
const weak = {ETag: 'W/"a"'};
const modified = {'Last-Modified': date(-1000)};

const table: ReadonlyArray<readonly [stored: Fields, request: HeaderFields, expected: PreconditionResult, more?: {readonly method?: string; readonly statusCode?: number}]> = [
	[etag, {}, 'met'],
	// RFC 9110 §13.1.2: by the weak comparison
	[etag, {'if-none-match': '"a"'}, 'not-modified'],
	[etag, {'if-none-match': '"b"'}, 'met'],
	[etag, {'if-none-match': '"b", "a", "c"'}, 'not-modified'],
	[etag, {'if-none-match': ['"b"', '"a"']}, 'not-modified'],
	[etag, {'if-none-match': 'W/"a"'}, 'not-modified'],
	[weak, {'if-none-match': '"a"'}, 'not-modified'],
	[weak, {'if-none-match': 'W/"a"'}, 'not-modified'],
	[etag, {'if-none-match': '*'}, 'not-modified'],
	[{}, {'if-none-match': '*'}, 'not-modified'],
	[{}, {'if-none-match': '"a"'}, 'met'],
	[{ETag: '"a, b"'}, {'if-none-match': '"x", "a, b"'}, 'not-modified'],
	[{ETag: '"a, b"'}, {'if-none-match': '"a", "b"'}, 'met'],
	[{ETag: '"é"'}, {'if-none-match': '"é"'}, 'not-modified'],
	[etag, {'if-none-match': '"A"'}, 'met'],
	[etag, {'if-none-match': '""'}, 'met'],
	[etag, {'if-none-match': ''}, 'met'],
	// RFC 9110 §13.1.3, RFC 9111 §4.3.2
	[modified, {'if-modified-since': date(-1000)}, 'not-modified'],
	[modified, {'if-modified-since': date(-999)}, 'not-modified'],
	[modified, {'if-modified-since': date(-1001)}, 'met'],
	[modified, {'if-modified-since': 'Monday, 23-Nov-26 11:43:20 GMT'}, 'not-modified'],
	[modified, {'if-modified-since': 'yesterday'}, 'met'],
	[{}, {'if-modified-since': date(0)}, 'not-modified'],
	[{}, {'if-modified-since': date(-1)}, 'met'],
	[{Date: 'foo'}, {'if-modified-since': date(0)}, 'not-modified'],
	// RFC 9110 §13.2.2: If-None-Match over If-Modified-Since
	[{...etag, ...modified}, {'if-none-match': '"a"', 'if-modified-since': date(-9999)}, 'not-modified'],
	[{...etag, ...modified}, {'if-none-match': '"b"', 'if-modified-since': date(0)}, 'met'],
	// RFC 9110 §13.1.1: by the strong comparison
	[etag, {'if-match': '"a"'}, 'met'],
	[etag, {'if-match': '*'}, 'met'],
	[etag, {'if-match': '"b"'}, 'failed'],
	[etag, {'if-match': '"b", "a"'}, 'met'],
	[etag, {'if-match': 'W/"a"'}, 'failed'],
	[weak, {'if-match': 'W/"a"'}, 'failed'],
	[{}, {'if-match': '"a"'}, 'failed'],
	// RFC 9110 §13.1.4
	[modified, {'if-unmodified-since': date(-1000)}, 'met'],
	[modified, {'if-unmodified-since': date(-1001)}, 'failed'],
	[modified, {'if-unmodified-since': 'yesterday'}, 'met'],
	[{...etag, ...modified}, {'if-match': '"a"', 'if-unmodified-since': date(-9999)}, 'met'],
	[etag, {'if-match': '"a"', 'if-none-match': '"a"'}, 'not-modified'],
	// RFC 9110 §13.2.1: only where the answer would be a success
	[etag, {'if-none-match': '"a"'}, 'met', {statusCode: 404}],
	[etag, {'if-match': '"b"'}, 'met', {statusCode: 301}],
	[etag, {'if-none-match': '"a"'}, 'not-modified', {statusCode: 203}],
];

for (const [fields, request, expected, more] of table) {
	test(`${JSON.stringify(request)} for ${JSON.stringify(fields)}${more ? ` with ${JSON.stringify(more)}` : ''}: ${expected}`, () => {
		const stored = storedWith({'Cache-Control': 'max-age=60', ...fields}, {statusCode: more?.statusCode});

		assert.equal(evaluatePreconditions(requestWith(request, more?.method), stored), expected);
	});
}

test('knows a precondition', () => {
	for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
		assert.equal(isConditional({[name]: 'x'}), true);
	}

	assert.equal(isConditional({'if-range': 'x', range: 'bytes=0-'}), false);
});

test('sends what validators there are', () => {
	const headersFor = (fields: Fields) => validationHeaders(storedWith({'Cache-Control': 'max-age=60', ...fields}));

	assert.deepEqual(headersFor({}), {});
	assert.deepEqual(headersFor({ETag: ''}), {});
	// What no request can carry is no validator.
	assert.deepEqual(headersFor({ETag: '"\u{1F600}"'}), {});
	assert.deepEqual(headersFor({ETag: '"a\r\nb: c"', ...modified}), {'if-modified-since': date(-1000)});
	assert.deepEqual(headersFor({ETag: '"é"'}), {'if-none-match': '"é"'});
	assert.deepEqual(headersFor(weak), {'if-none-match': 'W/"a"'});
	assert.deepEqual(headersFor(modified), {'if-modified-since': date(-1000)});
	assert.deepEqual(headersFor({...etag, ...modified}), {'if-none-match': '"a"', 'if-modified-since': date(-1000)});
});

const indexOf = (vary: string[], etags: string[]): VariantIndex => ({
	kind: 'index',
	indexId: '',
	vary,
	variants: etags.map((entityTag, position) => ({id: String(position), etag: entityTag, keptUntilMs: afterSeconds(60)})),
});

// RFC 9111 §4.3.1
const variantQuestions: ReadonlyArray<readonly [what: string, vary: string[], etags: string[], expected: string | undefined, request?: RequestHead, after?: number]> = [
	['one', ['accept'], ['"1"'], '"1"'],
	['several, each once', ['accept', 'accept-language'], ['"1"', '"2"', '"1"'], '"1", "2"'],
	['no entity tag', ['accept'], [''], undefined],
	['weak ones', ['accept'], ['W/"1"', '"2"'], '"2"'],
	['what is no entity tag', ['accept'], ['1', '"1', '"1" "2"', '"a\r\nb"', `"${'1'.repeat(101)}"`], undefined],
	['no more than sixteen', ['accept'], Array.from({length: 64}, (_, position) => `"${position}"`), Array.from({length: 16}, (_, position) => `"${position}"`).join(', ')],
	['those that are gone by now', ['accept'], ['"1"'], undefined, requestWith(), 60],
	['those of users', ['accept', 'cookie'], ['"1"'], undefined],
	['those of tenants', ['x-tenant'], ['"1"'], undefined],
	['HEAD', ['accept'], ['"1"'], undefined, requestWith({}, 'HEAD')],
	['QUERY', ['accept'], ['"1"'], undefined, requestWith({}, 'QUERY')],
	['a range', ['accept'], ['"1"'], undefined, requestWith({range: 'bytes=0-1'})],
	['a precondition', ['accept'], ['"1"'], undefined, requestWith({'if-none-match': '"0"'})],
];

for (const [what, vary, etags, expected, request = requestWith(), after = 0] of variantQuestions) {
	test(`asking about variants: ${what}`, () => {
		assert.equal(variantValidationHeaders(request, indexOf(vary, etags), afterSeconds(after))?.['if-none-match'], expected);
	});
}
