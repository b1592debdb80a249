import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import process from 'node:process';
import {setImmediate as nextTurn, setTimeout as delay} from 'node:timers/promises';
import {expectedBody, lastDigitOffset} from '../body.ts';
import type {Client, Contender, ContenderContext} from '../contender.ts';
import {warmUrlCount, type Cell} from '../scenarios.ts';
import {percentile} from '../statistics.ts';
import {resourcePath} from '../url.ts';
import {serve} from './service.ts';

/*
One contender, in a process of its own. The parent gives the order: set up, and for each cell: begin, fill, warm up, measure, repeat the last.
*/

export type Setup = ContenderContext & {
	readonly contender: string;
	readonly originUrl: string;
};

export type Measurement = {
	readonly requests: number;
	readonly seconds: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	/** Of this process alone, in user and system mode. */
	readonly cpuMicroseconds: number;
	/** After a collection. */
	readonly heapMebibytes: number;
	readonly residentMebibytes: number;
	readonly wrongBodies: number;
	readonly batches: number;
};

/** At a fixed rate, there are few requests in a moment. */
const pacedFactor = 3;

const fillConcurrency = 16;
const warmUpConcurrency = 32;
/** Ids of URLs that nobody asked for before start here. */
let nextNewId = 1_000_000;

let setup: Setup;
let cell: Cell;
let client: Client;

const urlOf = (id: number): string => {
	const {scenario, size} = cell;
	return setup.originUrl + resourcePath({profile: scenario.profile, size, id});
};

const isRight = (body: Uint8Array | string, id: number): boolean => {
	const digit = id % 10;
	const isDigit = typeof body === 'string' ? body[lastDigitOffset] === String(digit) : body[lastDigitOffset] === 48 + digit;
	return body.length === cell.size && isDigit;
};

const send = async (url: string): Promise<Uint8Array | string> => {
	if (!cell.scenario.isText) {
		return client.request(url);
	}

	if (client.text === undefined) {
		throw new Error(`${setup.contender} has no text`);
	}

	return client.text(url);
};

const requestInFull = async (id: number): Promise<void> => {
	const body = await client.request(urlOf(id));
	if (!Buffer.from(body.buffer, body.byteOffset, body.byteLength).equals(expectedBody(cell.size, id))) {
		throw new Error(`${setup.contender} returned a wrong body for ${urlOf(id)}: ${body.byteLength} bytes`);
	}
};

const requestAllInFull = async (ids: readonly number[]): Promise<void> => {
	const queue = ids.values();
	await Promise.all(Array.from({length: fillConcurrency}, async () => {
		for (const id of queue) {
			await requestInFull(id);
		}
	}));
};

const drainFromFirstByte = async (url: string): Promise<number> => {
	const startMs = performance.now();
	const stream = client.stream?.(url);
	if (stream === undefined) {
		throw new Error(`${setup.contender} has no streams`);
	}

	let firstByteMs = 0;
	stream.on('data', () => {
		firstByteMs ||= performance.now() - startMs;
	});
	await once(stream, 'end');
	return firstByteMs;
};

/** Calls `request` at a fixed rate. Resolves when all that was sent is answered. */
const sendAtRate = async (requestsPerSecond: number, deadlineMs: number, request: () => Promise<void>): Promise<void> => {
	const startMs = performance.now();
	const sent: Array<Promise<void>> = [];
	for (let nowMs = startMs; nowMs < deadlineMs; nowMs = performance.now()) {
		if (sent.length < (nowMs - startMs) / 1000 * requestsPerSecond) {
			sent.push(request());
		} else {
			await delay(1);
		}
	}

	await Promise.all(sent);
};

type LoadOptions = {
	readonly concurrency?: number;
	/** As fast as it goes, whatever the scenario's rate is. */
	readonly isUnpaced?: boolean;
};

