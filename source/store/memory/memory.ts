import {Buffer} from 'node:buffer';
import {createHints} from '../../types/hints.ts';
import {createLru} from '../../types/lru.ts';
import type {StoredRecord} from '../../types/stored.ts';
import {ownTimers} from '../ports/own-timers.ts';
import {createTexts} from './texts.ts';

/**
Records that a connection has read, decoded, in the memory of the process. Redis tells of each key that somebody changes or removes after it was read here (client tracking).
*/
export type MemoryTier = {
	get(key: string): StoredRecord | undefined;

	/** Whether nothing lies under a key, as far as memory knows. */
	isAbsent(key: string): boolean;

	/** A body as text, made once for as long as memory holds the body and has room. */
	text(body: Uint8Array, decode: () => string): string;

	/** Call before keys are read; then the result with what was found for each: `undefined` where that is not certain. */
	beginReading(keys: readonly string[]): (findings: ReadonlyArray<StoredRecord | 'absent' | undefined>) => void;

	/** The connection has answered: whatever Redis had to tell before has arrived. */
	confirmConnection(): void;

	invalidate(key: string): void;

	/** Drops a record. That there is none stays known. */
	forget(key: string): void;

	/** Forgets everything: the connection was lost, and with it what Redis had to tell. */
	lose(): void;
};

/** A connection can be dead without a sign of it. A record is trusted for so long after the last answer of the store. */
const leaseMs = 1000;

/** Redis tells when a key expires, at leisure; this is the longest that one is kept beyond. */
const longestStayMs = 60_000;

/** The bytes of a record beside its body, roughly. */
const recordOverhead = 800;
const markSize = 300;

/** The number of URLs that a process asks for again and again, though nothing of them may be stored. */
const maxAbsent = 10_000;

type Reading = {readers: number; invalidations: number};

export type MemoryTierOptions = {
	readonly nowMs?: () => number;
	/** Hears that the connection had better answer soon, for what is in use to be believed without a break. */
	readonly onProofDue?: () => void;
	/** Hears of each body that is kept as a copy. */
	readonly onCopy?: (body: Uint8Array, copy: Uint8Array) => void;
};

export const createMemoryTier = (maxBytes: number, {nowMs = () => ownTimers.now(), onProofDue, onCopy}: MemoryTierOptions = {}): MemoryTier => {
	const cache = createLru<StoredRecord>({
		max: maxBytes,
		weigh: sizeOf,
		ttlMs: longestStayMs,
		nowMs,
		onRemove(record) {
			if (record.kind === 'response') {
				texts.release(record.body);
			}
		},
	});
	const texts = createTexts(() => maxBytes - cache.weight);
	const absent = createHints<true>(maxAbsent, longestStayMs);
	const readings = new Map<string, Reading>();
	let losses = 0;
	let provedMs = -Infinity;

	const begin = (key: string): Reading => {
		const reading = readings.get(key) ?? {readers: 0, invalidations: 0};
		reading.readers++;
		readings.set(key, reading);
		return reading;
	};

	const end = (key: string, reading: Reading): void => {
		reading.readers--;
		if (reading.readers === 0) {
			readings.delete(key);
		}
	};

	const hold = (key: string, read: StoredRecord | 'absent'): void => {
		if (read === 'absent') {
			absent.set(key, true);
			return;
		}

		if (read.kind === 'response' && read.body.length > maxBytes) {
			return;
		}

		const record = ownBytes(read, onCopy);
		cache.set(key, record);
		// A record that is larger than the whole memory is not kept.
		if (record.kind === 'response' && cache.peek(key) === record) {
			texts.hold(record.body);
		}
	};

	const unprovenMs = () => nowMs() - provedMs;

	return {
		get(key) {
			const readMs = nowMs();
			const elapsedMs = readMs - provedMs;
			if (elapsedMs >= leaseMs) {
				return undefined;
			}

			const record = cache.get(key, readMs);
			if (record && elapsedMs >= leaseMs / 2) {
				onProofDue?.();
			}

			return record;
		},
		isAbsent: key => unprovenMs() < leaseMs && absent.has(key),
		text: texts.read,
		beginReading(keys) {
			const lossesBefore = losses;
			const begun = keys.map(key => {
				const reading = begin(key);
				return {key, reading, invalidationsBefore: reading.invalidations};
			});
			return findings => {
				for (const [position, {key, reading, invalidationsBefore}] of begun.entries()) {
					end(key, reading);
					const finding = findings[position];
					// Word of a change may be handled between a reply's arrival and this moment.
					if (finding !== undefined && losses === lossesBefore && reading.invalidations === invalidationsBefore) {
						hold(key, finding);
					}
				}
			};
		},
		confirmConnection() {
			provedMs = nowMs();
		},
		invalidate(key) {
			cache.delete(key);
			absent.delete(key);
			const reading = readings.get(key);
			if (reading !== undefined) {
				reading.invalidations++;
			}
		},
		forget(key) {
			cache.delete(key);
		},
		lose() {
			losses++;
			provedMs = -Infinity;
			cache.clear();
			absent.clear();
		},
	};
};

/** The body as it came is a view of whatever the socket read with it, which it would keep alive. */
const ownBytes = (record: StoredRecord, onCopy: MemoryTierOptions['onCopy']): StoredRecord => {
	if (record.kind !== 'response') {
		return record;
	}

	const body = Buffer.allocUnsafeSlow(record.body.length);
	body.set(record.body);
	onCopy?.(record.body, body);
	return {...record, body};
};

const sizeOf = (record: StoredRecord, key: string): number => {
	if (record.kind === 'version' || record.kind === 'guard') {
		return markSize + key.length;
	}

	if (record.kind === 'index') {
		return recordOverhead + key.length + (record.variants.length * 200);
	}

	return recordOverhead + key.length + record.url.length + record.rawHeaders.reduce((sum, text) => sum + text.length + 16, 0) + record.body.length;
};
