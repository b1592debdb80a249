import type {StoredResponse} from '../types/stored.ts';
import {noBytes} from './codec/bytes.ts';
import {isSettled, type Eventually, type Values} from './codec/values.ts';
import type {RecordEncoding} from './encoding.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import {largeBytes, sizeOf, type WriteQueue} from './guard/write-queue.ts';
import type {LongValues} from './long-values.ts';
import type {MemoryTier} from './memory/memory.ts';
import {toTtlMs, type Backend, type Change, type ChangeResult, type Expectation} from './ports/backend.ts';
import {exchangeToken, guardLifeMs, settledGuardLifeMs} from './ports/guard-token.ts';
import {isLongKey, longBodyBytes} from './ports/long-keys.ts';
import {ownTimers} from './ports/own-timers.ts';
import type {CommittedRecord, GuardedWriter} from './ports/guards.ts';
import type {Store} from './ports/store.ts';
import type {SlowKeys} from './slow-keys.ts';

export type CommittingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	readonly values: Values;
	readonly encoding: RecordEncoding;
	readonly deletions: Deletions;
	readonly slowKeys: SlowKeys;
	readonly longValues: LongValues | undefined;
	readonly queue: WriteQueue;
	/** The last write of each key that is under way: kept here. */
	readonly writes: Map<string, Promise<unknown>>;
	readonly counters: {dropped: number; unwritten: number};
};

/** By the key, which the index names: a long body may be short when it is compressed. */
const isLong = (change: Change): change is Extract<Change, {kind: 'put'}> => change.kind === 'put' && isLongKey(change.key);

const unstoredError = ({url, body}: StoredResponse, reason: Error): Error => new Error(
	`The response of ${url} was not stored, with ${body.length} bytes: ${reason.message}. Lower \`maxBodySize\` if that goes on, or raise \`timeout\``,
	{cause: reason},
);

const doneIsWritten = {isWritten: ({kind}: ChangeResult) => kind === 'done'};

type CommitResult = Awaited<ReturnType<Store['commit']>>;

const commitResults: Readonly<Record<ChangeResult['kind'], CommitResult>> = {done: 'written', refused: 'refused', conflict: 'conflict'};

/** @param result - `undefined` if the store did not answer. */
const commitResultOf = (result: ChangeResult | undefined): CommitResult => result === undefined ? 'failed' : commitResults[result.kind];

