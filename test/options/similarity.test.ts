import assert from 'node:assert/strict';
import test from 'node:test';
import {optionNames} from '../../source/options/option-rules.ts';
import {editDistance, nearestNames} from '../../source/options/similarity.ts';

test('the distance of two words is the number of edits between them', () => {
	const table: ReadonlyArray<readonly [one: string, other: string, distance: number]> = [
		['', '', 0],
		['cache', 'cache', 0],
		['', 'cache', 5],
		['cahce', 'cache', 1],
		['cach', 'cache', 1],
		['caches', 'cache', 1],
		['catch', 'cache', 2],
		['kitten', 'sitting', 3],
	];
	for (const [one, other, distance] of table) {
		assert.equal(editDistance(one, other), distance);
		assert.equal(editDistance(other, one), distance);
	}
});

test('an option with one wrong letter is found first', () => {
	// The letters that remain of a shorter one may be another option.
	const names = optionNames.ofCache.filter(name => name.length > 6);
	for (const name of names) {
		for (let position = 0; position < name.length; position++) {
			assert.equal(nearestNames(name.slice(0, position) + name.slice(position + 1), optionNames.ofCache)[0], name);
		}
	}
});
