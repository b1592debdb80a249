import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import type {ExchangeReport} from '../../source/index.ts';
import {debugLine} from '../../source/observe/debug-line.ts';
import {respond, startOrigin} from '../helpers/origin.ts';

const report: ExchangeReport = {
	method: 'GET',
	url: 'https://api.example.com/items',
	status: 'miss',
	reason: 'not-stored',
	notStored: undefined,
	tier: 'origin',
	key: '{key}',
	age: 0,
	statusCode: 200,
	forwardStatus: 200,
	bytes: 6,
	startedAt: new Date(),
	totalMs: 31.415,
	lookUpMs: 1,
	originMs: 30,
	savedMs: 0,
	waitedMs: 0,
	isStream: false,
	isHop: false,
	isRefresh: false,
	isCollapsed: false,
	retryCount: 0,
	error: undefined,
};

const lines: ReadonlyArray<readonly [Partial<ExchangeReport>, string]> = [
	[{}, 'GET https://api.example.com/items 200 miss (not-stored), from the origin, 31.4 ms'],
	[{notStored: 'private'}, 'GET https://api.example.com/items 200 miss (not-stored), not stored (private), from the origin, 31.4 ms'],
	[{status: 'hit', reason: 'fresh', tier: 'memory'}, 'GET https://api.example.com/items 200 hit (fresh), from memory, 31.4 ms'],
	[{status: 'hit', reason: 'fresh', tier: 'store', isHop: true, statusCode: 301}, 'GET https://api.example.com/items 301 hit (fresh), from the store, redirect, 31.4 ms'],
	[{isRefresh: true, retryCount: 2}, 'GET https://api.example.com/items 200 miss (not-stored), from the origin, refresh, retry 2, 31.4 ms'],
	[{isCollapsed: true, reason: 'collapsed', status: 'hit', tier: 'memory'}, 'GET https://api.example.com/items 200 hit (collapsed), from memory, 31.4 ms'],
	[{tier: undefined, statusCode: undefined, notStored: 'error', error: new Error('first\nsecond')}, 'GET https://api.example.com/items miss (not-stored), not stored (error), failed (Error: first), 31.4 ms'],
];

for (const [part, line] of lines) {
	test(`the debug line says in words: ${line}`, () => {
		assert.equal(debugLine({...report, ...part}), line);
	});
}

test('NODE_DEBUG=got-redis-cache prints one line for each exchange, without credentials', async () => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
	});
	const script = `
		import got from 'got';
		import {redisCache} from '${path.resolve(import.meta.dirname, '../../source/index.ts')}';

		const client = got.extend(redisCache({store: 'memory'}));
		for (let count = 0; count < 3; count++) {
			await client('${origin.url.replace('//', '//user:secret@')}/items?api_key=secret');
		}
	`;
	const {stderr} = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
		cwd: import.meta.dirname,
		env: {...process.env, NODE_DEBUG: 'got-redis-cache'},
	});
	const printed = stderr.split('\n').filter(line => line.startsWith('GOT-REDIS-CACHE'));

	assert.equal(printed.length, 3, stderr);
	assert.ok(printed.every(line => line.includes(`GET ${origin.url}/items?api_key=REDACTED 200 `)), stderr);
	assert.ok(!stderr.includes('secret'));
	assert.match(printed[0] ?? '', /miss \(not-stored\).*from the origin, \d+\.\d ms$/v);
});
