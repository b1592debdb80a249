import {failoverMemoryMs} from '../store/guard/failovers.ts';
import type {Purpose, Store, TimeToLive} from '../store/ports/store.ts';
import {unbounded} from '../store/with-budget.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredMark, StoredRecord} from '../types/stored.ts';
import {
	generationOf,
	hardPart,
	longestExchangeMs,
	newGeneration,
	type Marks,
} from './versions.ts';

/*
The generations that marks have now: as the store says, and as this process has changed them.
*/

/** Marks are kept so much longer than what they stand for: for what was asked for under them and is still on its way. */
export const spareMs = longestExchangeMs;

type Change = {
	readonly mark: StoredMark;
	readonly isSoft: boolean;
	/** Confirmed before: the change takes the place of that where the store does not know it any more. */
	readonly former?: StoredMark | undefined;
	/** The generation that it has taken the place of after a failover. Who has read it before does not go by it. */
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
	/** The marks that are being made: once for all who need them. */
	readonly making: Map<string, ReturnType<Store['update']>>;
	/** Marks that are there, as far as this process has seen to it. */
	readonly made: Hints<true>;
	/** Until when marks are kept at least, by name and generation. */
	readonly keptUntilMs: Hints<number>;
};

const maxHints = 10_000;

const bookkeepings = new WeakMap<Store, Bookkeeping>();

export const bookkeepingOf = (part: Store): Bookkeeping => {
	const store = unbounded(part);
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

/** Has what was confirmed lately confirmed again, each under another generation: whoever has changed a mark since is not to be undone. */
const doubt = ({confirmed, unconfirmed}: Bookkeeping): void => {
	for (const [name, {mark, isSoft}] of confirmed.entries()) {
		if (unconfirmed.has(name)) {
			continue;
		}

		const renewed = isSoft ? {...mark, softGeneration: newGeneration()} : {...mark, generation: newGeneration()};
		unconfirmed.set(name, {mark: renewed, isSoft, former: mark});
	}
};

const maxUnconfirmed = 10_000;

/** Whether the store knows a change that is doubted. */
const isKnown = ({isSoft, former}: Change, record: StoredRecord | undefined): boolean =>
	former !== undefined && record?.kind === 'mark' && (isSoft ? record.softGeneration === former.softGeneration : record.generation === former.generation);

const replacementOf = (confirmed: Bookkeeping['confirmed'], name: string, record: StoredRecord | undefined): Change | undefined => {
	const change = record === undefined || confirmed.size === 0 ? undefined : confirmed.peek(name);
	return change?.replaced === generationOf(record) ? change : undefined;
};

export const currentGeneration = ({unconfirmed, confirmed}: Bookkeeping, name: string, record: StoredRecord | undefined): string => {
	const change = unconfirmed.get(name) ?? replacementOf(confirmed, name, record);
	if (!change || isKnown(change, record)) {
		return generationOf(record);
	}

	return change.isSoft ? `${hardPart(generationOf(record))}.${change.mark.softGeneration}` : change.mark.generation;
};

/** What memory knows of marks: no I/O. */
export const peekMarks = (store: Store, names: readonly string[]): Marks => {
	const bookkeeping = bookkeepingOf(store);
	const marks = new Map<string, string>();
	for (const name of names) {
		const record = store.peek(name);
		if (record) {
			marks.set(name, currentGeneration(bookkeeping, name, record));
		}
	}

	return marks;
};

/** The generations in what was read of the store. */
export const marksIn = (store: Store, names: readonly string[], records: ReadonlyArray<StoredRecord | undefined>): Marks => {
	const bookkeeping = bookkeepingOf(store);
	if (bookkeeping.unconfirmed.size > 0) {
		void confirm(unbounded(store), bookkeeping);
	}

	return new Map(names.map((name, position) => [name, currentGeneration(bookkeeping, name, records[position])]));
};

export const readMarks = async (store: Store, names: readonly string[]): Promise<Marks> => marksIn(store, names, await store.get(names));

/** Of a mark as such, whatever is stored with it. One that is lost is as good as one that was changed, where marks are made for all; elsewhere those that were changed have to stay. */
export const ownTimeToLive = ({isAtomic}: Store): TimeToLive => isAtomic ? spareMs : 'forever';

/** @returns The change as it stands now; `undefined` if the store did not confirm it. */
const write = async (store: Store, name: string, change: Change, timeToLive: TimeToLive, purpose?: Purpose): Promise<Change | undefined> => {
	const {mark, isSoft, former} = change;
	if (!isSoft && !former) {
		return await store.set(name, mark, timeToLive, purpose) ? change : undefined;
	}

	const {softGeneration, purgedAtMs} = mark;
	let written: Change = {mark, isSoft};
	const updated = await store.update(name, current => {
		written = {mark, isSoft, replaced: former && current?.kind === 'mark' ? generationOf(current) : undefined};
		if (former && isKnown(change, current)) {
			written = {mark: former, isSoft};
			return undefined;
		}

		const kept: StoredMark = current?.kind === 'mark' ? current : {...mark, generation: store.isAtomic ? mark.generation : ''};
		return isSoft ? {...kept, softGeneration, purgedAtMs} : mark;
	}, current => isSoft && current?.kind === 'mark' ? 'keep' : timeToLive, purpose);

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
Purges all that a mark stands for, without a look at it. What is purged hard is never used again, what is purged softly is validated first, and may stand in for an error. What the store does not confirm holds in this process, and is tried again.

@returns Whether the store confirmed it.
*/
export const changeMark = async (store: Store, name: string, {isSoft, nowMs}: {readonly isSoft: boolean; readonly nowMs: number}, timeToLive = ownTimeToLive(store)): Promise<boolean> => {
	const bookkeeping = bookkeepingOf(store);
	const {unconfirmed, changedAlone} = bookkeeping;
	const mark: StoredMark = {kind: 'mark', generation: newGeneration(), softGeneration: isSoft ? newGeneration() : '', purgedAtMs: nowMs};
	const change: Change = {mark, isSoft};
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
