import type {ExchangeGate, OriginAnswer, OriginPermission, OriginRequest} from '../got/state/origin-gate.ts';
import {createHints} from '../types/hints.ts';
import type {Clock} from './clock.ts';
import {createCounters, type Counters, type HostCounts} from './counters.ts';
import type {Events, LimitedRequest} from './events.ts';
import type {CountedTurn, FleetBucket} from './fleet-bucket.ts';
import {heardIn, policiesIn} from './heed.ts';
import {limitOf, strictest, type Limit} from './limits.ts';
import type {RateLimitSettings} from './options.ts';
import {RateLimitError} from './rate-limit-error.ts';
import {createTurns, type Turns} from './turns.ts';

/** More hosts than these are not remembered at a time. */
const mostHosts = 1000;

/** All that a process knows of one host. */
type Host = {
	readonly name: string;
	/** The limits that the user has given, or that the origin has told of. */
	limits: readonly Limit[];
	/** Whether the limits are those that the origin tells of. */
	readonly isLearning: boolean;
	readonly bucket: FleetBucket;
	readonly turns: Turns;
	readonly counters: Counters;
};

/** Waits for Redis no longer than a request may. */
export type WithinBudget = <Result>(step: Promise<Result>) => Promise<Result | undefined>;

export type LimiterOptions = {
	readonly settings: RateLimitSettings;
	readonly clock: Clock;
	readonly events: Events;
	readonly createBucket: (host: string) => FleetBucket;
	readonly withinBudgetOf: (...parameters: Parameters<ExchangeGate>) => WithinBudget;
};

export type Limiter = {
	readonly gate: ExchangeGate;
	counts(): Record<string, HostCounts>;
};

const allowed: OriginPermission = {kind: 'ask'};

