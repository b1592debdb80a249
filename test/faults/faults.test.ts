import test, {before, describe} from 'node:test';
import assert from 'node:assert/strict';
import {faults} from './faults.ts';
import {measure, watchProcess} from './measure.ts';
import type {OriginFault} from './resources.ts';

/*
Each fault for a moment, in turn with a sick origin: what must hold on any machine. How long things take is measured by `npm run test:faults`.
*/

const originFaults: readonly OriginFault[] = ['down', 'slow', 'garbage'];

describe('a fault comes and goes', () => {
	before(watchProcess);

	for (const [position, fault] of faults.entries()) {
		const originFault = originFaults[position % originFaults.length];

		test(`${fault.name}; the origin ${originFault}`, {timeout: 60_000}, async () => {
			for (const each of [undefined, originFault]) {
				const {failed, wrong, unhandled, warnings, leaked, cachesAgainMs} = await measure(fault, {durationMs: 300, timeoutMs: 100, workers: 2, originFault: each, settleMs: 200});

				assert.deepEqual({failed, wrong, unhandled, warnings, leaked}, {failed: [], wrong: [], unhandled: [], warnings: [], leaked: []});
				assert.notEqual(cachesAgainMs, undefined, 'nothing is cached after the fault');
			}
		});
	}
});
