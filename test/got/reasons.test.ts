import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {setUp} from './helpers.ts';
import {reasonsTable} from './reasons.table.ts';

for (const {what, options, response = {headers: {'cache-control': 'max-age=60'}, body: '01'}, ask, expected} of reasonsTable) {
	test(`${what}: ${expected.reason}, ${expected.notStored}`, async () => {
		await using setup = await setUp({timeout: 5000, ...options});
		setup.origin.handler = (_request, answer) => {
			respond(answer, response);
		};

		const {reason, notStored} = cacheInfo(await ask(setup)) ?? {};
		assert.deepEqual({reason, notStored}, expected);
	});
}
