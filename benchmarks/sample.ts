import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import type {Contender} from './contender.ts';
import {warmUrlCount, type Cell} from './scenarios.ts';
import {startService, type Service} from './services/service.ts';
import type {Measurement, Setup} from './services/worker.ts';

/*
One sample: one contender at one cell, measured once, with the proof that it answered from where it claims.
*/

export type Entrant = Contender & {readonly id: string};

export type Sample = {
	readonly contender: string;
	readonly cell: string;
	readonly round: number;
	readonly requestsPerSecond: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly cpuMicrosecondsPerRequest: number;
	readonly heapMebibytes: number;
	readonly residentMebibytes: number;
	readonly requests: number;
	/** Complete responses and 304s that the origin sent, per request; in a stampede per stampede. */
	readonly originPerRequest: number;
	/** Keys that Redis found, per request. */
	readonly redisReadsPerRequest: number;
	/** What does not fit the claim; empty is right. */
	readonly objections: readonly string[];
};

export type Ground = {
	readonly origin: Service;
	readonly originUrl: string;
	readonly redis: Service;
	readonly redisUrl: string;
};

type OriginCounters = {readonly complete: number; readonly notModified: number};
type RedisStatistics = {readonly reads: number; readonly keys: number};

const readCounters = async ({origin, redis}: Ground) => {
	const [{complete, notModified}, {reads, keys}] = await Promise.all([
		origin.call<OriginCounters>('counters'),
		redis.call<RedisStatistics>('statistics'),
	]);
	return {
		complete, notModified, reads, keys,
	};
};

/** Writes to a store may follow the response: ask until the origin is not asked for complete responses any more. */
const fill = async (worker: Service, ground: Ground, entrant: Entrant): Promise<string[]> => {
	await worker.call('requestWarm');
	if (entrant.answersFrom === 'origin' || entrant.answersFrom === 'canned') {
		return [];
	}

	for (let attempt = 0; attempt < 20; attempt++) {
		// eslint-disable-next-line no-await-in-loop
		const before = await readCounters(ground);
		// eslint-disable-next-line no-await-in-loop
		await worker.call('requestWarm');
		// eslint-disable-next-line no-await-in-loop
		const after = await readCounters(ground);
		if (after.complete === before.complete) {
			return [];
		}

		// eslint-disable-next-line no-await-in-loop
		await delay(50);
	}

	return ['the origin is asked again and again'];
};

type Counters = Awaited<ReturnType<typeof readCounters>>;

const difference = (after: Counters, before: Counters): Counters => ({
	complete: after.complete - before.complete,
	notModified: after.notModified - before.notModified,
	reads: after.reads - before.reads,
	keys: after.keys,
});

const redisObjections = ({answersFrom}: Entrant, cell: Cell, {requests}: Measurement, {reads}: Counters): string[] => {
	// Where more are asked for at once than there are URLs, equal requests may share a read.
	const isMeet = cell.concurrency > warmUrlCount(cell);
	if (answersFrom === 'redis' && !isMeet && reads < requests * 0.98) {
		return [`claims Redis, but Redis found ${(reads / requests).toFixed(2)} keys per request`];
	}

	return answersFrom !== 'redis' && reads > requests * 0.05 ? [`claims ${answersFrom}, but Redis found ${(reads / requests).toFixed(2)} keys per request`] : [];
};

const expectOrigin = (what: string, actual: number, least: number, most: number): string[] =>
	actual >= least && actual <= most ? [] : [`the origin sent ${actual} ${what}, expected ${least === most ? least : `${least} to ${most}`}`];

const objectionsTo = (entrant: Entrant, cell: Cell, measurement: Measurement, counted: Counters): string[] => {
	const {requests, wrongBodies, batches} = measurement;
	const objections = wrongBodies > 0 ? [`${wrongBodies} wrong bodies`] : [];
	if (entrant.answersFrom === 'origin') {
		return [...objections, ...expectOrigin('complete responses', counted.complete, requests, requests)];
	}

	switch (cell.scenario.pattern) {
		case 'warm': {
			const validations = cell.scenario.profile === 'validate' ? requests : 0;
			return [
				...objections,
				...expectOrigin('complete responses', counted.complete, 0, 0),
				...expectOrigin('validations', counted.notModified, validations, validations),
				...redisObjections(entrant, cell, measurement, counted),
			];
		}

		case 'mixed': {
			const tenth = requests / 10;
			return [...objections, ...expectOrigin('complete responses', counted.complete, Math.floor(tenth * 0.95) - 1, Math.ceil(tenth * 1.05) + 1)];
		}

		case 'together': {
			return [...objections, ...expectOrigin('complete responses', counted.complete, batches, requests)];
		}

		case 'new':
		case 'stream': {
			return [...objections, ...expectOrigin('complete responses', counted.complete, requests, requests)];
		}
	}
};

