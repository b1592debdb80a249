import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import type {Guard} from './guard/guard.ts';
import type {Backend} from './ports/backend.ts';
import {ownTimers} from './ports/own-timers.ts';

/** Other commands of the process go in between two pieces. */
const pieceBytes = 512 * 1024;

/** The first piece has the head, which is read and replaced alone. */
const firstPieceBytes = 64 * 1024;

const piecesOf = function * (length: number): Generator<{readonly number: number; readonly start: number; readonly end: number}> {
	for (let number = 0, start = 0, end = Math.min(length, firstPieceBytes); start < length; number++, start = end, end = Math.min(length, end + pieceBytes)) {
		yield {number, start, end};
	}
};

/** 4 MB/s: a transfer that is slower is given up. */
const leastBytesPerMs = 4000;

/** Longer than any piece takes: renewed by each. The parts that a process leaves behind when it ends meanwhile are gone then. */
const partLifeMs = 60_000;

export type LongValues = {
	/** `undefined` if there is nothing, or the store did not give it in time. */
	read(key: string): Promise<Uint8Array | undefined>;

	/**
	Writes a value under a key of its own, from where a change moves it to the key that it is for.

	@param explain - Makes the error that is reported of the one that came up.
	@returns That key, as Redis has it; `undefined` if the store did not take the value in time.
	*/
	write(key: string, value: Uint8Array, explain: (error: Error) => Error): Promise<string | undefined>;

	/** Removes what was written and not moved. */
	discard(partKey: string): void;
};

export const createLongValues = ({prefix, keyv}: Pick<Backend, 'prefix' | 'keyv'>, pieces: NonNullable<Backend['pieces']>, guard: Guard, timeoutMs: number): LongValues => {
	/** Whether a transfer of that length that began then may go on. */
	const isInTime = (sinceMonoMs: number, length: number): boolean => ownTimers.now() - sinceMonoMs <= timeoutMs + (length / leastBytesPerMs);

	const discard = (partKey: string): void => {
		void guard.attempt('command', partKey, async () => keyv.delete(partKey));
	};

	return {
		async read(key) {
			const measured = await guard.attempt('read', key, async () => pieces.length(prefix + key));
			const length = measured?.result ?? 0;
			if (length === 0) {
				return undefined;
			}

			const sinceMonoMs = ownTimers.now();
			const value = Buffer.allocUnsafeSlow(length);
			for (const {number, start, end} of piecesOf(length)) {
				// eslint-disable-next-line no-await-in-loop -- one after the other, so that other replies come in between
				const attempted = await guard.attempt('read', key, async () => pieces.read(prefix + key, number));
				// Removed or replaced by a shorter one meanwhile. Any other mixture of two values fails its checksum.
				if (attempted?.result.length !== end - start || !isInTime(sinceMonoMs, length)) {
					return undefined;
				}

				value.set(attempted.result, start);
			}

			return value;
		},
		async write(key, value, explain) {
			const partKey = `${prefix}${key}:${randomBytes(6).toString('base64url')}:part`;
			const sinceMonoMs = ownTimers.now();
			const {length} = value;
			for (const {number, start, end} of piecesOf(length)) {
				// eslint-disable-next-line no-await-in-loop -- one after the other, so that other commands go in between
				const attempted = await guard.attempt('write', key, async () => pieces.append(partKey, value.subarray(start, end), {number, length}, partLifeMs), {explain});
				const isTaken = attempted?.result === true;
				const isSlow = !isInTime(sinceMonoMs, length);
				if (isTaken && !isSlow) {
					continue;
				}

				if (isTaken) {
					guard.report(explain(new Error(`The store took less than ${leastBytesPerMs / 1000} MB/s`)));
				}

				discard(partKey);
				return undefined;
			}

			return partKey;
		},
		discard,
	};
};
