import type {Change, ChangeResult, Expectation, GuardedChanges} from '../ports/backend.ts';
import {guardLifeMs, purgeToken} from '../ports/guard-token.ts';
import type {Database} from './database.ts';
import {
	expiryAfter,
	findEntry,
	findGuard,
	hasStart,
	putGuard,
	putValue,
	removeKey,
	replaceStart,
	shortenGuard,
	type Entry,
} from './entries.ts';
import {isFull} from './sqlite-error.ts';
import type {Upkeep} from './upkeep.ts';

/** Runs work that writes under keys, in one transaction. */
export type Write = <Result>(keys: readonly string[], work: (database: Database) => Result) => Promise<Result>;

const isExpected = (expected: Expectation, entry: Entry | undefined): boolean => {
	if (typeof expected === 'string') {
		return expected === 'anything' || entry === undefined;
	}

	return hasStart(entry, {before: expected.start, length: expected.length});
};

const isMet = (database: Database, change: Change): boolean => {
	if (change.kind === 'replace-head') {
		const entry = findEntry(database, change.key);
		return hasStart(entry, change.change) && entry.start.length >= change.change.head.length;
	}

	return change.expected === 'anything' || isExpected(change.expected, findEntry(database, change.key));
};

/** @returns The bytes that it has written. */
const make = (database: Database, change: Change): number => {
	const {statement} = database;
	switch (change.kind) {
		case 'put': {
			putValue(database, change.key, change.value, change.ttlMs);
			return change.value.length;
		}

		case 'delete': {
			removeKey(database, change.key);
			return 0;
		}

		case 'move': {
			removeKey(database, change.key);
			statement('UPDATE entries SET key = ?, expires = ? WHERE key = ?').run(change.key, expiryAfter(change.ttlMs), change.partKey);
			return 0;
		}

		case 'replace-head': {
			const entry = findEntry(database, change.key);
			if (entry) {
				replaceStart(database, entry, change.change.head, change.ttlMs);
			}

			return change.change.head.length;
		}
	}
};

const makeAll = (database: Database, changes: readonly Change[]): ChangeResult & {readonly writtenBytes?: number} => {
	if (changes.some(change => change.kind === 'move' && !findEntry(database, change.partKey))) {
		return {kind: 'refused'};
	}

	const position = changes.findIndex(change => !isMet(database, change));
	if (position !== -1) {
		return {kind: 'conflict', position};
	}

	let writtenBytes = 0;
	for (const change of changes) {
		writtenBytes += make(database, change);
	}

	return {kind: 'done', writtenBytes};
};

const keysOf = (changes: readonly Change[]): readonly string[] => changes.flatMap(change => change.kind === 'move' ? [change.key, change.partKey] : [change.key]);

/**
@param range - The keys from the first to before the second are those of the namespace.
@returns The number of guards.
*/
export const replaceGuards = async (write: Write, range: readonly [string, string]): Promise<number> => write([], ({statement}) => {
	const {changes} = statement('UPDATE guards SET token = ?, expires = ? WHERE key >= ? AND key < ?').run(purgeToken(), Date.now() + guardLifeMs, ...range);
	return Number(changes);
});

/**
Each is one transaction. Where the disk is full, a purge does without a new guard: without one, writes that count on the former are refused as well.
*/
export const createGuardedChanges = (write: Write, upkeep: Upkeep): GuardedChanges => ({
	place: async (guardKey, token, ttlMs) => write([guardKey], database => {
		const known = findGuard(database, guardKey);
		if (known === undefined) {
			putGuard(database, guardKey, token, ttlMs);
		}

		return known ?? token;
	}),
	async commit({key, token, ttlMs}, changes) {
		for (const change of changes) {
			if (change.kind === 'put') {
				upkeep.refuseTooLarge(change.value.length);
			}
		}

		return write([key, ...keysOf(changes)], database => {
			if (findGuard(database, key) !== token) {
				return {kind: 'refused'};
			}

			const {writtenBytes = 0, ...result} = makeAll(database, changes);
			if (result.kind === 'done') {
				shortenGuard(database, key, ttlMs);
				upkeep.afterWrite(database, writtenBytes);
			}

			return result;
		});
	},
	async purge({key, token, ttlMs}, changes) {
		const purge = async (hasNewGuard: boolean) => write<ChangeResult>([key, ...keysOf(changes)], database => {
			const formerToken = findGuard(database, key);
			const {writtenBytes: _, ...result} = makeAll(database, changes);
			removeKey(database, key);
			if (hasNewGuard) {
				putGuard(database, key, token, ttlMs);
			}

			return result.kind === 'done' ? {...result, formerToken} : result;
		});

		try {
			return await purge(true);
		} catch (error) {
			if (isFull(error)) {
				return purge(false);
			}

			throw error;
		}
	},
});
