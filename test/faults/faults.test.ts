import test, {before, describe} from 'node:test';
import assert from 'node:assert/strict';
import {clusterFaults} from './cluster-faults.ts';
import {faults} from './faults.ts';
import {measure, measureCluster, watchProcess, type Figures} from './measure.ts';
import type {OriginFault} from './resources.ts';

/*
Each fault for a moment, in turn with a sick origin: what must hold on any machine. How long things take is measured by `npm run test:faults`.
*/

const originFaults: readonly OriginFault[] = ['down', 'slow', 'garbage'];

const harmOf = ({failed, wrong, unhandled, warnings, leaked, cachesAgainMs}: Figures) => ({failed, wrong, unhandled, warnings, leaked, isCachingAgain: cachesAgainMs !== undefined});

const none = {failed: [], wrong: [], unhandled: [], warnings: [], leaked: [], isCachingAgain: true};

describe('a fault comes and goes', () => {
	before(watchProcess);

	for (const [position, fault] of faults.entries()) {
		const originFault = originFaults[position % originFaults.length];

		test(`${fault.name}; the origin ${originFault}`, {timeout: 60_000}, async () => {
			for (const each of [undefined, originFault]) {
				const figures = await measure(fault, {durationMs: 300, timeoutMs: 100, workers: 2, pauseMs: 20, originFault: each, settleMs: 200});

				assert.deepEqual(harmOf(figures), none);
			}
		});
	}

	for (const fault of clusterFaults) {
		test(`a cluster: ${fault.name}`, {timeout: 100_000}, async () => {
			const figures = await measureCluster(fault, {durationMs: 1000, workers: 2, pauseMs: 20});

			assert.deepEqual(harmOf(figures), none);
			for (const name of ['process', 'fleet']) {
				const events = figures.events.filter(event => event.startsWith(name)).map(event => event.split(',', 1)[0]);
				assert.equal(!fault.isFailover || events.some(event => event?.includes('failover')), true, String(events));
			}
		});
	}

	for (const fault of faults) {
		test(`clients of ioredis: ${fault.name}`, {timeout: 60_000}, async () => {
			const figures = await measure(fault, {durationMs: 300, timeoutMs: 100, workers: 2, pauseMs: 20, settleMs: 200, clientPackage: 'ioredis'});

			assert.deepEqual(harmOf(figures), none);
		});
	}

	for (const fault of clusterFaults) {
		test(`a cluster of ioredis: ${fault.name}`, {timeout: 100_000}, async () => {
			const figures = await measureCluster(fault, {durationMs: 1000, workers: 2, pauseMs: 20, clientPackage: 'ioredis'});

			assert.deepEqual(harmOf(figures), none);
			const events = figures.events.filter(event => event.includes('failover'));
			assert.equal(!fault.isFailover || events.length > 0, true, String(figures.events));
		});
	}
});
