import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import {binary, type Backend, type Encoding, type RawEntry, type Swallowed} from '../ports/backend.ts';
import {keyvOptions} from '../ports/keyv-options.ts';
import {givenStoreOf, isKeyv6, listKeysOfKeyv6} from './keyv-6.ts';
import {isOurs, local, remainingMs} from './keyv-defaults.ts';
import {guardThroughKeyv} from './keyv-guarded.ts';

/** Survives whatever a serializer or a text column does to bytes. */
const base64: Encoding = {
	toValue: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
	toBytes: value => typeof value === 'string' ? Buffer.from(value, 'base64') : binary.toBytes(value),
};

/** Its address would be told with its credentials. */
const storeNameOf = (store: unknown): string => (store as {constructor?: {name: string}}).constructor?.name ?? 'a store';

const throughKeyv = (keyv: Keyv, namespace: string): Backend => {
	const prefix = prefixWithin(keyv, namespace);
	const given = isKeyv6(keyv) ? givenStoreOf(keyv) : keyv.store as unknown;
	const swallowed: Swallowed = {count: 0, last: undefined};
	const onError = (error: unknown) => {
		swallowed.count++;
		swallowed.last = error;
	};

	keyv.on('error', onError);
	const backend: Omit<Backend, 'guarded'> = {
		...local,
		...base64,
		address: `Keyv with ${storeNameOf(given)}`,
		keyv,
		prefix,
		isInProcess: given instanceof Map,
		swallowed,
		async close() {
			keyv.off('error', onError);
		},
		servers: () => [{
			address: undefined,
			clear: () => clearKeyv(keyv, prefix),
			scan: () => scanKeyv(keyv, prefix),
		}],
	};

	return {...backend, guarded: guardThroughKeyv(backend)};
};

const asText = (value: unknown): unknown => value instanceof Uint8Array ? Buffer.from(value).toString() : value;

/** Replies that Keyv would take for nothing, since it parses strings alone. */
const textReplies: Readonly<Record<string, (reply: unknown) => unknown>> = {
	get: asText,
	getMany: reply => Array.isArray(reply) ? reply.map(value => asText(value)) : reply,
};

/** An adapter as Keyv expects it: it gives text, and has `opts` with a URL, which Keyv looks at. */
const withTextReplies = (adapter: KeyvStoreAdapter): KeyvStoreAdapter => new Proxy(adapter, {
	get(target, name) {
		const value: unknown = Reflect.get(target, name);
		if (typeof value !== 'function') {
			return name === 'opts' ? {url: '', ...value as Record<string, unknown> | undefined} : value;
		}

		// Bound, for it may have private fields.
		const method = value.bind(target) as (...parameters: unknown[]) => unknown;
		const toText = textReplies[String(name)];
		return name === 'constructor' ? value : (toText ? async (...parameters: unknown[]) => toText(await method(...parameters)) : method);
	},
	set: (target, name, value) => Reflect.set(target, name, value),
});

/** The keys and values that an adapter lists, which Keyv takes for strings. */
const listText = (adapter: KeyvStoreAdapter) => async function * (outer?: string) {
	for await (const [key, value] of adapter.iterator?.(outer) ?? []) {
		yield [key, asText(value)];
	}
};

/** Fields of Keyv 5, which its methods go by. A subclass may have private fields, which no other object has. */
const isPlainKeyv = (keyv: Keyv): boolean => keyv.constructor.name === 'Keyv' && ['_throwOnErrors', 'opts'].every(name => Object.hasOwn(keyv, name));

/**
The user's Keyv as the cache uses it: it throws what the user's own may swallow, and gives bytes as text. All else is the user's: hooks, events and statistics too.
*/
const viewOf = (keyv: Keyv): Keyv => {
	if (!isPlainKeyv(keyv)) {
		return keyv;
	}

	let known: KeyvStoreAdapter | undefined;
	let view: Keyv['opts'] = keyv.opts;
	return Object.create(keyv, {
		_throwOnErrors: {value: true},
		// Read anew each time, for its owner may give it another store.
		opts: {
			get() {
				const store = keyv.store as KeyvStoreAdapter;
				if (store !== known) {
					known = store;
					view = store instanceof Map ? keyv.opts : Object.create(keyv.opts, {store: {value: withTextReplies(store)}}) as Keyv['opts'];
				}

				return view;
			},
		},
		iterator: {
			get(this: Keyv) {
				const store = keyv.store as KeyvStoreAdapter;
				return keyv.iterator === undefined || store instanceof Map ? keyv.iterator : this.generateIterator(listText(store) as never);
			},
		},
	}) as Keyv;
};

