import {
	bookkeepingOf,
	currentGeneration,
	marksIn,
	ownTimeToLive,
	peekMarks,
	spareMs,
	type Bookkeeping,
} from './generations.ts';
import {
	isChangedSince,
	isOlderThan,
	longestExchangeMs,
	markKeysOf,
	newGeneration,
	noMarks,
	resourceMark,
	type MarklessReason,
	type Marks,
} from './marks.ts';
import {toTtlMs} from './store/backend.ts';
import {unbounded} from './store/bounded.ts';
import type {Store, TimeToLive} from './store/store.ts';
import type {StoredRecord, StoredResponse} from './stored.ts';

/*
A mark has to be there before what it stands for is asked for, or else a purge meanwhile would not show, and to outlive what is stored.
*/

const keepScript = `
	local left = redis.call('PTTL', KEYS[1])
	if left >= 0 and ARGV[1] == '' then redis.call('PERSIST', KEYS[1])
	elseif left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
	return 1
`;

/** There may be as many paths as responses. */
const spareMsOf = (name: string): number => name.startsWith('{path:') ? longestExchangeMs : spareMs;

/** For a mark that is written together with what it stands for. */
export const timeToLiveOfMark = (store: Store, name: string, timeToLive: TimeToLive): TimeToLive => {
	bookkeepingOf(store).keptUntilMs.delete(name);
	return timeToLive === 'forever' ? timeToLive : timeToLive + (store.command ? spareMsOf(name) : spareMs);
};

/** Has marks outlive what they stand for: without them it would be good for nothing. */
export const keepMarks = (store: Store, names: readonly string[], timeToLive: TimeToLive, nowMs: number): void => {
	const {command} = store;
	if (!command) {
		return;
	}

	const {keptUntilMs} = bookkeepingOf(store);
	const neededUntilMs = timeToLive === 'forever' ? Infinity : nowMs + timeToLive;
	for (const name of names) {
		if (!((keptUntilMs.get(name) ?? 0) < neededUntilMs)) {
			continue;
		}

		const sparedMs = spareMsOf(name);
		keptUntilMs.set(name, neededUntilMs + sparedMs);
		void command(name, wireKey => ['EVAL', keepScript, '1', wireKey, String(toTtlMs(timeToLive === 'forever' ? timeToLive : timeToLive + sparedMs) ?? '')]);
	}
};

type Reading = {
	/** The marks as they were before the response was asked for. */
	readonly seen: Marks;
	readonly requestTimeMs: number;
};

const make = async (store: Store, name: string): Promise<{readonly record: StoredRecord | undefined} | undefined> =>
	store.update(name, current => current?.kind === 'mark' ? undefined : {kind: 'mark', generation: newGeneration(), softGeneration: '', purgedAtMs: 0}, ownTimeToLive(store));

/** For all who need it, whoever of them gives up. */
const makeOnce = async (part: Store, {making}: Bookkeeping, name: string): ReturnType<typeof make> => {
	const store = unbounded(part);
	const record = await make(store, name);
	making.delete(name);
	return record;
};

/** Whether there is none of them to make. */
export const areMade = (store: Store, names: readonly string[]): boolean => {
	const {keptUntilMs} = bookkeepingOf(store);

	return !store.isAtomic || names.every(name => keptUntilMs.has(name));
};

/** Makes the marks that there may be none of yet: the first time that this process needs them, beside what it waits for anyway. */
export const ensureMarks = async (store: Store, names: readonly string[], nowMs: number): Promise<Marks> => {
	const bookkeeping = bookkeepingOf(store);
	const {keptUntilMs} = bookkeeping;
	const unknown = store.isAtomic ? names.filter(name => !keptUntilMs.has(name)) : [];
	if (unknown.length === 0) {
		return noMarks;
	}

	const made = await Promise.all(unknown.map(async name => {
		const making = bookkeeping.making.get(name) ?? makeOnce(store, bookkeeping, name);
		bookkeeping.making.set(name, making);
		return store.patiently ? store.patiently(making, undefined) : making;
	}));
	const marks = new Map<string, string>();
	for (const [position, name] of unknown.entries()) {
		const record = made[position]?.record;
		if (record === undefined) {
			continue;
		}

		marks.set(name, currentGeneration(bookkeeping, name, record));
		keptUntilMs.set(name, nowMs);
	}

	return marks;
};

/** The marks of a response that nobody expected it to have. */
const learn = async (store: Store, names: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined> | undefined> => {
	const records = await store.get(names);
	if (!store.isAtomic) {
		return records;
	}

	const made = await Promise.all(names.map(async (name, position) => {
		const record = records[position];
		return record?.kind === 'mark' || name.endsWith(resourceMark('')) ? {record} : make(store, name);
	}));

	return made.every(each => each !== undefined) ? made.map(({record}) => record) : undefined;
};

/**
The generations to store with a response, those from before it was asked for.

Of a mark that was not looked at then, because nobody knew that the response would have it, the present generation will do if nobody changed it since.

@returns Or why there are none.
*/
export const generationsFor = async (store: Store, {seen, requestTimeMs}: Reading, {key, stored, timeToLive, nowMs}: {readonly key: string; readonly stored: StoredResponse; readonly timeToLive: TimeToLive; readonly nowMs: number}): Promise<readonly string[] | MarklessReason> => {
	if (!store.isHealthy) {
		return 'store-unavailable';
	}

	const names = markKeysOf(key, stored);
	// It would be of no use, and take the place of what is newer.
	if (isChangedSince(seen, peekMarks(store, names))) {
		return 'invalidated';
	}

	const [own = '', ...shared] = names;
	const unknown = names.filter(name => !seen.has(name) || (store.isAtomic && name !== own && seen.get(name) === ''));
	const records = unknown.length === 0 ? [] : await learn(store, unknown);
	if (!records) {
		return 'store-unavailable';
	}

	if (records.some(record => !isOlderThan(record, requestTimeMs))) {
		return 'invalidated';
	}

	keepMarks(store, shared, timeToLive, nowMs);
	const known = new Map([...seen, ...marksIn(store, unknown, records)]);

	return names.map(name => known.get(name) ?? '');
};
