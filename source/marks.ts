import {hash, randomBytes} from 'node:crypto';
import {createHints, type Hints} from './hints.ts';
import {unbounded} from './store/bounded.ts';
import type {Store, TimeToLive} from './store/store.ts';
import type {StoredMark, StoredRecord, StoredResponse} from './stored.ts';

/*
Purging without looking for what is to go. A mark stands for all responses of a resource, an origin, a tag or a cache group, and has a generation: a random name. A stored response carries the generations that its marks had before it was asked for, and holds as long as they are the same. To purge is to give a mark another generation.
*/

/** Generations by the key of the mark. */
export type Marks = ReadonlyMap<string, string>;

export const noMarks: Marks = new Map();

/** What purging does: what is purged hard is never used again, what is purged softly is validated first, and may stand in for an error. */
export type PurgeOptions = {
	readonly isSoft: boolean;
};

/** A resource's own mark guards against what is on its way while the resource is purged; what takes longer than this is not stored. */
export const longestExchangeMs = 3_600_000;

/** Marks are kept so much longer than what they stand for. */
const spareMs = 30 * 86_400_000;

/** How far the clocks of a fleet may be apart. */
const clockToleranceMs = 60_000;

export const newGeneration = () => randomBytes(6).toString('base64url');

const keys = createHints<string>(10_000);

const markKey = (kind: 'origin' | 'tag' | 'group' | 'path', name: string): string => {
	const id = `${kind} ${name}`;
	let key = keys.get(id);
	if (key === undefined) {
		key = `{${kind}:${hash('sha256', name, 'base64url').slice(0, 22)}}`;
		keys.set(id, key);
	}

	return key;
};

/** Of a URL that is absolute and normalised, as far as its path. */
const originOf = (url: string): string => {
	const end = url.indexOf('/', url.indexOf('//') + 2);
	return end === -1 ? url : url.slice(0, end);
};

// Most requests of a process are to the same few, and each needs it more than once.
let lastOrigin = {origin: '', mark: ''};

export const originMark = (url: string): string => {
	const origin = originOf(url);
	if (lastOrigin.origin !== origin) {
		lastOrigin = {origin, mark: markKey('origin', origin)};
	}

	return lastOrigin.mark;
};

export const tagMark = (tag: string): string => markKey('tag', tag);
/** RFC 9875 §2: a group is one of its origin's. */
export const groupMark = (url: string, group: string): string => markKey('group', `${originOf(url)} ${group}`);

/** Of all URLs that differ in their query alone: it says which of them are equivalent. */
export const pathMark = (url: string): string => markKey('path', pathOf(url));

export const pathOf = (url: string): string => {
	const queryStart = url.indexOf('?');
	return queryStart === -1 ? url : url.slice(0, queryStart);
};

/** Whether what is stored under a key is stored for all equivalent URLs. */
export const isForEquivalents = (key: string): boolean => key.startsWith('{?');

/** In the slot of the resource. */
export const resourceMark = (key: string): string => `${key}:purged`;

/** Of a stored response, in the order of its `marks`. */
export const markKeysOf = (key: string, {url, tags, groups, marks}: Pick<StoredResponse, 'url' | 'tags' | 'groups' | 'marks'>): string[] => {
	const names = [
		resourceMark(key),
		originMark(url),
		...tags.map(tag => tagMark(tag)),
		...groups.map(group => groupMark(url, group)),
	];
	// An encrypted name of a key does not tell.
	if (isForEquivalents(key) || marks.length > names.length) {
		names.push(pathMark(url));
	}

	return names;
};

/** As it is stored with a response; empty where there is no mark. */
export const generationOf = (record: StoredRecord | undefined): string => {
	if (record?.kind !== 'mark') {
		return '';
	}

	return record.softGeneration === '' ? record.generation : `${record.generation}.${record.softGeneration}`;
};

/** Without what was purged softly. */
const hardPart = (generation: string): string => generation.split('.', 1)[0] ?? '';

/**
What becomes of a stored response by its marks: nothing, or it is marked invalid, or it is not there any more.

@param names - The keys of its marks.
@returns `undefined` where it is purged, or where it is not known whether it is.
*/
export const heed = (names: readonly string[], stored: StoredResponse, current: Marks): StoredResponse | undefined => {
	let isSoftlyPurged = false;
	for (const [position, name] of names.entries()) {
		const now = current.get(name);
		const then = stored.marks[position];
		// The mark of a resource outlives only what is on its way: what was stored was deleted.
		if (now === then || (position === 0 && !now)) {
			continue;
		}

		if (now === undefined || then === undefined || hardPart(now) !== hardPart(then)) {
			return undefined;
		}

		isSoftlyPurged = true;
	}

	return isSoftlyPurged ? {...stored, policy: {...stored.policy, isInvalidated: true}} : stored;
};

/** Whether a response that another request was given is older than a purge that this one has seen. */
export const isPurgedBefore = (seen: Marks, key: string, stored: StoredResponse): boolean =>
	markKeysOf(key, stored).some((name, position) => Boolean(seen.get(name)) && seen.get(name) !== stored.marks[position]);

type Change = {readonly mark: StoredMark; readonly isSoft: boolean};

type Bookkeeping = {
	/** What the store has not confirmed of the changes that this process made: here they hold already. */
	readonly unconfirmed: Map<string, Change>;
	isConfirming: boolean;
	/** The marks that are being made: once for all who need them. */
	readonly making: Map<string, ReturnType<typeof make>>;
	/** Until when marks are kept at least, as far as this process has seen to it. */
	readonly keptUntilMs: Hints<number>;
};

const bookkeepings = new WeakMap<Store, Bookkeeping>();

