import type {Keyv} from 'keyv';

/*
Keyv 6 has no option that has it throw: each error is an event. It wraps whatever it is given into an adapter of its own contract, which knows ends of life as times.
*/

/** A `Keyv` of version 6, as far as the cache uses it. */
export type Keyv6 = {
	readonly serialization: unknown;
	readonly sanitize: unknown;
	get(key: string): Promise<unknown>;
	getRaw(key: string): Promise<unknown>;
	set(key: string, value: unknown, ttl?: number): Promise<boolean>;
	delete(key: string): Promise<boolean>;
};

/** @param store - An object. */
export const isKeyv6 = (store: unknown): store is Keyv6 => {
	const keyv = store as Readonly<Record<string, unknown>>;
	return ['get', 'getRaw', 'set', 'setRaw', 'delete', 'disconnect'].every(name => typeof keyv[name] === 'function') && 'serialization' in keyv && 'sanitize' in keyv;
};

/** Whether a storage adapter takes the time of an entry's end, as those of Keyv 6 do, where others take the time that is left. */
export const isAdapterOfKeyv6 = (adapter: unknown): boolean => (adapter as {readonly capabilities?: {readonly expires?: unknown}}).capabilities?.expires === true;

/** The store that Keyv 6 was given; a namespace is added by its wrapper. */
export const givenStoreOf = ({store}: Keyv): unknown => (store as {readonly store?: unknown}).store ?? store;

// Not by `keyv.iterator()`, which ends early, without a word to its caller, on an error. The keys come without Keyv's namespace.
export const listKeysOfKeyv6 = async function * ({store}: Keyv): AsyncGenerator {
	const {iterator} = store as {iterator?(): AsyncIterable<readonly [key: unknown, value: unknown]>};
	if (iterator === undefined) {
		throw new Error('The store cannot list its keys');
	}

	for await (const [key] of iterator.call(store)) {
		yield key;
	}
};
