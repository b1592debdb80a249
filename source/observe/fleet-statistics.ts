import {longestSinceMs, type StatsPeriod} from '../management/arguments.ts';
import type {SealedText} from '../store/codec/sealed-text.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {CommandResult} from '../store/ports/commands.ts';
import {messageOf} from '../store/ports/store-error.ts';
import type {Store} from '../store/ports/store.ts';
import {inBackground} from '../types/background.ts';
import {callAtExit, forgetAtExit} from './at-exit.ts';
import {countsScript, sumHashesScript, sumSortedSetsScript, writeScript} from './fleet-scripts.ts';
import type {Growth, Statistics} from './statistics.ts';
import {countersOfStep, refusedUrlsOf, statsOf, stepOf, type FleetStats, type RefusedUrl, type StatsStep} from './stats.ts';

/*
The statistics of all processes together. Each adds its counters to Redis in one step of ten seconds: to a hash of the minute, and to sorted sets of ten minutes for origins and URLs, which are many. A count may be lost with a connection, none is added twice.

No key begins as those of stored responses do, so that nothing lists or clears them. All lie in one slot of a cluster.
*/

const keyPrefix = 'stats.{fleet}.';

const flushIntervalMs = 10_000;
const minuteMs = 60_000;
const tenMinutesMs = 10 * minuteMs;

/** How long keys are kept after their last change. */
const keptMs = longestSinceMs + tenMinutesMs;

/** How long nothing is written after Redis has refused it. */
const refusalMs = tenMinutesMs;

/** How far back a URL's refusals are looked for. */
const refusalsSinceMs = 60 * minuteMs;

/** URLs in one write: those that are shown, five times over. */
const urlsPerWrite = 50;

/** Members of a sorted set. */
const maxMembers = 256;

/** Keys in one step of reading, so that other commands go in between. */
const keysPerRead = 60;

export type FleetStatisticsOptions = {
	readonly statistics: Statistics;
	/** Returns the current store: another one may take over. */
	readonly store: () => Store;
	/** Hides origins and URLs, if the cache encrypts. */
	readonly names: SealedText;
	readonly now: () => number;
	/** Whether nothing may be written. */
	readonly isReadOnly: boolean;
};

export type FleetStatistics = {
	/** To be called when something was counted. */
	note(): void;

	/**
	Returns the statistics of all processes.

	@throws {Error} If the store is not a Redis, or does not answer.
	*/
	read(period: StatsPeriod): Promise<FleetStats>;

	/**
	Returns why responses to a URL were not stored, in all processes within the last hour; nothing if that cannot be read.

	@param url - As the statistics show it.
	*/
	refusalsOf(url: string): Promise<readonly RefusedUrl[]>;

	/** Writes what was counted, and nothing from then on. */
	close(): Promise<void>;
};

type Command = NonNullable<Store['plainCommand']>;

type Period = {
	readonly fromMs: number;
	readonly toMs: number;
};

/** The keys of all intervals that a period touches. */
const keysBetween = (name: string, intervalMs: number, {fromMs, toMs}: Period): string[] => {
	const first = Math.floor(fromMs / intervalMs);
	const count = Math.floor(toMs / intervalMs) - first + 1;
	return Array.from({length: count}, (_, position) => `${name}.${first + position}`);
};

const keyAt = (prefix: string, name: string, intervalMs: number, atMs: number): string => `${prefix}${name}.${Math.floor(atMs / intervalMs)}`;

/** Seals the origin or URL in a counter's name, and leaves what stands before it. */
const sealLast = (name: string, {seal}: SealedText): string => {
	const [kind = '', origin = ''] = name.split(' ', 2);
	return `${kind} ${seal(origin)}`;
};

const openLast = (name: string, {open}: SealedText): string | undefined => {
	const [kind = '', sealed = ''] = name.split(' ', 2);
	const origin = open(sealed);
	return origin === undefined ? undefined : `${kind} ${origin}`;
};

const add = (sums: Map<string, number>, reply: readonly unknown[], open: (name: string) => string | undefined): void => {
	for (let position = 0; position + 1 < reply.length; position += 2) {
		const name = open(String(reply[position]));
		const count = Number(String(reply[position + 1]));
		if (name !== undefined && Number.isFinite(count)) {
			sums.set(name, (sums.get(name) ?? 0) + count);
		}
	}
};

const failure = (why: string, cause?: unknown): Error => new Error(`got-redis-cache: The statistics of the fleet cannot be read: ${why}`, cause === undefined ? undefined : {cause});

