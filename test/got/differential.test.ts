import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {after, before, describe, test} from 'node:test';
import {brotliCompressSync, deflateSync, gzipSync, zstdCompressSync} from 'node:zlib';
import got, {type Got, type OptionsInit} from 'got';
import {redisCache, type RedisCache} from '../../source/index.ts';
import {respond, startOrigin, type Handler, type Origin} from '../helpers/origin.ts';
import {isFromCache, observe, outline, type Difference, type Observation, type Scenario} from './differential.ts';

type Answer = {
	readonly status?: number;
	readonly message?: string;
	readonly headers: readonly string[];
	readonly body: string | Uint8Array;
	/** What the second of two equal GET requests is answered with. Default: what is stored. */
	readonly second?: 'stored' | 'validated' | 'origin' | 'any';
};

// The same for all, so that it can be compared; recent, so that what bears it is fresh.
const date = new Date().toUTCString();
const fresh = ['Date', date, 'Cache-Control', 'max-age=600'];
const json = JSON.stringify({name: 'Zoë', list: [1, 2, 3]});
const bytes = Buffer.from(Array.from({length: 256}, (_, index) => index));
const coded = (coding: string, body: Uint8Array): Answer => ({headers: [...fresh, 'Content-Type', 'application/json', 'Content-Encoding', coding, 'Content-Length', String(body.byteLength)], body});
const redirect = (status: number, headers: readonly string[] = fresh): Answer => ({status, headers: [...headers, 'Location', '/fresh-json/{id}'], body: 'elsewhere'});

