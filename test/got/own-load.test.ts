import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import type {Load, Report} from './own-load-worker.ts';

/*
A process that is too busy to send commands, or to read their replies, does not take a healthy Redis for a sick one.
*/

/** Processes that leave others little of the machine. */
const startBusyProcesses = (count: number) => {
	const busy = Array.from({length: count}, () => spawn(process.execPath, ['--eval', 'for (;;);'], {stdio: 'ignore'}));
	return {
		[Symbol.dispose]() {
			for (const child of busy) {
				child.kill('SIGKILL');
			}
		},
	};
};

/** What comes of equal requests of a process that has just begun. */
const load = async ({options = {}, ...rest}: Omit<Load, 'url' | 'options'> & Partial<Pick<Load, 'options'>>) => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
	});
	await using redis = await startRedis();
	const task: Load = {...rest, url: `${origin.url}/items`, options: {store: redis.url, ...options}};
	const {stdout} = await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'own-load-worker.ts'), JSON.stringify(task)]);
	return {...JSON.parse(stdout) as Report, requestCount: origin.requests.length};
};

const oneRequest = {
	bodies: ['x'],
	events: [],
	errorCount: 0,
	requestCount: 1,
};

for (const coalesce of ['process', 'fleet'] as const) {
	test(`2,000 equal requests of a process that has just begun are one, beside four busy processes, coalesce: '${coalesce}'`, async () => {
		using _busy = startBusyProcesses(4);
		assert.deepEqual(await load({count: 2000, options: {coalesce}}), oneRequest);
	});
}

test('3,000 equal requests at once are one', async () => {
	assert.deepEqual(await load({count: 3000}), oneRequest);
});

test('a deadline of 50 ms is long enough for a process that makes 1,000 requests at once', async () => {
	assert.deepEqual(await load({count: 1000, options: {timeout: 50}}), oneRequest);
});

test('a process that does something else for longer than a connection may take connects all the same', async () => {
	assert.deepEqual(await load({count: 10, blockedMs: 2500}), oneRequest);
});