export const createFleetStatistics = ({statistics, store, names, now, isReadOnly}: FleetStatisticsOptions): FleetStatistics => {
	let timer: NodeJS.Timeout | undefined;
	let refusedUntilMs = -Infinity;
	let isClosed = false;

	const write = async (command: Command, {counters, origins, urls, refusals}: Growth): Promise<CommandResult | undefined> => {
		const nowMs = now();
		const added = [
			counters.map(([name, by]) => [name, String(by)]),
			origins.map(([name, by]) => [sealLast(name, names), String(by)]),
			urls.map(([name, by]) => [names.seal(name), String(by)]),
			refusals.map(([name, by]) => [sealLast(name, names), String(by)]),
		];
		return command(keyPrefix, prefix => [
			'EVAL',
			writeScript,
			'4',
			keyAt(prefix, 'counters', minuteMs, nowMs),
			keyAt(prefix, 'origins', tenMinutesMs, nowMs),
			keyAt(prefix, 'urls', tenMinutesMs, nowMs),
			keyAt(prefix, 'refusals', tenMinutesMs, nowMs),
			JSON.stringify(added),
			String(keptMs),
			String(maxMembers),
		]);
	};

	const disarm = (): void => {
		ownTimers.clearTimeout(timer);
		timer = undefined;
		forgetAtExit(flush);
	};

	const arm = (): void => {
		if (isClosed || isReadOnly || timer !== undefined || !store().plainCommand) {
			return;
		}

		timer = inBackground(ownTimers.setTimeout(() => {
			void flush();
		}, flushIntervalMs));
		callAtExit(flush);
	};

	const flush = async (): Promise<void> => {
		disarm();
		const {plainCommand, isAlone, isHealthy} = store();
		if (!plainCommand || isReadOnly) {
			return;
		}

		if (isAlone || !isHealthy || ownTimers.now() < refusedUntilMs) {
			// The counts are kept for later.
			arm();
			return;
		}

		const growth = statistics.takeGrowth(urlsPerWrite);
		if (growth.counters.length === 0) {
			return;
		}

		const result = await write(plainCommand, growth);
		if (result?.refusal) {
			refusedUntilMs = ownTimers.now() + refusalMs;
		}
	};

	/** Runs a script on keys, some of them at a time. Gives the replies. */
	const runOn = async (command: Command, script: string, keysOf: (prefix: string) => readonly string[], arguments_: readonly string[] = []): Promise<Array<readonly unknown[]>> => {
		const replies: Array<readonly unknown[]> = [];
		for (let start = 0; start < keysOf('').length; start += keysPerRead) {
			// eslint-disable-next-line no-await-in-loop -- Other commands go in between.
			const result = await command(keyPrefix, prefix => {
				const keys = keysOf(prefix).slice(start, start + keysPerRead);
				return ['EVAL', script, String(keys.length), ...keys, ...arguments_];
			});
			if (result === undefined || result.refusal) {
				const cause = result?.refusal ?? store().health().lastError;
				const why = cause ? messageOf(cause) : 'the store did not answer';
				throw isClosed ? failure('the cache is closed') : failure(why, cause);
			}

			replies.push(result.reply as readonly unknown[]);
		}

		return replies;
	};

	const sum = async (command: Command, script: string, keysOf: (prefix: string) => readonly string[], open: (name: string) => string | undefined): Promise<Map<string, number>> => {
		const sums = new Map<string, number>();
		for (const reply of await runOn(command, script, keysOf)) {
			add(sums, reply, open);
		}

		return sums;
	};

	const sumRefusals = async (command: Command, period: Period): Promise<Map<string, number>> =>
		sum(command, sumSortedSetsScript, prefix => keysBetween(`${prefix}refusals`, tenMinutesMs, period), name => openLast(name, names));

	const readTimeline = async (command: Command, period: Period, stepMs: number): Promise<StatsStep[]> => {
		const {fromMs, toMs} = period;
		const replies = await runOn(command, countsScript, prefix => keysBetween(`${prefix}counters`, minuteMs, period), countersOfStep);
		const firstStep = Math.floor(fromMs / stepMs);
		const firstMinute = Math.floor(fromMs / minuteMs);
		const steps = Array.from({length: Math.floor(toMs / stepMs) - firstStep + 1}, () => new Map<string, number>());
		for (const [position, counts] of replies.flat().entries()) {
			const step = steps[Math.floor(((firstMinute + position) * minuteMs) / stepMs) - firstStep];
			add(step ?? new Map<string, number>(), counts as readonly unknown[], name => name);
		}

		return steps.map((counters, position) => stepOf(new Date((firstStep + position) * stepMs), counters));
	};

	return {
		note() {
			if (timer === undefined) {
				arm();
			}
		},
		async read({sinceMs, stepMs}) {
			await flush();
			const {plainCommand, isAlone} = store();
			if (!plainCommand || isAlone) {
				throw failure('the store is not a Redis, where the processes meet; stats() has those of this process');
			}

			const toMs = now();
			const fromMs = toMs - sinceMs;
			const period = {fromMs, toMs};
			const [counters, origins, urls, refusals, timeline] = await Promise.all([
				sum(plainCommand, sumHashesScript, prefix => keysBetween(`${prefix}counters`, minuteMs, period), name => name),
				sum(plainCommand, sumSortedSetsScript, prefix => keysBetween(`${prefix}origins`, tenMinutesMs, period), name => openLast(name, names)),
				sum(plainCommand, sumSortedSetsScript, prefix => keysBetween(`${prefix}urls`, tenMinutesMs, period), names.open),
				sumRefusals(plainCommand, period),
				stepMs === undefined ? undefined : readTimeline(plainCommand, period, stepMs),
			]);

			return {...statsOf(new Date(Math.floor(fromMs / minuteMs) * minuteMs), counters, origins, {urls, refusals}), ...timeline && {timeline}};
		},
		async refusalsOf(url) {
			// Nothing is written for a question: this process has told of its own, or will.
			const {plainCommand, isAlone} = store();
			if (!plainCommand || isAlone) {
				return [];
			}

			// Plain reads, which every user of Redis may be allowed. A key that cannot be read tells nothing.
			const keyNames = keysBetween('refusals', tenMinutesMs, {fromMs: now() - refusalsSinceMs, toMs: now()});
			const results = await Promise.all(keyNames.map(async name => plainCommand(keyPrefix, prefix => ['ZRANGE', `${prefix}${name}`, '0', '-1', 'WITHSCORES'])));
			const sums = new Map<string, number>();
			for (const result of results) {
				add(sums, Array.isArray(result?.reply) ? result.reply.flat() : [], name => openLast(name, names));
			}

			return refusedUrlsOf(sums).filter(({url: each}) => each === url);
		},
		async close() {
			await flush();
			isClosed = true;
			disarm();
		},
	};
};