const bookkeepingOf = (part: Store): Bookkeeping => {
	const store = unbounded(part);
	const known = bookkeepings.get(store);
	if (known) {
		return known;
	}

	const bookkeeping: Bookkeeping = {unconfirmed: new Map(), isConfirming: false, making: new Map(), keptUntilMs: createHints(10_000)};
	bookkeepings.set(store, bookkeeping);
	return bookkeeping;
};

const maxUnconfirmed = 10_000;

const currentGeneration = ({unconfirmed}: Bookkeeping, name: string, record: StoredRecord | undefined): string => {
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

/** A mark that is lost is as good as one that was changed, where marks are made for all; elsewhere those that were changed have to stay. */
const purgedTimeToLive = ({command}: Store): TimeToLive => command ? spareMs : 'forever';

const write = async (store: Store, name: string, {mark, isSoft}: Change, timeToLive: TimeToLive): Promise<boolean> => {
	if (!isSoft) {
		return store.set(name, mark, timeToLive);
	}

	const {softGeneration, purgedAtMs} = mark;
	return await store.update(name, current => {
		const kept: StoredMark = current?.kind === 'mark' ? current : {...mark, generation: store.isAtomic ? mark.generation : ''};
		return {...kept, softGeneration, purgedAtMs};
	}, timeToLive) !== undefined;
};

const confirm = async (store: Store, bookkeeping: Bookkeeping): Promise<void> => {
	const {unconfirmed} = bookkeeping;
	if (bookkeeping.isConfirming || !store.isHealthy) {
		return;
	}

	bookkeeping.isConfirming = true;
	for (const [name, change] of unconfirmed) {
		// eslint-disable-next-line no-await-in-loop -- the store has just been ill
		const isWritten = await write(store, name, change, purgedTimeToLive(store));
		if (!isWritten) {
			break;
		}

		if (unconfirmed.get(name) === change) {
			unconfirmed.delete(name);
		}
	}

	bookkeeping.isConfirming = false;
};

/**
Purges all that a mark stands for, without a look at it. What the store does not confirm holds in this process, and is tried again.

@returns Whether the store confirmed it.
*/
export const changeMark = async (store: Store, name: string, {isSoft, nowMs}: {readonly isSoft: boolean; readonly nowMs: number}, timeToLive = purgedTimeToLive(store)): Promise<boolean> => {
	const {unconfirmed, keptUntilMs} = bookkeepingOf(store);
	const mark: StoredMark = {kind: 'mark', generation: newGeneration(), softGeneration: isSoft ? newGeneration() : '', purgedAtMs: nowMs};
	const change: Change = {mark, isSoft};
	const earlier = unconfirmed.get(name);
	// A soft purge takes nothing back from a hard one.
	unconfirmed.set(name, isSoft && earlier && !earlier.isSoft ? earlier : change);
	keptUntilMs.delete(name);
	const isWritten = await write(store, name, change, timeToLive);
	if (isWritten && unconfirmed.get(name) === change) {
		unconfirmed.delete(name);
	}

	for (const oldest of unconfirmed.keys().take(Math.max(0, unconfirmed.size - maxUnconfirmed))) {
		unconfirmed.delete(oldest);
	}

	return isWritten;
};

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
		void command(name, wireKey => ['EVAL', keepScript, '1', wireKey, timeToLive === 'forever' ? '' : String(Math.ceil(timeToLive) + sparedMs)]);
	}
};

type Reading = {
	/** The marks as they were before the response was asked for. */
	readonly seen: Marks;
	readonly requestTimeMs: number;
};

/** Whether a mark that was read after the request was sent was the same before. */
export const isOlderThan = (record: StoredRecord | undefined, requestTimeMs: number): boolean =>
	record?.kind !== 'mark' || record.purgedAtMs === 0 || record.purgedAtMs + clockToleranceMs < requestTimeMs;

const make = async (store: Store, name: string, timeToLive: TimeToLive): Promise<{readonly record: StoredRecord | undefined} | undefined> =>
	store.update(name, current => current?.kind === 'mark' ? undefined : {kind: 'mark', generation: newGeneration(), softGeneration: '', purgedAtMs: 0}, timeToLive);

/** For all who need it, whoever of them gives up. */
const makeOnce = async (part: Store, {making}: Bookkeeping, name: string): ReturnType<typeof make> => {
	const store = unbounded(part);
	const record = await make(store, name, store.command ? spareMs : 'forever');
	making.delete(name);
	return record;
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
		return record?.kind === 'mark' || name.endsWith(resourceMark('')) ? {record} : make(store, name, store.command ? spareMs : 'forever');
	}));

	return made.every(each => each !== undefined) ? made.map(({record}) => record) : undefined;
};

/**
The generations to store with a response, those from before it was asked for.

Of a mark that was not looked at then, because nobody knew that the response would have it, the present generation will do if nobody changed it since.

@returns `undefined` if a purge may have come in between, or nobody can say.
*/
export const generationsFor = async (store: Store, {seen, requestTimeMs}: Reading, {key, stored, timeToLive, nowMs}: {readonly key: string; readonly stored: StoredResponse; readonly timeToLive: TimeToLive; readonly nowMs: number}): Promise<readonly string[] | undefined> => {
	if (!store.isHealthy) {
		return undefined;
	}

	const names = markKeysOf(key, stored);
	const [own = '', ...shared] = names;
	const unknown = names.filter(name => !seen.has(name) || (store.isAtomic && name !== own && seen.get(name) === ''));
	const records = unknown.length === 0 ? [] : await learn(store, unknown);
	if (records?.every(record => isOlderThan(record, requestTimeMs)) !== true) {
		return undefined;
	}

	keepMarks(store, shared, timeToLive, nowMs);
	const known = new Map([...seen, ...marksIn(store, unknown, records)]);

	return names.map(name => known.get(name) ?? '');
};
