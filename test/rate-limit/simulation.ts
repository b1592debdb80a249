import {setImmediate as nextTurn} from 'node:timers/promises';
import type {ExchangeGate, OriginAnswer} from '../../source/got/state/origin-gate.ts';
import {createEvents} from '../../source/rate-limit/events.ts';
import {createFleetBucket} from '../../source/rate-limit/fleet-bucket.ts';
import {createLimiter} from '../../source/rate-limit/limiter.ts';
import {resolveRateLimit, type HostLimits, type RateLimitOptions} from '../../source/rate-limit/options.ts';
import {createRedisBucket} from '../../source/rate-limit/redis-bucket.ts';
import {RateLimitError} from '../../source/rate-limit/rate-limit-error.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {commandOf, createTestClock, type TestClock} from './helpers.ts';

/*
A fleet of processes and an origin that counts, in simulated time: the limiter is the real one, and so is the script in Redis, but both are told the time.
*/

/** Counts a request at a time. */
export type CountingOrigin = (atMs: number) => OriginAnswer;

const minuteMs = 60_000;

type Told = 'nothing' | 'current fields' | 'X-RateLimit';

const answerOf = (isAllowed: boolean, remaining: number, resetMs: number, told: Told): OriginAnswer => {
	const reset = String(Math.ceil(resetMs / 1000));
	const headers = {
		nothing: {},
		'current fields': {'ratelimit-policy': '"default";q=100;w=60', ratelimit: `"default";r=${remaining};t=${reset}`},
		'X-RateLimit': {'x-ratelimit-limit': '100', 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset': reset},
	}[told];

	return {statusCode: isAllowed ? 200 : 429, headers: isAllowed ? headers : {...headers, 'retry-after': reset}};
};

/** Origins that allow a number of requests a minute, each by its own algorithm. */
export const countingOrigins: Readonly<Record<string, (limit: number, told: Told) => CountingOrigin>> = {
	'a sliding window'(limit, told) {
		let times: number[] = [];

		return atMs => {
			times = times.filter(each => each > atMs - minuteMs);
			const isAllowed = times.length < limit;
			if (isAllowed) {
				times.push(atMs);
			}

			return answerOf(isAllowed, limit - times.length, (times[0] ?? atMs) + minuteMs - atMs, told);
		};
	},
	'a fixed window'(limit, told) {
		let window = -1;
		let count = 0;

		return atMs => {
			// Windows begin at no round time.
			const current = Math.floor((atMs + 17_345) / minuteMs);
			count = current === window ? count + 1 : 1;
			window = current;

			return answerOf(count <= limit, Math.max(0, limit - count), ((current + 1) * minuteMs) - 17_345 - atMs, told);
		};
	},
	'a token bucket'(limit, told) {
		let tokens = limit;
		let lastMs = 0;

		return atMs => {
			tokens = Math.min(limit, tokens + (Math.max(0, atMs - lastMs) * limit / minuteMs));
			lastMs = Math.max(lastMs, atMs);
			const isAllowed = tokens >= 1;
			tokens -= isAllowed ? 1 : 0;

			return answerOf(isAllowed, Math.floor(tokens), (limit - tokens) * minuteMs / limit, told);
		};
	},
};

/** Numbers from 0 to 1 that look random, the same ones each time. */
const createRandom = (seed: number) => {
	let state = seed;

	return (): number => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) % 4_294_967_296;
		state += state < 0 ? 4_294_967_296 : 0;
		return state / 4_294_967_296;
	};
};

export type Fleet = {
	readonly redis: TestRedis;
	readonly processes: number;
	readonly limits: HostLimits;
	readonly options?: RateLimitOptions;
	readonly origin: CountingOrigin;
	readonly minutes: number;
	/** Of all processes together. */
	readonly requestsPerMinute: number;
	/** At the start, from each process. */
	readonly burst: number;
	/** The share of requests that a stale response could answer. */
	readonly staleShare: number;
	readonly seed: number;
};

export type FleetResult = {
	asked: number;
	sent: number;
	refused: number;
	stale: number;
	failed: number;
	longestWaitMs: number;
};

let fleets = 0;

/** Runs a fleet, and counts what became of its requests. */
export const simulate = async ({redis, processes, limits, options, origin, minutes, requestsPerMinute, burst, staleShare, seed}: Fleet): Promise<FleetResult> => {
	const random = createRandom(seed);
	const result: FleetResult = {asked: 0, sent: 0, refused: 0, stale: 0, failed: 0, longestWaitMs: 0};
	const startMs = 1_700_000_000_000;
	const commands = {underWay: 0};
	const whenIdle = async () => {
		do {
			await nextTurn();
		} while (commands.underWay > 0);
	};

	const clock: TestClock = createTestClock(startMs, whenIdle);
	const send = commandOf(redis);
	const name = `fleet-${fleets++}`;
	const command: typeof send = async (...parameters) => {
		commands.underWay++;
		try {
			return await send(...parameters);
		} finally {
			commands.underWay--;
		}
	};

	const createGate = (): ExchangeGate => createLimiter({
		settings: resolveRateLimit({'api.example.com': limits}, options ?? {}),
		clock,
		events: createEvents(),
		createBucket: () => createFleetBucket(clock, () => createRedisBucket({
			name,
			command,
			onRefusal(error) {
				throw error;
			},
			nowMs: () => clock.now(),
		})),
		withinBudgetOf: () => async step => step,
	}).gate;

	const request = async (gate: ExchangeGate, canBeStale: boolean): Promise<void> => {
		const askedMs = clock.now();
		const permission = await gate({
			method: 'GET',
			url: new URL('https://api.example.com/items'),
			isRefresh: false,
			signal: new AbortController().signal,
			patienceMs: Infinity,
			canBeStale: () => canBeStale,
		}, undefined as never);
		result.longestWaitMs = Math.max(result.longestWaitMs, clock.now() - askedMs);
		if (permission.kind === 'refuse') {
			if (!(permission.error instanceof RateLimitError)) {
				throw permission.error;
			}

			result.failed++;
			return;
		}

		if (permission.kind === 'stale') {
			result.stale++;
			return;
		}

		result.sent++;
		// One in twenty has to connect first.
		const wayMs = 5 + (random() * 80) + (random() < 0.05 ? random() * 600 : 0);
		clock.callAt(clock.now() + wayMs, () => {
			const answer = origin(clock.now());
			result.refused += answer.statusCode === 429 ? 1 : 0;
			clock.callAt(clock.now() + 5 + (random() * 200), () => {
				permission.onResponse?.(answer);
			});
		});
	};

	for (let number = 0; number < processes; number++) {
		const gate = createGate();
		const ask = () => {
			result.asked++;
			void request(gate, random() < staleShare);
		};

		for (let count = 0; count < burst; count++) {
			clock.callAt(startMs + (random() * 1000), ask);
		}

		const meanMs = processes * minuteMs / requestsPerMinute;
		for (let atMs = startMs + (random() * meanMs); atMs < startMs + (minutes * minuteMs); atMs -= Math.log(1 - random()) * meanMs) {
			clock.callAt(atMs, ask);
		}
	}

	await clock.runUntil(startMs + (minutes * minuteMs));

	return result;
};
