import assert from 'node:assert/strict';
import test from 'node:test';
import {randomFrom} from '../../source/acceptance/random.ts';
import {createSketch, type Sketch} from '../../source/observe/sketch.ts';
import {zipf} from '../helpers/zipf.ts';

const countsOf = (sketch: Sketch): Map<string, number> => new Map(Array.from({length: sketch.size}, (_, slot) => [sketch.nameOf(slot), sketch.countOf(slot)]));

const topOf = (counts: ReadonlyMap<string, number>): string[] => [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 10).map(([name]) => name);

test('a sketch counts exactly as long as it has room', () => {
	const sketch = createSketch(3);
	for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) {
		sketch.add(name);
	}

	assert.deepEqual(countsOf(sketch), new Map([['a', 3], ['b', 2], ['c', 1]]));
});

test('a new name takes the place of the least frequent one, and is counted from there on', () => {
	const replaced: string[] = [];
	const sketch = createSketch(2, slot => {
		replaced.push(sketch.nameOf(slot));
	});
	for (const name of ['a', 'a', 'b', 'c', 'c']) {
		sketch.add(name);
	}

	assert.deepEqual(replaced, ['b']);
	assert.deepEqual(countsOf(sketch), new Map([['a', 2], ['c', 2]]));
});

test('the ten most frequent of many names are right, and no count is too high', () => {
	const sketch = createSketch(200);
	const next = zipf(10_000, randomFrom(1));
	const counts = new Map<string, number>();
	for (let count = 0; count < 20_000; count++) {
		const name = `name ${next()}`;
		counts.set(name, (counts.get(name) ?? 0) + 1);
		sketch.add(name);
	}

	const counted = countsOf(sketch);
	assert.deepEqual(topOf(counted), topOf(counts));
	for (const [name, count] of counted) {
		assert.ok(count <= Number(counts.get(name)));
	}
});
