import {createHints, type Hints} from './hints.ts';
import {
	generationOf,
	hardPart,
	longestExchangeMs,
	newGeneration,
	type Marks,
} from './marks.ts';
import {unbounded} from './store/bounded.ts';
import type {Store, TimeToLive} from './store/store.ts';
import type {StoredMark, StoredRecord} from './stored.ts';

/*
The generations that marks have now: as the store says, and as this process has changed them.
*/

/** Marks are kept so much longer than what they stand for: for what was asked for under them and is still on its way. */
export const spareMs = longestExchangeMs;

type Change = {readonly mark: StoredMark; readonly isSoft: boolean};

export type Bookkeeping = {
	/** What the store has not confirmed of the changes that this process made: here they hold already. */
	readonly unconfirmed: Map<string, Change>;
	/** What was changed while memory stood in for a store: for that one, when it takes over. */
	readonly changedAlone: Map<string, Change>;
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

	const bookkeeping: Bookkeeping = {unconfirmed: new Map(), changedAlone: new Map(), isConfirming: false, making: new Map(), made: createHints(maxHints, spareMs / 2), keptUntilMs: createHints(maxHints)};
	bookkeepings.set(store, bookkeeping);
	return bookkeeping;
};

const maxUnconfirmed = 10_000;

export const currentGeneration = ({unconfirmed}: Bookkeeping, name: string, record: StoredRecord | undefined): string => {
	const change = unconfirmed.get(name);
	if (!change) {
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

const write = async (store: Store, name: string, {mark, isSoft}: Change, timeToLive: TimeToLive): Promise<boolean> => {
	if (!isSoft) {
		return store.set(name, mark, timeToLive);
	}

	const {softGeneration, purgedAtMs} = mark;
	return await store.update(name, current => {
		const kept: StoredMark = current?.kind === 'mark' ? current : {...mark, generation: store.isAtomic ? mark.generation : ''};
		return {...kept, softGeneration, purgedAtMs};
	}, current => current?.kind === 'mark' ? 'keep' : timeToLive) !== undefined;
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
		const isWritten = await write(store, name, change, ownTimeToLive(store));
		// The next one may lie on a node that is well.
		if (isWritten && unconfirmed.get(name) === change) {
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
	const {unconfirmed, changedAlone} = bookkeepingOf(store);
	const mark: StoredMark = {kind: 'mark', generation: newGeneration(), softGeneration: isSoft ? newGeneration() : '', purgedAtMs: nowMs};
	const change: Change = {mark, isSoft};
	remember(unconfirmed, name, change);
	const wasAlone = store.isAlone;
	const isWritten = await write(store, name, change, timeToLive);
	const isAlone = wasAlone || store.isAlone;
	if (isAlone) {
		remember(changedAlone, name, change);
	}

	if (isWritten && unconfirmed.get(name) === change) {
		unconfirmed.delete(name);
	}

	return isWritten && !isAlone;
};
