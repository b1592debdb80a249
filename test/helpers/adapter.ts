import type {KeyvStoreAdapter} from 'keyv';
import {randomFrom} from '../../source/acceptance/random.ts';

/** What a storage adapter of Keyv's has to do, text for text. */
export type PlainAdapter = {
	get(key: string): Promise<string | undefined>;
	set(key: string, value: string): Promise<unknown>;
	delete(key: string): Promise<boolean>;
	iterator?(): AsyncGenerator<[string, string]>;
};

/** An adapter on a map; `change` says what is wrong with it. */
export const createAdapter = (change: (adapter: PlainAdapter, entries: Map<string, string>) => Partial<PlainAdapter> = () => ({})): KeyvStoreAdapter => {
	const entries = new Map<string, string>();
	const adapter: PlainAdapter = {
		get: async key => entries.get(key),
		set: async (key, value) => entries.set(key, value),
		delete: async key => entries.delete(key),
		async * iterator() {
			yield * entries;
		},
	};

	const changed = {...adapter, ...change(adapter, entries)};
	return {
		// Keyv lists the keys of dialects that it knows, and of no other.
		opts: {dialect: changed.iterator ? 'sqlite' : 'own', url: ''},
		namespace: undefined,
		on() {
			return this;
		},
		async clear() {
			entries.clear();
		},
		...changed,
	} as unknown as KeyvStoreAdapter;
};

/** Fails in so many of a thousand cases, the same ones each time: before or after it has done what it was asked, or so late that nobody waits any more. */
export const createFailingAdapter = (perMille: number): KeyvStoreAdapter => createAdapter(adapter => {
	const random = randomFrom(1);

	const failing = <Parameters extends readonly unknown[], Result>(operation: (...parameters: Parameters) => Promise<Result>) => async (...parameters: Parameters): Promise<Result> => {
		const [isFault, fault] = [random() * 1000 < perMille, Math.floor(random() * 3)];
		if (isFault && fault === 0) {
			throw new Error('failed before');
		}

		if (isFault && fault === 1) {
			await new Promise(resolve => {
				setTimeout(resolve, 100);
			});
		}

		const result = await operation(...parameters);
		if (isFault && fault === 2) {
			throw new Error('failed after');
		}

		return result;
	};

	return {get: failing(adapter.get), set: failing(adapter.set), delete: failing(adapter.delete)};
});
