import {failoverMemoryMs} from '../store/guard/failovers.ts';
import type {Purpose, Store, TimeToLive} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredVersion, StoredRecord} from '../types/stored.ts';
import {
	versionOf,
	hardPart,
	longestExchangeMs,
	newVersion,
	type Versions,
} from './versions.ts';

/*
The versions that versions have now: as the store says, and as this process has changed them.
*/

/** Versions are kept so much longer than what they stand for: for what was asked for under them and is still on its way. */
export const spareMs = longestExchangeMs;

type Change = {
	readonly version: StoredVersion;
	readonly isSoft: boolean;
	/** Confirmed before: the change takes the place of that where the store does not know it any more. */
	readonly former?: StoredVersion | undefined;
	/** The version that it has taken the place of after a failover. Who has read it before does not go by it. */
	readonly replaced?: string | undefined;
};

export type Bookkeeping = {
	/** What the store has not confirmed of the changes that this process made: here they hold already. */
	readonly unconfirmed: Map<string, Change>;
	/** What was changed while memory stood in for a store: for that one, when it takes over. */
	readonly changedAlone: Map<string, Change>;
	/** What it has confirmed lately, and a failover may undo. */
	readonly confirmed: Hints<Change>;
	isConfirming: boolean;
	/** The versions that are being made: once for all who need them. */
	readonly making: Map<string, ReturnType<Store['update']>>;
	/** Versions that are there, as far as this process has seen to it. */
	readonly made: Hints<true>;
	/** Until when versions are kept at least, by name and version. */
	readonly keptUntilMs: Hints<number>;
};

const maxHints = 10_000;

const bookkeepings = new WeakMap<Store, Bookkeeping>();

export const bookkeepingOf = (part: Store): Bookkeeping => {
	const store = unbudgeted(part);
	const known = bookkeepings.get(store);
	if (known) {
		return known;
	}

	const bookkeeping: Bookkeeping = {unconfirmed: new Map(), changedAlone: new Map(), confirmed: createHints(maxHints, failoverMemoryMs), isConfirming: false, making: new Map(), made: createHints(maxHints, spareMs / 2), keptUntilMs: createHints(maxHints)};
	bookkeepings.set(store, bookkeeping);
	store.onDoubt(() => {
		doubt(bookkeeping);
		void confirm(store, bookkeeping);
	});
	return bookkeeping;
};

/** Has what was confirmed lately confirmed again, each under another version: whoever has changed a version since is not to be undone. */
const doubt = ({confirmed, unconfirmed}: Bookkeeping): void => {
	for (const [name, {version, isSoft}] of confirmed.entries()) {
		if (unconfirmed.has(name)) {
			continue;
		}

		const renewed = isSoft ? {...version, softVersion: newVersion()} : {...version, version: newVersion()};
		unconfirmed.set(name, {version: renewed, isSoft, former: version});
	}
};

const maxUnconfirmed = 10_000;

/** Whether the store knows a change that is doubted. */
const isKnown = ({isSoft, former}: Change, record: StoredRecord | undefined): boolean =>
	former !== undefined && record?.kind === 'version' && (isSoft ? record.softVersion === former.softVersion : record.version === former.version);

const replacementOf = (confirmed: Bookkeeping['confirmed'], name: string, record: StoredRecord | undefined): Change | undefined => {
	const change = record === undefined || confirmed.size === 0 ? undefined : confirmed.peek(name);
	return change?.replaced === versionOf(record) ? change : undefined;
};

export const currentVersion = ({unconfirmed, confirmed}: Bookkeeping, name: string, record: StoredRecord | undefined): string => {
	const change = unconfirmed.get(name) ?? replacementOf(confirmed, name, record);
	if (!change || isKnown(change, record)) {
		return versionOf(record);
	}

	return change.isSoft ? `${hardPart(versionOf(record))}.${change.version.softVersion}` : change.version.version;
};

/** What memory knows of versions: no I/O. */
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

/** The versions in what was read of the store. */
export const versionsIn = (store: Store, names: readonly string[], records: ReadonlyArray<StoredRecord | undefined>): Versions => {
	const bookkeeping = bookkeepingOf(store);
	if (bookkeeping.unconfirmed.size > 0) {
		void confirm(unbudgeted(store), bookkeeping);
	}

	return new Map(names.map((name, position) => [name, currentVersion(bookkeeping, name, records[position])]));
};