/**
The user's Keyv, with its own namespace, serializer and adapter.
*/
export const keyvBackend = (keyv: Keyv, namespace: string): Backend => throughKeyv(viewOf(keyv), namespace);

/**
A storage adapter of Keyv's, such as `@keyv/sqlite`.
*/
export const adapterBackend = (adapter: KeyvStoreAdapter, namespace: string): Backend => {
	const keyv = new Keyv(withTextReplies(adapter), keyvOptions);
	// Keyv knows a few adapters by name, and takes others for such as cannot list.
	if (keyv.iterator === undefined && typeof adapter.iterator === 'function') {
		keyv.iterator = keyv.generateIterator(listText(adapter) as never);
	}

	return throughKeyv(keyv, namespace);
};

/** Keyv takes a key that begins with its own namespace for one that has it already, in some of its methods. */
const prefixWithin = ({namespace: outer, useKeyPrefix}: Keyv, namespace: string): string => {
	const prefix = `${namespace}:`;
	if (!useKeyPrefix || outer === undefined || !prefix.startsWith(`${outer}:`)) {
		return prefix;
	}

	return namespace === outer ? '' : `:${prefix}`;
};

const listKeysOfKeyv5 = async function * (keyv: Keyv): AsyncGenerator {
	if (keyv.iterator === undefined) {
		throw new Error('The store cannot list its keys');
	}

	for await (const [key] of keyv.iterator(undefined) as AsyncGenerator<[unknown, unknown]>) {
		yield key;
	}
};

const listOnce = async function * (keyv: Keyv, prefix: string): AsyncGenerator<string> {
	// Keyv 5 takes off what stands before the first colon, whether the namespace ends there or not.
	const remnant = keyv.useKeyPrefix && keyv.namespace?.includes(':') ? `${keyv.namespace.replace(/^[^:]*:/v, '')}:` : '';
	for await (const key of isKeyv6(keyv) ? listKeysOfKeyv6(keyv) : listKeysOfKeyv5(keyv)) {
		if (isOurs(key, remnant + prefix)) {
			yield key.slice(remnant.length);
		}
	}
};

const probeMs = 60_000;

// Keyv takes some adapters for such as can list, which then list nothing: an empty list is believed if a key that was just written is on the next one.
const listKeys = async function * (keyv: Keyv, prefix: string): AsyncGenerator<string> {
	let isEmpty = true;
	for await (const key of listOnce(keyv, prefix)) {
		isEmpty = false;
		yield key;
	}

	if (!isEmpty) {
		return;
	}

	const probe = `${prefix}{listing ${randomBytes(6).toString('base64url')}}`;
	await keyv.set(probe, 'x', probeMs);
	const listed = await Array.fromAsync(listOnce(keyv, prefix));
	await keyv.delete(probe);
	if (listed.length === 0) {
		throw new Error('The store does not list a key that was just written to it');
	}
};

// Never by the adapter's own `clear()`: adapters take the namespace for a pattern (`_` in SQL's LIKE), or remove everything.
const clearKeyv = async function * (keyv: Keyv, prefix: string): AsyncGenerator<number> {
	const keys = await Array.fromAsync(listKeys(keyv, prefix));
	await Promise.all(keys.map(async key => keyv.delete(key)));
	yield keys.length;
};

const scanKeyv = async function * (keyv: Keyv, prefix: string): AsyncGenerator<readonly [RawEntry]> {
	for await (const key of listKeys(keyv, prefix)) {
		const raw = await keyv.getRaw<unknown>(key);
		if (raw !== undefined) {
			yield [{key, value: raw.value, ttlMs: remainingMs(raw.expires)}];
		}
	}
};