/**
How what an exchange brings is written: in one step, and only if the guard that the exchange counts on is still there.
*/
export const createCommitting = ({
	backend,
	guard,
	tier,
	values,
	encoding,
	deletions,
	slowKeys,
	longValues,
	queue,
	writes,
	counters,
}: CommittingOptions): Pick<GuardedWriter, 'placeGuard' | 'settleGuard' | 'commit'> => {
	const {guarded, prefix} = backend;

	const expectationOf = ({replaces}: CommittedRecord): Expectation => {
		if (replaces === undefined) {
			return 'anything';
		}

		// Nothing is as long as that: the index is read again.
		return replaces === 'nothing' ? replaces : (values.startOf(replaces) ?? {start: noBytes, length: -1});
	};

	/** @throws {RangeError} As `encode` of the codec. */
	const toChange = (committed: CommittedRecord, isWhole: boolean): Eventually<Change> => {
		const {key, record, timeToLive, replaces} = committed;
		const ttlMs = toTtlMs(timeToLive);
		const change = isWhole ? undefined : encoding.headChangeOf(record, key, replaces === 'nothing' ? undefined : replaces);
		if (change) {
			return {kind: 'replace-head', key: prefix + key, change, ttlMs};
		}

		const toPut = (value: Uint8Array): Change => ({kind: 'put', key: prefix + key, expected: expectationOf(committed), value, ttlMs});
		const encoded = encoding.encode(record, key);
		return encoded instanceof Promise ? encoded.then(toPut) : toPut(encoded);
	};

	/** Writes long values beside where they are to lie, so that a change of no length moves them there; `undefined` if one was not written. */
	const writeLong = async (
		{write}: LongValues,
		records: readonly CommittedRecord[],
		changes: readonly Change[],
		partKeys: string[],
	): Promise<Change[] | undefined> => {
		const ready: Change[] = [];
		for (const [position, change] of changes.entries()) {
			const {key, record} = records[position] ?? {};
			if (key === undefined || !isLong(change) || record?.kind !== 'response') {
				ready.push(change);
				continue;
			}

			// eslint-disable-next-line no-await-in-loop -- one after the other, as their pieces
			const partKey = await write(key, change.value, error => unstoredError(record, error));
			if (partKey === undefined) {
				return undefined;
			}

			partKeys.push(partKey);
			ready.push({kind: 'move', key: change.key, expected: change.expected, partKey, ttlMs: change.ttlMs});
		}

		return ready;
	};

	const reportLong = (records: readonly CommittedRecord[], reason: Error): void => {
		for (const {record} of records) {
			if (record.kind === 'response' && record.body.length >= longBodyBytes) {
				guard.report(unstoredError(record, reason));
			}
		}
	};

	/** Takes a place among the writes that wait; `undefined` if there is none. */
	const enterQueue = (records: readonly CommittedRecord[]): (() => void) | undefined => {
		const size = records.reduce((sum, {record}) => sum + sizeOf(record), 0);

		return size > largeBytes && records.some(({key}) => slowKeys.has(key)) ? undefined : queue.enter(size);
	};

	const commitOnce = async (parameters: Parameters<Store['commit']>[0], isWhole: boolean): Promise<CommitResult> => {
		const {
			guard: {key: guardKey, token},
			records,
			deletedKeys,
		} = parameters;
		if (!guard.isHealthy(guardKey)) {
			return 'failed';
		}

		const leaveQueue = enterQueue(records);
		if (leaveQueue === undefined) {
			counters.dropped++;
			reportLong(records, new Error('Others of its size are being written'));
			return 'dropped';
		}

		const partKeys: string[] = [];
		try {
			const changes = records.map(record => toChange(record, isWhole));
			// Without a turn in between where none is needed: writes keep their order.
			const settled: readonly Change[] = isSettled(changes) ? changes : await Promise.all(changes.map(async change => change));
			const ready = longValues && settled.some(change => isLong(change)) ? await writeLong(longValues, records, settled, partKeys) : settled;
			if (ready === undefined) {
				return 'failed';
			}

			const attempted = await guard.attempt(
				'write',
				guardKey,
				() =>
					guarded.commit({key: prefix + guardKey, token, ttlMs: settledGuardLifeMs}, [
						...ready,
						...deletedKeys.map(key => ({kind: 'delete', key: prefix + key, expected: 'anything'}) as const),
					]),
				doneIsWritten,
			);
			const result = attempted?.result;
			if (result?.kind === 'done') {
				partKeys.length = 0;
			}

			// The head stands before another body by now.
			const isHeadMissed = result?.kind === 'conflict' && !isWhole && settled[result.position]?.kind === 'replace-head';

			return isHeadMissed ? await commitOnce(parameters, true) : commitResultOf(result);
		} catch (error) {
			if (!(error instanceof RangeError)) {
				throw error;
			}

			// Its header fields are too long: no fault of the store.
			counters.dropped++;
			return 'dropped';
		} finally {
			leaveQueue();
			for (const partKey of partKeys) {
				longValues?.discard(partKey);
			}
		}
	};

	/** Guards that are being placed: once for all who have looked for them in vain. */
	const placements = new Map<string, {readonly token: string; readonly sentMonoMs: number; readonly placed: ReturnType<Store['placeGuard']>}>();

	const place = async (key: string, own: string): ReturnType<Store['placeGuard']> => {
		tier?.invalidate(key);
		const attempted = await guard.attempt(
			'write',
			key,
			() => guarded.place(prefix + key, own, guardLifeMs),
			{isWritten: token => token === own},
		);
		if (placements.get(key)?.token === own) {
			placements.delete(key);
		}

		return attempted && {token: attempted.result, isNew: attempted.result === own};
	};

	return {
		placeGuard(key, sinceMonoMs) {
			const underWay = placements.get(key);
			if (underWay && underWay.sentMonoMs >= sinceMonoMs) {
				return underWay.placed.then(placed => placed && {...placed, isNew: false});
			}

			const token = exchangeToken();
			const sentMonoMs = ownTimers.now();
			const placed = place(key, token);
			placements.set(key, {token, sentMonoMs, placed});
			return placed;
		},
		settleGuard(key) {
			const {shorten} = backend;
			if (shorten) {
				void guard.attempt('command', key, async () => shorten(prefix + key, settledGuardLifeMs));
			}
		},
		async commit(parameters) {
			const {records, deletedKeys} = parameters;
			const earlierDeletions = records.map(({key}) => deletions.unconfirmedOf(key));
			for (const {key} of records) {
				tier?.invalidate(key);
			}

			for (const key of deletedKeys) {
				tier?.invalidate(key);
			}

			const committed = commitOnce(parameters, false);
			for (const {key} of records) {
				writes.set(key, committed);
			}

			try {
				const result = await committed;
				if (result === 'failed' || result === 'dropped') {
					counters.unwritten += records.filter(({record}) => record.kind === 'response').length;
				} else if (result === 'written') {
					for (const [position, {key}] of records.entries()) {
						deletions.settle(key, earlierDeletions[position]);
					}
				}

				return result;
			} catch (error) {
				guard.fail('write', parameters.guard.key, error);
				return 'failed';
			} finally {
				for (const {key} of records) {
					if (writes.get(key) === committed) {
						writes.delete(key);
					}
				}
			}
		},
	};
};
