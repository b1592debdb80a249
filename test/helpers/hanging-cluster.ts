import type {MockTracker} from 'node:test';
import {createCluster} from '@redis/client';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {startCluster} from './cluster.ts';
import {followFakeTimers} from './deadlines.ts';
import type {TestRedis} from './redis.ts';
import {turns, watchRequests} from './slow-redis.ts';

/** A master that takes commands and answers none, by a clock of its own: it goes on only while somebody waits for nothing but that master. So what a request waits for is counted, whatever else the machine does. */
export type Hanging = {
	/** How long `act` waits for the master, in steps of the clock. */
	waitOf(act: () => Promise<unknown>, stepMs?: number): Promise<number>;
	/** The master goes on, by this clock. */
	wake(): Promise<void>;
	/** The master goes on, and the clock is the system's. */
	resume(): Promise<void>;
};

/**
A cluster of three masters, each of which can hang.
*/
export type HangingCluster = AsyncDisposable & {
	readonly masters: readonly TestRedis[];
	/** Connected. */
	readonly cluster: ReturnType<typeof createCluster>;
	hang(master: TestRedis, mock: MockTracker): Hanging;
	/** The same, but the master answers until it is paused. What is begun before has the same clock then. */
	watch(master: TestRedis, mock: MockTracker): Hanging;
};

/** Less than tells of a busy process. */
const shortStepMs = 5;

/** Better a failure that says so than a test that does not end. */
const longestMs = 5000;

/** So often nothing may happen before the clock goes on. */
const quietRounds = 3;

export const startHangingCluster = async (): Promise<HangingCluster> => {
	const nodes = await startCluster({isReplicated: false});
	const {masters} = nodes;
	const cluster: HangingCluster['cluster'] = createCluster({rootNodes: masters.map(({url}) => ({url}))});
	cluster.on('error', () => undefined);
	await cluster.connect();
	// A connection that is made later would wait for the master.
	await Promise.all(cluster.masters.map(async master => cluster.nodeClient(master)));
	const {asked, stop} = watchRequests();
	/** No clock goes back. */
	let latestMs = 0;
	let latestIdleMs = 0;

	const hanging: HangingCluster = {
		masters,
		cluster,
		hang(master, mock) {
			const watched = hanging.watch(master, mock);
			master.pause();
			return watched;
		},
		watch(master, mock) {
			const others = masters.filter(each => each !== master);
			const startedMs = Math.max(ownTimers.now(), latestMs);
			const startedIdleMs = Math.max(ownTimers.idleMs(), latestIdleMs);
			let elapsedMs = 0;
			mock.timers.enable({apis: ['setTimeout']});
			followFakeTimers(mock);
			mock.method(ownTimers, 'now', () => startedMs + elapsedMs);
			mock.method(ownTimers, 'idleMs', () => startedIdleMs + elapsedMs);

			const wake = async () => {
				master.resume();
				await master.client.ping();
				await turns();
			};

			/** Whether it is that master alone that somebody waits for. */
			const isQuiet = async (): Promise<boolean> => {
				for (let round = 0; round < quietRounds; round++) {
					if (asked.size > 0) {
						return false;
					}

					// They have answered what came before by the time that they answer these.
					await Promise.all(others.map(async ({client}) => client.ping()));
					await turns();
				}

				return true;
			};

			return {
				async waitOf(act, stepMs = shortStepMs) {
					const beganMs = elapsedMs;
					const waiting = {isOver: false};
					const acting = act().finally(() => {
						waiting.isOver = true;
					});
					// It is for the one who awaits it.
					acting.catch(() => undefined);
					while (!waiting.isOver) {
						await turns();
						const isStill = await isQuiet();
						if (isStill && !waiting.isOver) {
							elapsedMs += stepMs;
							mock.timers.tick(stepMs);
						}

						if (elapsedMs - beganMs > longestMs) {
							throw new Error(`It waits for ${longestMs} ms and more`);
						}
					}

					await acting;
					return elapsedMs - beganMs;
				},
				wake,
				async resume() {
					await wake();
					latestMs = startedMs + elapsedMs;
					latestIdleMs = startedIdleMs + elapsedMs;
					mock.timers.reset();
					mock.restoreAll();
				},
			};
		},
		async [Symbol.asyncDispose]() {
			stop();
			cluster.destroy();
			await nodes[Symbol.asyncDispose]();
		},
	};

	return hanging;
};
