import {longestExchangeMs} from '../store/ports/guard-token.ts';
import type {Purpose, TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import type {StoreTraits} from '../store/ports/traits.ts';
import type {Hints} from '../types/hints.ts';
import type {StoredRecord, StoredVersion} from '../types/stored.ts';
import {switchIn, timeToLiveWith, withSwitchOf, writeSwitch, type Switches} from './switches.ts';
import {isOriginVersionKey, newVersion, versionOf} from './versions.ts';

/*
The changes of versions that this process makes, which it remembers until the store has confirmed them, and longer, for a failover may undo them.
*/

/** The extra time that a version outlives its responses, so that exchanges in progress can still be checked against it. */
export const spareMs = longestExchangeMs;

export type Change = {
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

/** Confirms recent changes again after a failover. Each gets a new version, so that a later change by another process is not undone. */
export const doubt = ({confirmed, unconfirmed}: Bookkeeping): void => {
	for (const [name, {version, isSoft}] of confirmed.entries()) {
		if (unconfirmed.has(name)) {
			continue;
		}

		const renewed = isSoft ? {...version, softVersion: newVersion()} : {...version, version: newVersion()};
		unconfirmed.set(name, {version: renewed, isSoft, former: version});
	}
};

/** Whether the store still has a change that a failover put in doubt. */
export const isKnown = ({isSoft, former}: Change, record: StoredRecord | undefined): boolean =>
	former !== undefined && record?.kind === 'version' && (isSoft ? record.softVersion === former.softVersion : record.version === former.version);

/** The time to live of a version without stored responses. Atomic stores create a version for every origin and tag, so that a lost version counts as changed. Other stores have versions only for what was purged, so that these must stay. */
export const ownTimeToLive = ({isAtomic}: StoreTraits): TimeToLive => isAtomic ? spareMs : 'forever';

type Writing = {
	readonly name: string;
	readonly change: Change;
	readonly purpose?: Purpose;
};

/** @returns The change as written; `undefined` if the store did not confirm it. */
export const write = async (store: Store, {switches}: Bookkeeping, writing: Writing): Promise<Change | undefined> => {
	const {name, change, purpose} = writing;
	const {version, isSoft, former} = change;
	// The version of an origin may have a switch, which a purge does not end.
	const isReplaced = isSoft || former !== undefined || isOriginVersionKey(name);
	const updated = isReplaced ? await replace(store, writing) : undefined;
	if (updated !== undefined || isSoft || former !== undefined) {
		return updated;
	}

	// Without a script, a switch is carried over that this process knows.
	const originSwitch = switches.known.get(name);
	const isWritten = await store.set(name, originSwitch ? {...version, originSwitch} : version, timeToLiveWith(originSwitch, ownTimeToLive(store)), purpose);

	return isWritten ? change : undefined;
};

/** Writes a change in place of the version that is there, of which it keeps what it does not change. */
const replace = async (store: Store, {name, change, purpose}: Writing): Promise<Change | undefined> => {
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
	}, current => isSoft && current?.kind === 'version' ? 'keep' : timeToLiveWith(switchIn(current), ownTimeToLive(store)), purpose);

	return updated && written;
};

/** A soft purge takes nothing back from a hard one. */
export const rememberConfirmed = ({confirmed}: Bookkeeping, name: string, change: Change): void => {
	const earlier = confirmed.get(name);
	if (!earlier || earlier.isSoft || !change.isSoft) {
		confirmed.set(name, change);
	}
};

const maxUnconfirmed = 10_000;

/** A soft purge takes nothing back from a hard one. */
export const remember = (changes: Map<string, Change>, name: string, change: Change): void => {
	const earlier = changes.get(name);
	changes.set(name, earlier && change.isSoft && !earlier.isSoft ? earlier : change);
	for (const oldest of changes.keys().take(Math.max(0, changes.size - maxUnconfirmed))) {
		changes.delete(oldest);
	}
};

/** Writes what the store has not confirmed. */
export const confirm = async (store: Store, bookkeeping: Bookkeeping): Promise<void> => {
	const {unconfirmed, switches} = bookkeeping;
	if (bookkeeping.isConfirming || !store.isHealthy) {
		return;
	}

	bookkeeping.isConfirming = true;
	for (const [name, change] of unconfirmed) {
		// eslint-disable-next-line no-await-in-loop -- the store has only just recovered
		const written = await write(store, bookkeeping, {name, change});
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
