import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {check, difference, type Counters} from './checks.ts';
import type {Entrant} from './contender.ts';
import type {PlannedCell} from './plan.ts';
import {startService, type Service} from './services/service.ts';
import type {Passage} from './results.ts';
import type {Measurement, Setup} from './services/worker.ts';

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
	/** Why it did not answer from where it claims; empty if it did. */
	readonly objections: readonly string[];
};

export type Ground = {
	readonly origin: Service;
	readonly originUrl: string;
	readonly redis: Service;
	readonly redisUrl: string;
};

/** One contender at one cell, on the ground that all share. */
export type Trial = {
	readonly entrant: Entrant;
	readonly cell: PlannedCell;
	readonly ground: Ground;
};

const readCounters = async ({origin, redis}: Ground): Promise<Counters> => {
	const [ofOrigin, ofRedis] = await Promise.all([
		origin.call<Pick<Counters, 'complete' | 'notModified'>>('counters'),
		redis.call<Pick<Counters, 'reads'>>('statistics'),
	]);
	return {...ofOrigin, ...ofRedis};
};

const patience = 20;

/** Writes to a store may follow the response: ask until no more than `most` complete responses come from the origin. */
const isStoredAtLast = async (worker: Service, ground: Ground, method: 'requestWarm' | 'requestNewest', most: number): Promise<boolean> => {
	for (let attempt = 0; attempt < patience; attempt++) {
		const before = await readCounters(ground);

		await worker.call(method);

		const {complete} = difference(await readCounters(ground), before);
		if (complete <= most) {
			return true;
		}

		await delay(50);
	}

	return false;
};

const isCache = ({answersFrom}: Entrant): boolean => answersFrom !== 'origin' && answersFrom !== 'canned';

const fill = async (worker: Service, {entrant, cell, ground}: Trial): Promise<string[]> => {
	if (cell.scenario.pattern !== 'warm' && cell.scenario.pattern !== 'mixed') {
		return [];
	}

	await worker.call('requestWarm');
	return !isCache(entrant) || await isStoredAtLast(worker, ground, 'requestWarm', 0) ? [] : ['the origin is asked again and again'];
};

/** A miss that is not stored would be a cheap one. */
const checkStored = async (worker: Service, {entrant, cell, ground}: Trial): Promise<string[]> => {
	const {pattern, profile} = cell.scenario;
	const isStoring = isCache(entrant) && profile !== 'unstorable' && (pattern === 'new' || pattern === 'stream');
	// Of the newest eight, some may have made room for others.
	return !isStoring || await isStoredAtLast(worker, ground, 'requestNewest', 4) ? [] : ['responses were not stored'];
};

/** A contender's process, with a directory of its own. */
type Worker = Service & {
	/** The scenarios that it has been warmed up for. */
	readonly warmedUp: Set<string>;
};

/** The processes of the contenders. */
export type Workers = {
	/** The contender's process, which is started if there is none, after Redis has been emptied. */
	readonly of: (entrant: Entrant) => Promise<Worker>;
	/** Ends one, which may have failed. */
	readonly end: (entrant: Entrant) => Promise<void>;
	readonly endAll: () => Promise<void>;
};

const startWorker = async ({id}: Entrant, {originUrl, redisUrl}: Ground): Promise<Worker> => {
	const directory = await mkdtemp(path.join(tmpdir(), 'benchmark-'));
	const service = startService(new URL('services/worker.ts', import.meta.url));
	const stop = async () => {
		try {
			await service.call('teardown');
		} finally {
			await service.stop();
			await rm(directory, {recursive: true, force: true});
		}
	};

	try {
		await service.call('setup', {contender: id, originUrl, redisUrl, directory} satisfies Setup);
	} catch (error) {
		await stop();
		throw error;
	}

	return {...service, stop, warmedUp: new Set()};
};

export const createWorkers = (ground: Ground): Workers => {
	const workers = new Map<string, Worker>();
	const end = async ({id}: Pick<Entrant, 'id'>) => {
		const worker = workers.get(id);
		workers.delete(id);
		await worker?.stop();
	};

	return {
		async of(entrant) {
			await ground.redis.call('flush');
			const worker = workers.get(entrant.id) ?? await startWorker(entrant, ground);
			workers.set(entrant.id, worker);
			return worker;
		},
		end,
		async endAll() {
			await Promise.all(workers.keys().map(async id => end({id})));
		},
	};
};

