import type {StoreTraits} from '../store/ports/traits.ts';
import {longestExchangeMs} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {failoverMemoryMs} from '../store/guard/failovers.ts';
import type {Purpose, TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import {inBackground} from '../types/background.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredVersion, StoredRecord} from '../types/stored.ts';
import {
	carrySwitches,
	createSwitches,
	learnSwitch,
	switchIn,
	timeToLiveWith,
	withSwitchOf,
	writeSwitch,
	type Switches,
} from './switches.ts';
import {
	versionOf,
	hardPart,
	isOriginVersionKey,
	newVersion,
	type Versions,
} from './versions.ts';

/*
The current versions: the store's, with the changes of this process on top.
*/

/** The extra time that a version outlives its responses, so that exchanges in progress can still be checked against it. */
export const spareMs = longestExchangeMs;

type Change = {
	readonly version: StoredVersion;
	readonly isSoft: boolean;
	/** The version that the store had confirmed before a failover. The change replaces it only if the store has lost it. */
	readonly former?: StoredVersion | undefined;
	/** The version that this change replaced after a failover. A process that has read that version must not rely on it. */
	readonly replaced?: string | undefined;
};

export type Bookkeeping = {
	/** Changes of this process that the store has not confirmed yet. They already apply in this process. */
	readonly unconfirmed: Map<string, Change>;
	/** Changes made while memory replaced a store. They are written to the store when it takes over. */
	readonly changedAlone: Map<string, Change>;
	/** Changes that the store confirmed recently, and that a failover may undo. */
	readonly confirmed: Hints<Change>;
	isConfirming: boolean;
	/** Whether a timer will try again what the store has not confirmed. */
	isWaitingToConfirm: boolean;
	/** Versions that are being created. Concurrent callers share one write. */
	readonly making: Map<string, ReturnType<Store['update']>>;
	/** The versions that this process knows to exist in the store. */
	readonly made: Hints<true>;
	/** The time until which versions are kept at least, by name and version. */
	readonly keptUntilMs: Hints<number>;
	/** The switches of origins. */
	readonly switches: Switches;
};

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

/** Confirms recent changes again after a failover. Each gets a new version, so that a later change by another process is not undone. */
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

/** Whether the store still has a change that a failover put in doubt. */
const isKnown = ({isSoft, former}: Change, record: StoredRecord | undefined): boolean =>
	former !== undefined && record?.kind === 'version' && (isSoft ? record.softVersion === former.softVersion : record.version === former.version);

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

/** The time to live of a version without stored responses. Atomic stores create a version for every origin and tag, so that a lost version counts as changed. Other stores have versions only for what was purged, so that these must stay. */
export const ownTimeToLive = ({isAtomic}: StoreTraits): TimeToLive => isAtomic ? spareMs : 'forever';

type WriteOptions = {
	readonly timeToLive: TimeToLive;
	readonly purpose?: Purpose;
};

/** @returns The change as written; `undefined` if the store did not confirm it. */
const write = async (store: Store, name: string, change: Change, {timeToLive, purpose}: WriteOptions): Promise<Change | undefined> => {
	const {version, isSoft, former} = change;
	// The version of an origin may have a switch, which a purge does not end.
	const isReplaced = isSoft || former !== undefined || isOriginVersionKey(name);
	const updated = isReplaced ? await replace(store, name, change, {timeToLive, purpose}) : undefined;
	if (updated !== undefined || isSoft || former !== undefined) {
		return updated;
	}

	// Without a script, a switch is carried over that this process knows.
	const originSwitch = bookkeepingOf(store).switches.known.get(name);
	const isWritten = await store.set(name, originSwitch ? {...version, originSwitch} : version, timeToLiveWith(originSwitch, timeToLive), purpose);

	return isWritten ? change : undefined;
};

/** Writes a change in place of the version that is there, of which it keeps what it does not change. */
const replace = async (store: Store, name: string, change: Change, {timeToLive, purpose}: WriteOptions): Promise<Change | undefined> => {
	const {version, isSoft, former} = change;
	const {softVersion, purgedAtMs} = version;
	let written: Change = {version, isSoft};
	const updated = await store.update(name, current => {
		written = {version, isSoft, replaced: former && current?.kind === 'version' ? versionOf(current) : undefined};
		if (former && isKnown(change, current)) {
			written = {version: former, isSoft};
			return undefined;
		}

		const kept: StoredVersion = current?.kind === 'version' ? current : {...version, version: store.isAtomic ? version.version : ''};
		return isSoft ? {...kept, softVersion, purgedAtMs} : withSwitchOf(version, current);
	}, current => isSoft && current?.kind === 'version' ? 'keep' : timeToLiveWith(switchIn(current), timeToLive), purpose);

	return updated && written;
};

/** A soft purge takes nothing back from a hard one. */
const rememberConfirmed = ({confirmed}: Bookkeeping, name: string, change: Change): void => {
	const earlier = confirmed.get(name);
	if (!earlier || earlier.isSoft || !change.isSoft) {
		confirmed.set(name, change);
	}
};

/** Applies the unconfirmed changes of one store to the store that replaces it. */
export const carryOver = (from: Store, to: Store): void => {
	const bookkeeping = bookkeepingOf(to);
	for (const [name, change] of [...bookkeepingOf(from).changedAlone, ...bookkeepingOf(from).unconfirmed]) {
		bookkeeping.unconfirmed.set(name, change);
	}

	carrySwitches(bookkeepingOf(from).switches, bookkeeping.switches);
	void confirm(to, bookkeeping);
};

const confirm = async (store: Store, bookkeeping: Bookkeeping): Promise<void> => {
	const {unconfirmed, switches} = bookkeeping;
	if (bookkeeping.isConfirming || !store.isHealthy) {
		return;
	}

	bookkeeping.isConfirming = true;
	for (const [name, change] of unconfirmed) {
		// eslint-disable-next-line no-await-in-loop -- the store has only just recovered
		const written = await write(store, name, change, {timeToLive: ownTimeToLive(store)});
		// The next version may be on a healthy node.
		if (!written) {
			continue;
		}

		rememberConfirmed(bookkeeping, name, written);
		if (unconfirmed.get(name) === change) {
			unconfirmed.delete(name);
		}
	}

	for (const name of switches.unwritten.keys()) {
		// eslint-disable-next-line no-await-in-loop
		await writeSwitch(store, switches, name, ownTimeToLive(store));
	}

	bookkeeping.isConfirming = false;
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

/** A soft purge takes nothing back from a hard one. */
const remember = (changes: Map<string, Change>, name: string, change: Change): void => {
	const earlier = changes.get(name);
	changes.set(name, earlier && change.isSoft && !earlier.isSoft ? earlier : change);
	for (const oldest of changes.keys().take(Math.max(0, changes.size - maxUnconfirmed))) {
		changes.delete(oldest);
	}
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
	const isWritten = await write(store, name, change, {timeToLive: ownTimeToLive(store), purpose: isSoft ? 'soft purge' : 'purge'}) !== undefined;
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