/** A closed loop, unless the scenario has a rate: as many lanes as are asked for at once, each asking again as soon as it has its answer. */
const load = async (durationMs: number, {concurrency = cell.concurrency, isUnpaced = false}: LoadOptions = {}) => {
	const {pattern, requestsPerSecond} = cell.scenario;
	const warmCount = warmUrlCount(cell);
	const latenciesMs: number[] = [];
	const startMs = performance.now();
	const deadlineMs = startMs + durationMs;
	const longestMs = startMs + (4 * durationMs);
	const leastRequests = cell.size >= 1024 * 1024 ? 60 : 500;
	let wrongBodies = 0;
	let turn = 0;
	let batches = 0;

	/** Where others keep the machine busy, a moment has too few requests to tell anything. */
	const isOver = (): boolean => {
		const nowMs = performance.now();
		return nowMs >= longestMs || (nowMs >= deadlineMs && latenciesMs.length >= leastRequests);
	};

	const timedRequest = async (id: number): Promise<void> => {
		const sentMs = performance.now();
		const body = await send(urlOf(id));
		latenciesMs.push(performance.now() - sentMs);
		if (!isRight(body, id)) {
			wrongBodies++;
		}
	};

	const nextId = (): number => {
		turn++;
		const isNew = pattern === 'new' || (pattern === 'mixed' && turn % 10 === 0);
		return isNew ? nextNewId++ : turn % warmCount;
	};

	const next = async () => {
		if (pattern === 'stream') {
			latenciesMs.push(await drainFromFirstByte(urlOf(nextNewId++)));
		} else {
			await timedRequest(nextId());
		}
	};

	const lane = async () => {
		while (!isOver()) {
			await next();
		}
	};

	if (requestsPerSecond !== undefined && !isUnpaced) {
		await sendAtRate(requestsPerSecond, startMs + (pacedFactor * durationMs), next);
	} else if (pattern === 'together') {
		while (!isOver()) {
			const id = nextNewId++;
			batches++;

			await Promise.all(Array.from({length: concurrency}, async () => timedRequest(id)));
		}
	} else {
		await Promise.all(Array.from({length: concurrency}, lane));
	}

	const seconds = (performance.now() - startMs) / 1000;
	const ascending = Float64Array.from(latenciesMs).toSorted();
	return {
		requests: latenciesMs.length,
		seconds,
		p50Ms: percentile(ascending, 0.5),
		p99Ms: percentile(ascending, 0.99),
		wrongBodies,
		batches,
	};
};

/** What is let go while the first collection runs, the second finds. */
const collect = async (): Promise<void> => {
	globalThis.gc?.();
	await nextTurn();
	globalThis.gc?.();
};

const measure = async (durationMs: number): Promise<Measurement> => {
	await collect();
	const cpuBefore = process.cpuUsage();
	const summary = await load(durationMs);
	const cpu = process.cpuUsage(cpuBefore);
	await collect();
	const memory = process.memoryUsage();

	return {
		...summary,
		cpuMicroseconds: cpu.user + cpu.system,
		heapMebibytes: (memory.heapUsed + memory.external) / 1024 / 1024,
		residentMebibytes: memory.rss / 1024 / 1024,
	};
};

serve({
	async setup(options: Setup) {
		setup = options;
		const {default: contender} = await import(`../contenders/${setup.contender}.ts`) as {default: Contender};
		client = await contender.setup(setup);
	},
	begin(next: Cell) {
		cell = next;
	},
	async requestWarm() {
		await requestAllInFull(Array.from({length: warmUrlCount(cell)}, (_, id) => id));
	},
	async requestNewest() {
		await requestAllInFull(Array.from({length: 8}, (_, index) => nextNewId - 1 - index));
	},
	async warmUp(durationMs: number) {
		// One at a time with a slow origin, nothing would ever be compiled.
		await load(durationMs, {concurrency: Math.max(cell.concurrency, warmUpConcurrency), isUnpaced: true});
	},
	measure,
	async teardown() {
		await client.teardown?.();
	},
});