const answers: Record<string, Answer> = {
	'fresh-json': {headers: [...fresh, 'Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(json))], body: json},
	'fresh-chunked': {headers: [...fresh, 'Content-Type', 'application/json'], body: json},
	'fresh-text': {headers: [...fresh, 'Content-Type', 'text/plain'], body: 'a text that is no JSON'},
	'fresh-bytes': {headers: [...fresh, 'Content-Type', 'application/octet-stream'], body: bytes},
	'fresh-empty': {headers: [...fresh, 'Content-Length', '0'], body: ''},
	'fresh-large': {headers: [...fresh, 'Content-Type', 'application/json'], body: JSON.stringify('x'.repeat(400_000))},
	'fresh-byte-order-mark': {headers: [...fresh, 'Content-Type', 'application/json'], body: `\u{FEFF}${json}`},
	'fresh-gzip': coded('gzip', gzipSync(json)),
	'fresh-x-gzip': coded('x-gzip', gzipSync(json)),
	'fresh-deflate': coded('deflate', deflateSync(json)),
	'fresh-br': coded('br', brotliCompressSync(json)),
	'fresh-zstd': coded('zstd', zstdCompressSync(json)),
	'fresh-identity': coded('identity', Buffer.from(json)),
	'fresh-unknown-coding': coded('rot13', Buffer.from(json)),
	'fresh-repeated-fields': {
		headers: [...fresh, 'X-Twice', '1', 'x-twice', '2', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Empty', '', 'X-Latin', 'Zo\u{EB}', 'ETag', '"1"', 'Age', '7'],
		body: json,
	},
	'fresh-own-message': {status: 200, message: 'Quite Fine', headers: fresh, body: json},
	'fresh-203': {status: 203, headers: fresh, body: json},
	'fresh-204': {status: 204, headers: fresh, body: ''},
	'fresh-205': {status: 205, headers: fresh, body: ''},
	'fresh-304': {status: 304, headers: [...fresh, 'ETag', '"1"'], body: '', second: 'origin'},
	'fresh-300': {status: 300, headers: fresh, body: json},
	'fresh-301': redirect(301),
	'fresh-302': redirect(302),
	'fresh-303': redirect(303),
	'fresh-307': redirect(307),
	'fresh-308': redirect(308),
	'fresh-301-without-location': {status: 301, headers: fresh, body: json},
	'unstored-302': {...redirect(302, ['Date', date]), second: 'any'},
	'fresh-404': {status: 404, headers: [...fresh, 'Content-Type', 'application/json'], body: json},
	'fresh-404-text': {status: 404, headers: [...fresh, 'Content-Type', 'text/plain'], body: 'no JSON'},
	'fresh-410': {status: 410, headers: fresh, body: json},
	'fresh-500': {status: 500, headers: fresh, body: json},
	'fresh-599': {status: 599, message: '', headers: fresh, body: json},
	'no-store': {headers: ['Date', date, 'Cache-Control', 'no-store'], body: json, second: 'origin'},
	'no-information': {headers: ['Date', date], body: json, second: 'origin'},
	'stale-etag': {headers: ['Date', date, 'Cache-Control', 'max-age=0', 'Content-Type', 'application/json', 'ETag', '"1"', 'Set-Cookie', 'a=1'], body: json, second: 'validated'},
	'stale-weak-etag': {headers: ['Date', date, 'Cache-Control', 'no-cache', 'Content-Type', 'text/plain', 'ETag', 'W/"1"'], body: 'no JSON', second: 'validated'},
	'stale-last-modified': {headers: ['Date', date, 'Cache-Control', 'no-cache', 'Last-Modified', 'Sat, 01 Nov 2025 00:00:00 GMT'], body: json, second: 'validated'},
	'stale-gzip': {headers: ['Date', date, 'Cache-Control', 'no-cache', 'ETag', '"1"', 'Content-Encoding', 'gzip'], body: gzipSync(json), second: 'validated'},
	'stale-404': {status: 404, headers: ['Date', date, 'Cache-Control', 'no-cache', 'ETag', '"1"', 'Content-Type', 'text/plain'], body: 'no JSON', second: 'validated'},
	'stale-unvalidatable': {headers: ['Date', date, 'Cache-Control', 'max-age=0'], body: json, second: 'origin'},
	vary: {headers: [...fresh, 'Vary', 'Accept, Accept-Encoding'], body: json},
	'vary-all': {headers: [...fresh, 'Vary', '*'], body: json, second: 'origin'},
};

const fieldOf = (headers: readonly string[], name: string): string | undefined => headers[headers.findIndex((field, position) => position % 2 === 0 && field.toLowerCase() === name) + 1];

const handler: Handler = (request, response) => {
	const [, name = '', id = ''] = request.url.split(/[\/?]/v, 3);
	const {status = 200, message, headers: template, body, second}: Answer = answers[name] ?? {status: 404, headers: [], body: 'unknown'};
	const headers = template.map(field => field.replace('{id}', () => id));
	response.sendDate = false;
	const ifModifiedSince = request.headers['if-modified-since'];
	const isKnown = second === 'validated' && (request.headers['if-none-match'] === fieldOf(headers, 'etag') || (ifModifiedSince !== undefined && ifModifiedSince === fieldOf(headers, 'last-modified')));
	if (isKnown) {
		respond(response, {status: 304, headers: ['Date', date, ...['ETag', 'Cache-Control'].flatMap(fieldName => {
			const value = headers[headers.indexOf(fieldName) + 1];
			return value !== undefined && headers.includes(fieldName) ? [fieldName, value] : [];
		})]});
		return;
	}

	if (message === undefined) {
		response.writeHead(status, headers as never);
	} else {
		response.writeHead(status, message, headers as never);
	}

	response.end(body);
};

type Way = {
	readonly options?: () => OptionsInit;
	readonly shortcut?: Scenario['shortcut'];
	/** Whether a stored response may answer this request at all. Default: it may. */
	readonly isReusable?: boolean;
};

async function * generate() {
	yield Buffer.from('a');
	yield Buffer.from('b');
}

const formData = () => {
	const form = new FormData();
	form.set('name', 'value');
	return form;
};

/** Ways to ask for each answer, and to have it. */
const readingWays: Record<string, Way> = {
	response: {},
	'.json()': {shortcut: 'json'},
	'.text()': {shortcut: 'text'},
	'.buffer()': {shortcut: 'buffer'},
	'responseType json': {options: () => ({responseType: 'json'})},
	'responseType buffer': {options: () => ({responseType: 'buffer'})},
	resolveBodyOnly: {options: () => ({resolveBodyOnly: true})},
	'resolveBodyOnly, responseType json': {options: () => ({resolveBodyOnly: true, responseType: 'json'})},
	'throwHttpErrors false': {options: () => ({throwHttpErrors: false})},
	'throwHttpErrors false, responseType json': {options: () => ({throwHttpErrors: false, responseType: 'json'})},
	'decompress false': {options: () => ({decompress: false})},
	'decompress false, .buffer()': {options: () => ({decompress: false}), shortcut: 'buffer'},
	'encoding latin1': {options: () => ({encoding: 'latin1'})},
	'encoding base64': {options: () => ({encoding: 'base64'})},
	'encoding utf16le': {options: () => ({encoding: 'utf16le'})},
	'followRedirect false': {options: () => ({followRedirect: false})},
	'followRedirect function': {options: () => ({followRedirect: ({statusCode}) => statusCode !== 302})},
	'maxRedirects 0': {options: () => ({maxRedirects: 0}), isReusable: false},
	'method HEAD': {options: () => ({method: 'HEAD'})},
};

/** Ways to ask that do not depend on the answer. */
const askingWays: Record<string, Way> = {
	searchParams: {options: () => ({searchParams: {b: 2, a: 1}})},
	headers: {options: () => ({headers: {'x-own': 'value', accept: 'text/html', 'user-agent': undefined}})},
	'username and password': {options: () => ({username: 'user', password: 'secret'}), isReusable: false},
	'a timeout': {options: () => ({timeout: {request: 10_000, lookup: 5000, connect: 5000, response: 10_000}})},
	'a signal': {options: () => ({signal: new AbortController().signal})},
	strictContentLength: {options: () => ({strictContentLength: true})},
	parseJson: {options: () => ({parseJson: text => ({parsed: text}), responseType: 'json'})},
	context: {options: () => ({context: {token: 'value'}})},
	allowGetBody: {options: () => ({allowGetBody: true, json: {a: 1}}), isReusable: true},
	'If-None-Match of one’s own': {options: () => ({headers: {'if-none-match': '"1"'}}), isReusable: false},
	'If-None-Match of one’s own that is out of date': {options: () => ({headers: {'if-none-match': '"0"'}}), isReusable: false},
	'request no-store': {options: () => ({headers: {'cache-control': 'no-store'}}), isReusable: false},
	'method POST': {options: () => ({method: 'POST'}), isReusable: false},
	'POST json': {options: () => ({method: 'POST', json: {a: 1}}), isReusable: false},
	'POST form': {options: () => ({method: 'POST', form: {a: 1}}), isReusable: false},
	'POST text': {options: () => ({method: 'POST', body: 'text'}), isReusable: false},
	'POST bytes': {options: () => ({method: 'POST', body: Buffer.from('text')}), isReusable: false},
	'POST FormData': {options: () => ({method: 'POST', body: formData()}), isReusable: false},
	'POST a generator': {options: () => ({method: 'POST', body: generate()}), isReusable: false},
	'POST a web stream': {options: () => ({method: 'POST', body: new Blob(['text']).stream() as never}), isReusable: false},
	'PUT json': {options: () => ({method: 'PUT', json: {a: 1}}), isReusable: false},
	'PATCH json': {options: () => ({method: 'PATCH', json: {a: 1}}), isReusable: false},
	'method DELETE': {options: () => ({method: 'DELETE'}), isReusable: false},
	'method OPTIONS': {options: () => ({method: 'OPTIONS'}), isReusable: false},
	'QUERY json': {options: () => ({method: 'QUERY', json: {a: 1}}), isReusable: true},
	'QUERY a generator': {options: () => ({method: 'QUERY', body: generate()}), isReusable: false},
};

/** The answers that are asked for in those ways. */
const askedFor = new Set(['fresh-json', 'fresh-gzip', 'fresh-302', 'fresh-308', 'fresh-404', 'no-store', 'stale-etag', 'vary']);

const scenarios: Array<Scenario & {readonly answer: Answer; readonly isReusable: boolean}> = [];
const add = (answerName: string, answer: Answer, wayName: string, {options, shortcut, isReusable = true}: Way) => {
	scenarios.push({
		name: `${answerName}, ${wayName}`,
		url: `${answerName}/${scenarios.length}`,
		options: () => ({retry: {limit: 0}, ...options?.()}),
		shortcut,
		answer,
		isReusable,
	});
};

for (const [answerName, answer] of Object.entries(answers)) {
	for (const [wayName, way] of Object.entries(readingWays)) {
		add(answerName, answer, wayName, way);
	}

	if (askedFor.has(answerName)) {
		for (const [wayName, way] of Object.entries(askingWays)) {
			add(answerName, answer, wayName, way);
		}
	}
}

const differenceOf = (observation: Observation, {requests}: Origin): Difference => {
	if (requests.length === 0) {
		return 'stored';
	}

	return isFromCache(observation) ? 'validated' : 'none';
};

/** A miss is what got alone gives; and what comes after the miss is what the miss was. */
const compare = async ({plain, cached, cache, origin}: {plain: Got; cached: Got; cache: RedisCache; origin: Origin}, scenario: typeof scenarios[number]): Promise<void> => {
	const expected = await observe(() => plain, scenario);
	const miss = await observe(() => cached, scenario);
	assert.equal(isFromCache(miss), false);
	assert.deepEqual(outline(miss, 'none', cache), outline(expected, 'none'));

	origin.requests.length = 0;
	const second = await observe(() => cached, scenario);
	const difference = differenceOf(second, origin);
	assert.deepEqual(outline(second, difference, cache), outline(miss, difference, cache));

	// What nobody watches may be answered without a request.
	const quiet = await observe(() => cached, {...scenario, isQuiet: true});
	if (difference === 'stored') {
		const {events, diagnostics, response, ...given} = outline(quiet, difference, cache);
		const expectedOfQuiet = outline(miss, difference, cache);
		assert.deepEqual(given, {result: expectedOfQuiet.result, error: expectedOfQuiet.error, calls: []});
		assert.deepEqual(response ?? expectedOfQuiet.response, expectedOfQuiet.response);
	}

	const {second: way = 'stored'} = scenario.answer;
	const isParseError = (expected.error as Error | undefined)?.name === 'ParseError';
	const isUnparsable = isParseError && scenario.options?.(expected).responseType === 'json';
	// Got parses before any hook sees the response.
	const isExpected = scenario.isReusable && !isUnparsable;
	if (way !== 'any' && isExpected) {
		assert.equal(difference, way === 'origin' ? 'none' : way);
	}
};

describe('what a caller sees with the cache is what he sees without', {concurrency: 1}, () => {
	const cache = redisCache({store: 'memory'});
	const given: {origin?: Origin} = {};
	before(async () => {
		given.origin = await startOrigin(handler);
	});
	after(async () => {
		await Promise.all([cache.close(), given.origin?.stop()]);
	});

	for (const scenario of scenarios) {
		test(scenario.name, async () => {
			const {origin} = given;
			assert.ok(origin);
			const prefixUrl = origin.url;
			await compare({plain: got.extend({prefixUrl}), cached: got.extend({prefixUrl}, cache), cache, origin}, scenario);
		});
	}
});
