import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {createLru} from '../../source/types/lru.ts';

type Command =
	| {readonly kind: 'get' | 'peek' | 'has' | 'delete'; readonly key: string}
	| {readonly kind: 'set'; readonly key: string; readonly weight: number; readonly ttlMs: number}
	| {readonly kind: 'pass'; readonly ms: number}
	| {readonly kind: 'clear'};

const anyKey = fc.constantFrom('a', 'b', 'c', 'd');

const command: fc.Arbitrary<Command> = fc.oneof(
	fc.record({kind: fc.constantFrom('get' as const, 'peek' as const, 'has' as const, 'delete' as const), key: anyKey}),
	fc.record({
		kind: fc.constant('set' as const),
		key: anyKey,
		weight: fc.integer({min: 0, max: 6}),
		ttlMs: fc.integer({min: 0, max: 3}),
	}),
	fc.record({kind: fc.constant('pass' as const), ms: fc.integer({min: 0, max: 2})}),
	fc.record({kind: fc.constant('clear' as const)}),
);

const max = 5;

test('entries are those of a list in which a used one moves to its end, and from whose beginning the others have to go', () => {
	fc.assert(fc.property(fc.array(command, {maxLength: 60}), commands => {
		let nowMs = 0;
		const removed: number[] = [];
		const lru = createLru<number>({
			max,
			weigh: value => value,
			nowMs: () => nowMs,
			onRemove: value => removed.push(value),
		});
		let model: Array<{key: string; value: number; expiresMs: number}> = [];
		let stored = 0;
		const find = (wanted: string) => {
			model = model.filter(({key, expiresMs}) => key !== wanted || expiresMs >= nowMs);
			return model.find(({key}) => key === wanted);
		};

		const drop = (wanted: string) => {
			model = model.filter(({key}) => key !== wanted);
		};

		const weight = () => model.reduce((sum, {value}) => sum + value, 0);

		for (const each of commands) {
			switch (each.kind) {
				case 'get': {
					const found = find(each.key);
					if (found) {
						drop(each.key);
						model.push(found);
					}

					assert.equal(lru.get(each.key, nowMs), found?.value);
					break;
				}

				case 'peek': {
					assert.equal(lru.peek(each.key), find(each.key)?.value);
					break;
				}

				case 'has': {
					assert.equal(lru.has(each.key), find(each.key) !== undefined);
					break;
				}

				case 'delete': {
					assert.equal(lru.delete(each.key), model.some(({key}) => key === each.key));
					drop(each.key);
					break;
				}

				case 'set': {
					drop(each.key);
					if (each.weight <= max) {
						while (model.length > 0 && weight() + each.weight > max) {
							model.shift();
						}

						stored++;
						model.push({key: each.key, value: each.weight, expiresMs: each.ttlMs > 0 ? nowMs + each.ttlMs : Infinity});
					}

					lru.set(each.key, each.weight, {ttlMs: each.ttlMs});
					break;
				}

				case 'pass': {
					nowMs += each.ms;
					break;
				}

				case 'clear': {
					model = [];
					lru.clear();
					break;
				}
			}

			assert.equal(lru.size, model.length);
			assert.equal(lru.weight, weight());
			assert.equal(removed.length, stored - model.length);
		}

		const valid = model.filter(({expiresMs}) => expiresMs >= nowMs);
		assert.deepEqual(lru.entries().toArray(), valid.map(({key, value}) => [key, value]));
		assert.deepEqual(lru.keys().toArray(), valid.map(({key}) => key));
		assert.deepEqual(lru.values().toArray(), valid.map(({value}) => value));
	}));
});
