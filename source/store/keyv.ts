import {Buffer} from 'node:buffer';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import {LRUCache} from 'lru-cache';
import {binary, type Backend, type Encoding, type Swallowed} from './backend.ts';

type MapValue = {value: unknown; expires?: number | undefined};

/** What an entry takes beside its key and value, roughly. */
const entryOverhead = 200;

/** Survives whatever a serializer or a text column does to bytes. */
const base64: Encoding = {
	toValue: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
	toBytes: value => typeof value === 'string' ? Buffer.from(value, 'base64') : binary.toBytes(value),
};

const local = {
	connect() {
		return undefined;
	},
	reset() {
		// Nothing is under way.
	},
	probePatienceMs: 30_000,
	// Several keys at once are no round trip less here, and Keyv swallows what goes wrong with them.
	hasBatches: false,
	isForeignValue: () => false,
	isRefusal: () => false,
	async close() {
		// The user's.
	},
} satisfies Partial<Backend>;

const keyvOptions = {
	namespace: undefined,
	useKeyPrefix: false,
	throwOnErrors: true,
};

const unserialized = {...keyvOptions, serialize: undefined, deserialize: undefined};

const peekInto = (map: {get(key: string): unknown}) => (key: string): unknown => {
	const entry = map.get(key) as MapValue | undefined;
	const isExpired = typeof entry?.expires === 'number' && entry.expires <= Date.now();
	return isExpired ? undefined : entry?.value;
};

const isOurs = (key: unknown, prefix: string): key is string => typeof key === 'string' && key.startsWith(`${prefix}{`);

/**
The user's `Map`, which may hold other things too.
*/
export const mapBackend = (map: Map<any, any>, namespace: string): Backend => ({
	...local,
	...binary,
	prefix: `${namespace}:`,
	keyv: new Keyv({...unserialized, store: map}),
	peek: peekInto(map as Map<string, unknown>),
	async clear() {
		for (const key of map.keys()) {
			if (isOurs(key, `${namespace}:`)) {
				map.delete(key);
			}
		}
	},
});

/**
Memory of this process alone, bounded: the least recently used go first.
*/
export const memoryBackend = (maxBytes: number, namespace: string): Backend => {
	const prefix = `${namespace}:`;
	const cache = new LRUCache<string, MapValue>({
		maxSize: maxBytes,
		sizeCalculation: ({value}, key) => (2 * key.length) + entryOverhead + (binary.toBytes(value)?.length ?? 0),
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
		prefix,
		keyv: new Keyv(adapter as KeyvStoreAdapter, unserialized),
		peek: peekInto(cache),
		async clear() {
			for (const key of cache.keys()) {
				if (isOurs(key, prefix)) {
					cache.delete(key);
				}
			}
		},
	};
};

/**
The user's Keyv as it is, with its own namespace, serializer and adapter.
*/
export const keyvBackend = (keyv: Keyv, namespace: string): Backend => {
	const prefix = prefixWithin(keyv, namespace);
	const swallowed: Swallowed = {count: 0, last: undefined};
	const onError = (error: unknown) => {
		swallowed.count++;
		swallowed.last = error;
	};

	keyv.on('error', onError);
	return {
		...local,
		...base64,
		keyv,
		prefix,
		swallowed,
		async close() {
			keyv.off('error', onError);
		},
		clear: async () => clearKeyv(keyv, prefix),
	};
};

/**
A storage adapter of Keyv's, such as `@keyv/sqlite`.
*/
export const adapterBackend = (adapter: KeyvStoreAdapter, namespace: string): Backend => keyvBackend(new Keyv(adapter, keyvOptions), namespace);

/** Keyv takes a key that begins with its own namespace for one that has it already, in some of its methods. */
const prefixWithin = ({namespace: outer, useKeyPrefix}: Keyv, namespace: string): string => {
	const prefix = `${namespace}:`;
	if (!useKeyPrefix || outer === undefined || !prefix.startsWith(`${outer}:`)) {
		return prefix;
	}

	return namespace === outer ? '' : `:${prefix}`;
};

/*
Never by the adapter's own `clear()`: adapters take the namespace for a pattern (`_` in SQL's LIKE), or remove everything.
*/
const clearKeyv = async (keyv: Keyv, prefix: string): Promise<void> => {
	if (keyv.iterator === undefined) {
		throw new Error('The store cannot list its keys, so it cannot be cleared');
	}

	// Keyv takes off what stands before the first colon, whether the namespace ends there or not.
	const remnant = keyv.useKeyPrefix && keyv.namespace?.includes(':') ? `${keyv.namespace.replace(/^[^:]*:/v, '')}:` : '';
	const keys: string[] = [];
	for await (const [key] of keyv.iterator(undefined) as AsyncGenerator<[unknown, unknown]>) {
		if (isOurs(key, remnant + prefix)) {
			keys.push(key.slice(remnant.length));
		}
	}

	await Promise.all(keys.map(async key => keyv.delete(key)));
};