const recheckCount = 8;

/** A miss that was not stored would be a cheap one. */
const wasStored = async (worker: Service, ground: Ground): Promise<boolean> => {
	for (let attempt = 0; attempt < 20; attempt++) {
		// eslint-disable-next-line no-await-in-loop
		const before = await readCounters(ground);
		// eslint-disable-next-line no-await-in-loop
		await worker.call('requestNewest', recheckCount);
		// eslint-disable-next-line no-await-in-loop
		const after = await readCounters(ground);
		if (after.complete - before.complete < recheckCount / 2) {
			return true;
		}

		// eslint-disable-next-line no-await-in-loop
		await delay(50);
	}

	return false;
};

export type Durations = {readonly warmUpMs: number; readonly measureMs: number};

const run = async (worker: Service, directory: string, entrant: Entrant, cell: Cell, ground: Ground, durations: Durations) => {
	const setup: Setup = {
		contender: entrant.id, originUrl: ground.originUrl, redisUrl: ground.redisUrl, directory, cell,
	};
	await worker.call('setup', setup);

	const {pattern} = cell.scenario;
	const objections = pattern === 'warm' || pattern === 'mixed' ? await fill(worker, ground, entrant) : [];
	await worker.call('warmUp', durations.warmUpMs);
	if (cell.unrelatedKeys > 0) {
		await ground.redis.call('fill', cell.unrelatedKeys);
	}

	const before = await readCounters(ground);
	const measurement = await worker.call<Measurement>('measure', durations.measureMs);
	const counted = difference(await readCounters(ground), before);
	objections.push(...objectionsTo(entrant, cell, measurement, counted));

	const isWriting = pattern === 'new' || pattern === 'stream';
	if (isWriting && entrant.answersFrom !== 'origin' && !await wasStored(worker, ground)) {
		objections.push('responses were not stored');
	}

	await worker.call('teardown');
	return {measurement, counted, objections};
};

/** A worker in an empty directory and with an empty Redis; both are gone afterwards. */
export const withWorker = async <Result>(ground: Ground, task: (worker: Service, directory: string) => Promise<Result>): Promise<Result> => {
	await ground.redis.call('flush');
	const directory = await mkdtemp(path.join(tmpdir(), 'benchmark-'));
	const worker = startService(new URL('services/worker.ts', import.meta.url));
	try {
		return await task(worker, directory);
	} finally {
		await worker.stop();
		await rm(directory, {recursive: true, force: true});
	}
};

export const takeSample = async (entrant: Entrant, cell: Cell, round: number, id: string, ground: Ground, durations: Durations): Promise<Sample> => withWorker(ground, async (worker, directory) => {
	const {measurement, counted, objections} = await run(worker, directory, entrant, cell, ground, durations);
	const {requests, seconds, batches} = measurement;
	return {
		contender: entrant.id,
		cell: id,
		round,
		requestsPerSecond: requests / seconds,
		p50Ms: measurement.p50Ms,
		p99Ms: measurement.p99Ms,
		cpuMicrosecondsPerRequest: measurement.cpuMicroseconds / requests,
		heapMebibytes: measurement.heapMebibytes,
		residentMebibytes: measurement.residentMebibytes,
		requests,
		originPerRequest: (counted.complete + counted.notModified) / (batches > 0 ? batches : requests),
		redisReadsPerRequest: counted.reads / requests,
		objections,
	};
});

/** What a contender holds after each of several windows of hits, in MiB after a collection. */
export const soak = async (entrant: Entrant, cell: Cell, ground: Ground, windowMs: number, windows: number): Promise<number[]> => withWorker(ground, async (worker, directory) => {
	const setup: Setup = {
		contender: entrant.id, originUrl: ground.originUrl, redisUrl: ground.redisUrl, directory, cell,
	};
	await worker.call('setup', setup);
	await fill(worker, ground, entrant);
	const heapMebibytes: number[] = [];
	while (heapMebibytes.length < windows) {
		// eslint-disable-next-line no-await-in-loop
		const measurement = await worker.call<Measurement>('measure', windowMs);
		heapMebibytes.push(measurement.heapMebibytes);
	}

	await worker.call('teardown');
	return heapMebibytes;
});
