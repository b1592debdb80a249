import type {StoredRecord} from '../../types/stored.ts';
import {longBodyBytes} from '../ports/long-keys.ts';

/** Values that could not be read in time are not written at once: that would be as much again for the same connection. */
export const largeBytes = 65_536;

const recordSize = 512;

/** The bytes of a record that waits to be written, roughly. */
export const sizeOf = (record: StoredRecord): number => recordSize + (record.kind === 'response' ? record.body.length : 0);

/** Long bodies that wait to be written do not hold up others. */
const laneOf = (bytes: number): 'short' | 'long' => bytes < longBodyBytes ? 'short' : 'long';

const defaultQueueBytes = 32 * 1024 * 1024;

/**
The records that wait to be written, in bytes: long bodies, and apart from these all others.
*/
export type WriteQueue = {
	/**
	A record that is longer than the whole queue is let in alone.

	@returns How to leave, once; `undefined` where too much waits already.
	*/
	enter(bytes: number): (() => void) | undefined;

	/** Counts anew: what a store that was gone never answers would stay for ever. */
	restart(): void;
};

export const createWriteQueue = (maxBytes: number = defaultQueueBytes): WriteQueue => {
	let queue = {short: 0, long: 0};

	return {
		enter(bytes) {
			const entered = queue;
			const lane = laneOf(bytes);
			if (entered[lane] > 0 && entered[lane] + bytes > maxBytes) {
				return undefined;
			}

			entered[lane] += bytes;
			return () => {
				entered[lane] -= bytes;
			};
		},
		restart() {
			queue = {short: 0, long: 0};
		},
	};
};
