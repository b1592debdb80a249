import {failoverMemoryMs} from '../store/guard/failovers.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';
import type {StoredVersion, StoredRecord} from '../types/stored.ts';
import {carrySwitches, createSwitches, learnSwitch} from './switches.ts';
import {
	confirm,
	doubt,
	isKnown,
	remember,
	rememberConfirmed,
	spareMs,
	write,
	type Bookkeeping,
	type Change,
} from './version-changes.ts';
import {versionOf, hardPart, newVersion, type Versions} from './versions.ts';

/*
The current versions: the store's, with the changes of this process on top.
*/

const maxHints = 10_000;

const bookkeepings = new WeakMap<Store, Bookkeeping>();

export const bookkeepingOf = (part: Store): Bookkeeping => {
	const store = unbudgeted(part);
	const known = bookkeepings.get(store);
	if (known) {
		return known;
	}

	const bookkeeping: Bookkeeping = {
		unconfirmed: new Map(),
		changedAlone: new Map(),
		confirmed: createHints(maxHints, failoverMemoryMs),
		isConfirming: false,
		isWaitingToConfirm: false,
		making: new Map(),
		made: createHints(maxHints, spareMs / 2),
		keptUntilMs: createHints(maxHints),
		switches: createSwitches(),
	};
	bookkeepings.set(store, bookkeeping);
	store.onDoubt(() => {
		doubt(bookkeeping);
		void confirm(store, bookkeeping);
	});
	return bookkeeping;
};

const replacementOf = (confirmed: Bookkeeping['confirmed'], name: string, record: StoredRecord | undefined): Change | undefined => {
	const change = record === undefined || confirmed.size === 0 ? undefined : confirmed.peek(name);
	return change?.replaced === versionOf(record) ? change : undefined;
};

/** The version that counts in this process. Each version record that is read comes by here, so that its switch is learned. */
export const currentVersion = ({unconfirmed, confirmed, switches}: Bookkeeping, name: string, record: StoredRecord | undefined): string => {
	learnSwitch(switches, name, record);
	const change = unconfirmed.get(name) ?? replacementOf(confirmed, name, record);
	if (!change || isKnown(change, record)) {
		return versionOf(record);
	}

	return change.isSoft ? `${hardPart(versionOf(record))}.${change.version.softVersion}` : change.version.version;
};

/** The versions that the memory tier knows, without I/O. */
export const peekVersions = (store: Store, names: readonly string[]): Versions => {
	const bookkeeping = bookkeepingOf(store);
	const versions = new Map<string, string>();
	for (const name of names) {
		const record = store.peek(name);
		if (record) {
			versions.set(name, currentVersion(bookkeeping, name, record));
		}
	}

	return versions;
};

/** The current versions for records that were read from the store. */
export const versionsIn = (store: Store, names: readonly string[], records: ReadonlyArray<StoredRecord | undefined>): Versions => {
	const bookkeeping = bookkeepingOf(store);
	const versions = new Map(names.map((name, position) => [name, currentVersion(bookkeeping, name, records[position])]));
	if (bookkeeping.unconfirmed.size > 0 || bookkeeping.switches.unwritten.size > 0) {
		void confirm(unbudgeted(store), bookkeeping);
	}

	return versions;
};

export const readVersions = async (store: Store, names: readonly string[]): Promise<Versions> => versionsIn(store, names, await store.get(names));

/** Applies the unconfirmed changes of one store to the store that replaces it. */
export const carryOver = (from: Store, to: Store): void => {
	const bookkeeping = bookkeepingOf(to);
	for (const [name, change] of [...bookkeepingOf(from).changedAlone, ...bookkeepingOf(from).unconfirmed]) {
		bookkeeping.unconfirmed.set(name, change);
	}

	carrySwitches(bookkeepingOf(from).switches, bookkeeping.switches);
	void confirm(to, bookkeeping);
};

const retryMs = 1000;

/** Tries again in a second, until the store confirms: a process that makes no requests, such as the inspector, would not notice that the store has recovered. */
export const confirmLater = (part: Store): void => {
	const store = unbudgeted(part);
	const bookkeeping = bookkeepingOf(store);
	const isConfirmed = bookkeeping.unconfirmed.size === 0 && bookkeeping.switches.unwritten.size === 0;
	if (isConfirmed || bookkeeping.isWaitingToConfirm || store.health().state === 'closed') {
		return;
	}

	bookkeeping.isWaitingToConfirm = true;
	const tryAgain = async () => {
		await confirm(store, bookkeeping);
		bookkeeping.isWaitingToConfirm = false;
		confirmLater(store);
	};

	inBackground(ownTimers.setTimeout(() => {
		void tryAgain();
	}, retryMs));
};

/**
Purges all responses of a version without looking for them. A hard purge ends their use; after a soft purge they must be validated first, and may still replace an error. A change that the store does not confirm applies in this process and is tried again.

@returns Whether the store confirmed the change.
*/
export const changeVersion = async (store: Store, name: string, {isSoft, nowMs}: {readonly isSoft: boolean; readonly nowMs: number}): Promise<boolean> => {
	const bookkeeping = bookkeepingOf(store);
	const {unconfirmed, changedAlone} = bookkeeping;
	const version: StoredVersion = {kind: 'version', version: newVersion(), softVersion: isSoft ? newVersion() : '', purgedAtMs: nowMs};
	const change: Change = {version, isSoft};
	remember(unconfirmed, name, change);
	const wasAlone = store.isAlone;
	const isWritten = await write(store, bookkeeping, {name, change, purpose: isSoft ? 'soft purge' : 'purge'}) !== undefined;
	const isAlone = wasAlone || store.isAlone;
	if (isAlone) {
		remember(changedAlone, name, change);
	}

	if (isWritten) {
		rememberConfirmed(bookkeeping, name, change);
	}

	if (isWritten && unconfirmed.get(name) === change) {
		unconfirmed.delete(name);
	}

	if (!isWritten) {
		confirmLater(store);
	}

	return isWritten && !isAlone;
};
