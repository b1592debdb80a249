import process from 'node:process';
import got from 'got';
import {describe, expect, test} from 'vitest';
import {replayForTest} from '../../../source/replay.ts';

/*
For Vitest, which has its files run by itself: with `REPLAY_MODE`, a folder in `FOLDER`, and an origin in `ORIGIN`.
*/

const {REPLAY_MODE: mode, FOLDER: folder, ORIGIN: origin} = process.env;

describe('a suite', () => {
	test('lists items', async context => {
		const client = got.extend({retry: {limit: 0}}, replayForTest(context, {mode, folder}));
		expect(await client(`${origin}/items`).text()).toBe('/items');
	});

	test('through expect', async () => {
		const client = got.extend({retry: {limit: 0}}, replayForTest(expect, {mode, folder}));
		expect(await client(`${origin}/expect`).text()).toBe('/expect');
	});
});