export const createLimiter = ({settings, clock, events, createBucket, withinBudgetOf}: LimiterOptions): Limiter => {
	const {limits, maxWaitMs, staleAfterMs, maxStaleMs} = settings;
	const hosts = createHints<Host>(mostHosts);

	const createHost = (name: string, itsLimits: readonly Limit[]): Host => {
		const host = {
			name,
			limits: itsLimits,
			isLearning: itsLimits.length === 0,
			bucket: createBucket(name),
			turns: createTurns(clock),
			counters: createCounters(),
		};
		hosts.set(name, host);

		return host;
	};

	/** The host that a request counts for; `undefined` if none of its limits is known. */
	const hostOf = ({host, hostname}: URL): Host | undefined => {
		for (const name of [host, hostname]) {
			const itsLimits = limits.get(name);
			if (itsLimits) {
				return hosts.get(name) ?? createHost(name, itsLimits);
			}
		}

		const others = limits.get('*');

		return others && (hosts.get(host) ?? createHost(host, others));
	};

	const reasonOf = ({limits: itsLimits}: Host, {by}: CountedTurn): string => typeof by === 'number' ? itsLimits[by]?.text ?? 'origin' : 'origin';

	const tellLimited = (host: Host, turn: CountedTurn, outcome: LimitedRequest['outcome']): void => {
		events.emit('limited', () => ({
			host: host.name,
			limit: reasonOf(host, turn),
			outcome,
			waitMs: turn.waitMs,
			until: new Date(clock.now() + turn.waitMs),
		}));
	};

	/** Counts by what the origin says of its limits, where the user has given none. */
	const learn = (host: Host, answer: OriginAnswer): void => {
		const learned = policiesIn(answer).map(({count, windowMs}) => limitOf(count, windowMs, settings.marginMs)).filter(limit => limit !== undefined);
		if (learned.length > 0) {
			host.limits = strictest(learned);
		}
	};

	const hear = (host: Host, {serial}: CountedTurn, answer: OriginAnswer): void => {
		const heard = heardIn(answer, serial, clock.now());
		if (answer.statusCode === 429) {
			host.counters.refused++;
		}

		if (host.isLearning) {
			learn(host, answer);
		}

		if (!heard) {
			return;
		}

		host.bucket.heed(heard);
		const waitMs = Math.max(heard.pauseMs ?? 0, ...heard.quotas.map(({remaining, resetMs}) => remaining === 0 ? resetMs : 0));
		if (waitMs > 0) {
			events.emit('origin', () => ({host: host.name, statusCode: answer.statusCode, until: new Date(clock.now() + waitMs)}));
		}
	};

	const permit = (host: Host, itsLimits: readonly Limit[], turn: CountedTurn, waitedMs: number): OriginPermission => {
		const {counters} = host;
		counters.sent++;
		counters.uncounted += turn.isShared ? 0 : 1;
		if (waitedMs > 0) {
			counters.waited++;
			counters.waitedMs += waitedMs;
		}

		return {
			kind: 'ask',
			hasWaited: waitedMs > 0,
			onResponse(answer) {
				hear(host, turn, answer);
			},
			onUnsent() {
				counters.sent--;
				host.bucket.release(itsLimits, turn);
			},
		};
	};

	const refuse = (host: Host, turn: CountedTurn, request: OriginRequest, waitedMs: number): OriginPermission => {
		const {isRefresh, patienceMs} = request;
		if (!isRefresh && request.canBeStale(maxStaleMs)) {
			host.counters.stale++;
			tellLimited(host, turn, 'stale');
			return {kind: 'stale', mostStaleMs: maxStaleMs};
		}

		host.counters[isRefresh ? 'gaveWay' : 'failed']++;
		tellLimited(host, turn, isRefresh ? 'gave-way' : 'failed');
		const because =
			patienceMs < maxWaitMs
				? `a timeout of the request's own would end it in ${Math.max(0, patienceMs - waitedMs) / 1000} s`
				: `\`maxWait\` of rateLimit() is ${maxWaitMs / 1000} s`;

		return {
			kind: 'refuse',
			error: new RateLimitError({
				host: host.name,
				limit: reasonOf(host, turn),
				retryAt: new Date(clock.now() + turn.waitMs),
				waitMs: turn.waitMs,
				because,
			}),
		};
	};

	/** How long a request waits for its turn, where it has waited before. */
	const patienceOf = ({isRefresh, patienceMs, canBeStale}: OriginRequest, waitedMs: number): number => {
		if (isRefresh) {
			return 0;
		}

		const wholeMs = Math.min(maxWaitMs, patienceMs);

		return Math.max(0, Math.min(wholeMs, canBeStale(maxStaleMs) ? staleAfterMs : Infinity) - waitedMs);
	};

	const waitForTurn = async (host: Host, request: OriginRequest, withinBudget: WithinBudget): Promise<OriginPermission> => {
		const {bucket, turns} = host;
		const startedMs = clock.now();
		for (let waitedMs = 0; ; waitedMs = Math.max(1, clock.now() - startedMs)) {
			const {limits: itsLimits} = host;
			const turnRequest = {limits: itsLimits, patienceMs: patienceOf(request, waitedMs), isSpare: request.isRefresh};
			// eslint-disable-next-line no-await-in-loop -- once more only if the origin asked for a pause meanwhile
			const turn = await bucket.take(turnRequest, withinBudget);
			if (!turn.isGranted) {
				return refuse(host, turn, request, waitedMs);
			}

			if (turn.waitMs <= 0) {
				return permit(host, itsLimits, turn, waitedMs);
			}

			tellLimited(host, turn, 'waits');
			const release = () => {
				bucket.release(itsLimits, turn);
			};

			// eslint-disable-next-line no-await-in-loop
			const given = await turns.wait({atMs: clock.now() + turn.waitMs, release}, request.signal);
			// eslint-disable-next-line no-await-in-loop
			if (given === undefined || await bucket.pausedMs() <= 0) {
				// Got has given the request up, and asks no further, or its turn has come.
				return given === undefined ? allowed : permit(host, itsLimits, turn, Math.max(1, clock.now() - startedMs));
			}
		}
	};

	return {
		gate(request, exchange) {
			const host = hostOf(request.url);

			return host ? waitForTurn(host, request, withinBudgetOf(request, exchange)) : allowed;
		},
		counts: () => Object.fromEntries(hosts.entries().map(([name, {counters, turns}]) => [name, {...counters, waitedMs: Math.round(counters.waitedMs), waiting: turns.size}])),
	};
};