/** How much longer the warm-up of requests to the origin is: some 8,000 of 1 KiB in the whole benchmark. */
export const originFactor = 3;

/** The share of a warm-up that a process needs for another cell of the same scenario. */
const laterWarmUp = 0.2;

/** Compiles what a cell runs. Requests that go to the origin are fewer in the same time, and take longer to compile than a hit. */
const warmUp = async (worker: Worker, {scenario}: PlannedCell, warmUpMs: number): Promise<void> => {
	const isAnsweredByOrigin = scenario.pattern !== 'warm' || scenario.profile === 'validate';
	const wholeMs = isAnsweredByOrigin ? originFactor * warmUpMs : warmUpMs;
	await worker.call('warmUp', worker.warmedUp.has(scenario.name) ? wholeMs * laterWarmUp : wholeMs);
	worker.warmedUp.add(scenario.name);
};

/** Measures one contender at one cell once. */
export const takeSample = async (trial: Trial, workers: Workers, round: number, {warmUpMs, measureMs}: {readonly warmUpMs: number; readonly measureMs: number}): Promise<Sample> => {
	const {entrant, cell, ground} = trial;
	const worker = await workers.of(entrant);
	await worker.call('begin', cell);
	const objections = await fill(worker, trial);
	await warmUp(worker, cell, warmUpMs);
	if (cell.unrelatedKeys > 0) {
		await ground.redis.call('fill', cell.unrelatedKeys);
	}

	const before = await readCounters(ground);
	const measurement = await worker.call<Measurement>('measure', measureMs);
	const counted = difference(await readCounters(ground), before);
	objections.push(...check(entrant, cell, measurement, counted), ...await checkStored(worker, trial));

	const {requests, seconds, batches, cpuMicroseconds, p50Ms, p99Ms, heapMebibytes, residentMebibytes} = measurement;
	return {
		contender: entrant.id,
		cell: cell.id,
		round,
		requestsPerSecond: requests / seconds,
		p50Ms,
		p99Ms,
		cpuMicrosecondsPerRequest: cpuMicroseconds / requests,
		heapMebibytes,
		residentMebibytes,
		requests,
		originPerRequest: (counted.complete + counted.notModified) / (batches > 0 ? batches : requests),
		redisReadsPerRequest: counted.reads / requests,
		objections,
	};
};

/** What a contender holds after each of several windows of hits, in MiB after a collection. */
export const soak = async (trial: Trial, windows: number, windowMs: number): Promise<number[]> => {
	const workers = createWorkers(trial.ground);
	try {
		const worker = await workers.of(trial.entrant);
		await worker.call('begin', trial.cell);
		await fill(worker, trial);
		const heapMebibytes: number[] = [];
		while (heapMebibytes.length < windows) {
			const measurement = await worker.call<Measurement>('measure', windowMs);
			heapMebibytes.push(measurement.heapMebibytes);
		}

		return heapMebibytes;
	} finally {
		await workers.endAll();
	}
};

/** What a contender holds while as many URLs pass through it as are wanted, each asked for once. */
export const passThrough = async (trial: Trial, wantedUrls: number, windowMs: number): Promise<Omit<Passage, 'contender'>> => {
	const workers = createWorkers(trial.ground);
	try {
		const worker = await workers.of(trial.entrant);
		await worker.call('begin', trial.cell);
		const urls: number[] = [];
		const heapMebibytes: number[] = [];
		const residentMebibytes: number[] = [];
		while ((urls.at(-1) ?? 0) < wantedUrls) {
			const measurement = await worker.call<Measurement>('measure', windowMs);
			urls.push((urls.at(-1) ?? 0) + measurement.requests);
			heapMebibytes.push(measurement.heapMebibytes);
			residentMebibytes.push(measurement.residentMebibytes);
		}

		return {urls, heapMebibytes, residentMebibytes};
	} finally {
		await workers.endAll();
	}
};
