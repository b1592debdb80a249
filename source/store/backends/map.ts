import {Keyv, type KeyvStoreAdapter} from 'keyv';
import {createLru} from '../../types/lru.ts';
import {createGuardsInMemory, type GuardsInMemory} from '../memory/guards-in-memory.ts';
import {binary, isExpected, type Backend, type Change, type ChangeResult} from '../ports/backend.ts';
import {binaryKeyvOptions} from '../ports/keyv-options.ts';
import {isOurs, local, remainingMs} from './keyv-defaults.ts';

/*
Stores in the memory of the process: the user's `Map`, and the cache's own.
*/

type MapValue = {value: unknown; expires?: number | undefined};

/** The bytes of an entry beside its key and value, roughly: once it was read, decoded as well. */
const entryOverhead = 1000;

const peekInto = (map: {get(key: string): unknown}) => (key: string): unknown => {
	const entry = map.get(key) as MapValue | undefined;
	const isExpired = typeof entry?.expires === 'number' && entry.expires <= Date.now();
	return isExpired ? undefined : entry?.value;
};

type SyncMap = {
	get(key: string): unknown;
	/** Reads as `get()` does, without a sign that the entry is in use. */
	peek?(key: string): unknown;
	set(key: string, value: MapValue): unknown;
	delete(key: string): unknown;
	keys(): IteratorObject<string>;
};

const expiryIn = (ttlMs: number | undefined): number | undefined => ttlMs === undefined ? undefined : Date.now() + ttlMs;

/** No head is replaced, and nothing is written in pieces, where the whole is at hand. */
type WholeChange = Exclude<Change, {kind: 'replace-head' | 'move'}>;

const isWhole = (change: Change): change is WholeChange => change.kind === 'put' || change.kind === 'delete';

const changeAll = (map: SyncMap, peek: (key: string) => unknown, changes: readonly Change[]): ChangeResult => {
	const whole = changes.filter(change => isWhole(change));
	const position = whole.findIndex(({key, expected}) => !isExpected(expected, binary.toBytes(peek(key))));
	if (position !== -1) {
		return {kind: 'conflict', position};
	}

	for (const change of whole) {
		if (change.kind === 'delete') {
			map.delete(change.key);
		} else {
			map.set(change.key, {value: change.value, expires: expiryIn(change.ttlMs)});
		}
	}

	return {kind: 'done'};
};

/** An operation without I/O takes no time either: nobody comes in between. */
const inMemory = (map: SyncMap, prefix: string, guards: GuardsInMemory) => ({
	isImmediate: true,
	peek: (key: string) => guards.peek(key) ?? peekInto(map)(key),
	async swap(key, expected, value, ttlMs) {
		const {value: current, expires} = map.get(key) as MapValue | undefined ?? {};
		if (peekInto(map)(key) !== expected || (expected !== undefined && current !== expected)) {
			return false;
		}

		map.set(key, {value, expires: ttlMs === 'keep' ? expires : ttlMs && Date.now() + ttlMs});
		return true;
	},
	guarded: guards.guard(changes => changeAll(map, peekInto(map), changes)),
	async extend(key, ttlMs) {
		const entry = map.get(key) as MapValue | undefined;
		const expires = expiryIn(ttlMs);
		if (typeof entry?.expires === 'number' && (expires === undefined || expires > entry.expires)) {
			map.set(key, {...entry, expires});
		}
	},
	servers: () => [{
		address: undefined,
		async * clear() {
			const keys = map.keys().filter(key => isOurs(key, prefix)).toArray();
			for (const key of keys) {
				map.delete(key);
			}

			yield keys.length;
		},
		async * replaceGuards() {
			yield guards.replaceAll(prefix);
		},
		async * scan() {
			const look = (key: string) => map.peek ? map.peek(key) : map.get(key);
			// Of one moment: who lists may read and write what is listed, and move it to the end.
			const keys = map.keys().toArray();
			for (const key of keys) {
				const value = isOurs(key, prefix) ? peekInto({get: look})(key) : undefined;
				if (value !== undefined) {
					yield [{key, value, ttlMs: remainingMs((look(key) as MapValue).expires)}];
				}
			}
		},
	}],
} satisfies Partial<Backend>);

/** Several caches may share a map. */
const guardsByMap = new WeakMap<WeakKey, GuardsInMemory>();

const guardsOf = (map: WeakKey): GuardsInMemory => {
	const guards = guardsByMap.get(map) ?? createGuardsInMemory();
	guardsByMap.set(map, guards);
	return guards;
};

/** A `Map` whose entries lie elsewhere, such as in files. It tells where, and of entries that it cannot read. */
type DistantMap = Map<any, any> & {
	readonly address: string;
	on(event: 'error', listener: (error: Error) => void): unknown;
	off(event: 'error', listener: (error: Error) => void): unknown;
};

const isDistant = (map: Map<any, any>): map is DistantMap => 'address' in map && 'on' in map && 'off' in map;

const listenTo = (map: DistantMap, onFault: (error: Error) => void): Pick<Backend, 'address' | 'close'> => {
	map.on('error', onFault);

	return {
		address: map.address,
		async close() {
			map.off('error', onFault);
		},
	};
};

/**
The user's `Map`, which may hold other things too.
*/
export const mapBackend = (map: Map<any, any>, namespace: string, onFault: (error: Error) => void): Backend => ({
	...local,
	...binary,
	address: 'a Map',
	...isDistant(map) && listenTo(map, onFault),
	prefix: `${namespace}:`,
	isInProcess: true,
	keyv: new Keyv({...binaryKeyvOptions, store: map}),
	...inMemory(map as Map<string, MapValue>, `${namespace}:`, guardsOf(map)),
});

/**
Memory of this process alone, bounded: the least recently used go first.
*/
export const memoryBackend = (maxBytes: number, namespace: string): Backend => {
	const prefix = `${namespace}:`;
	const cache = createLru<MapValue>({
		max: maxBytes,
		weigh: ({value}, key) => (2 * key.length) + entryOverhead + (binary.toBytes(value)?.length ?? 0),
	});
	const adapter: Pick<KeyvStoreAdapter, 'opts' | 'get' | 'set' | 'delete' | 'clear'> = {
		opts: {},
		get: async key => cache.get(key) as never,
		async set(key, value: MapValue) {
			cache.set(key, value);
			return cache.has(key);
		},
		delete: async key => cache.delete(key),
		async clear() {
			cache.clear();
		},
	};

	return {
		...local,
		...binary,
		address: 'memory',
		prefix,
		isInProcess: true,
		isPrivate: true,
		keyv: new Keyv(adapter as KeyvStoreAdapter, binaryKeyvOptions),
		...inMemory(cache, prefix, createGuardsInMemory()),
	};
};