export const readVersions = async (store: Store, names: readonly string[]): Promise<Versions> => versionsIn(store, names, await store.get(names));

/** Of a version as such, whatever is stored with it. One that is lost is as good as one that was changed, where versions are made for all; elsewhere those that were changed have to stay. */
export const ownTimeToLive = ({isAtomic}: Store): TimeToLive => isAtomic ? spareMs : 'forever';

/** @returns The change as it stands now; `undefined` if the store did not confirm it. */
const write = async (store: Store, name: string, change: Change, timeToLive: TimeToLive, purpose?: Purpose): Promise<Change | undefined> => {
	const {version, isSoft, former} = change;
	if (!isSoft && !former) {
		return await store.set(name, version, timeToLive, purpose) ? change : undefined;
	}

	const {softVersion, purgedAtMs} = version;
	let written: Change = {version, isSoft};
	const updated = await store.update(name, current => {
		written = {version, isSoft, replaced: former && current?.kind === 'version' ? versionOf(current) : undefined};
		if (former && isKnown(change, current)) {
			written = {version: former, isSoft};
			return undefined;
		}

		const kept: StoredVersion = current?.kind === 'version' ? current : {...version, version: store.isAtomic ? version.version : ''};
		return isSoft ? {...kept, softVersion, purgedAtMs} : version;
	}, current => isSoft && current?.kind === 'version' ? 'keep' : timeToLive, purpose);

	return updated && written;
};

/** A soft purge takes nothing back from a hard one. */
const rememberConfirmed = ({confirmed}: Bookkeeping, name: string, change: Change): void => {
	const earlier = confirmed.get(name);
	if (!earlier || earlier.isSoft || !change.isSoft) {
		confirmed.set(name, change);
	}
};

/** What was changed in a store holds in another one that takes its place, and is written there. */
export const carryOver = (from: Store, to: Store): void => {
	const bookkeeping = bookkeepingOf(to);
	for (const [name, change] of [...bookkeepingOf(from).changedAlone, ...bookkeepingOf(from).unconfirmed]) {
		bookkeeping.unconfirmed.set(name, change);
	}

	void confirm(to, bookkeeping);
};

const confirm = async (store: Store, bookkeeping: Bookkeeping): Promise<void> => {
	const {unconfirmed} = bookkeeping;
	if (bookkeeping.isConfirming || !store.isHealthy) {
		return;
	}

	bookkeeping.isConfirming = true;
	for (const [name, change] of unconfirmed) {
		// eslint-disable-next-line no-await-in-loop -- the store has just been ill
		const written = await write(store, name, change, ownTimeToLive(store));
		// The next one may lie on a node that is well.
		if (!written) {
			continue;
		}

		rememberConfirmed(bookkeeping, name, written);
		if (unconfirmed.get(name) === change) {
			unconfirmed.delete(name);
		}
	}

	bookkeeping.isConfirming = false;
};

/** A soft purge takes nothing back from a hard one. */
const remember = (changes: Map<string, Change>, name: string, change: Change): void => {
	const earlier = changes.get(name);
	changes.set(name, earlier && change.isSoft && !earlier.isSoft ? earlier : change);
	for (const oldest of changes.keys().take(Math.max(0, changes.size - maxUnconfirmed))) {
		changes.delete(oldest);
	}
};

/**
Purges all that a version stands for, without a look at it. What is purged hard is never used again, what is purged softly is validated first, and may stand in for an error. What the store does not confirm holds in this process, and is tried again.

@returns Whether the store confirmed it.
*/
export const changeVersion = async (store: Store, name: string, {isSoft, nowMs}: {readonly isSoft: boolean; readonly nowMs: number}, timeToLive = ownTimeToLive(store)): Promise<boolean> => {
	const bookkeeping = bookkeepingOf(store);
	const {unconfirmed, changedAlone} = bookkeeping;
	const version: StoredVersion = {kind: 'version', version: newVersion(), softVersion: isSoft ? newVersion() : '', purgedAtMs: nowMs};
	const change: Change = {version, isSoft};
	remember(unconfirmed, name, change);
	const wasAlone = store.isAlone;
	const isWritten = await write(store, name, change, timeToLive, isSoft ? 'soft purge' : 'purge') !== undefined;
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

	return isWritten && !isAlone;
};
