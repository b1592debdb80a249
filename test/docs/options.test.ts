import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {runInThisContext} from 'node:vm';
import {optionNames} from '../../source/options/option-rules.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/options.md'), 'utf8');

test('the tables of docs/options.md have every option of a cache, and no other', () => {
	const tables = page.slice(0, page.indexOf('\n## Functions'));
	const names = tables.matchAll(/^\| `(?<name>\w+)` \|/gmv).map(({groups}) => groups?.name ?? '').toArray();
	assert.deepEqual(names.toSorted(), optionNames.ofCache.toSorted());
	assert.ok(names.length > 20);
});

test('docs/options.md names every option of a request, and no other', () => {
	const list = /(?<=^`context\.cache` .* takes ).*?(?=\. )/mv.exec(page)?.[0] ?? '';
	const names = list.matchAll(/`(?<name>\w+)`/gv).map(({groups}) => groups?.name ?? '').toArray();
	assert.deepEqual(names.toSorted(), optionNames.ofRequest.toSorted());
	assert.ok(names.length > 10);
});

test('the filter for GraphQL lets single queries through, and nothing else', async () => {
	const [guide, declarations] = await Promise.all(['docs/matching.md', 'source/options/options.ts'].map(async file => readFile(path.join(root, file), 'utf8')));
	const asked: ReadonlyArray<readonly [body: unknown, isQuery: boolean]> = [
		[{query: '{items}'}, true],
		[{query: 'query A {items}', operationName: 'A'}, true],
		[{query: '# a comment\nquery ($word: String) {items(word: $word)}', variables: {word: 'mutation {addItem}'}}, true],
		[{query: 'query A {items} query B {items}', operationName: 'B'}, true],
		[{query: 'fragment F on Item {id} query {items {...F}}'}, true],
		[{query: 'query {mutations}'}, true],
		[{query: 'mutation {addItem}'}, false],
		[{query: 'query A {items} mutation B {addItem}', operationName: 'B'}, false],
		[{query: '{items}mutation B{addItem}', operationName: 'B'}, false],
		[{query: ',,\u{FEFF}# query\nmutation {addItem}'}, false],
		[{query: 'subscription {items}'}, false],
		[{variables: {query: 'query {items}'}, query: 'mutation ($query: String) {addItem(query: $query)}'}, false],
		[[{query: 'query {items}'}, {query: 'mutation {addItem}'}], false],
		[[{query: 'query {items}'}], false],
		[{query: ['query {items}']}, false],
		[{extensions: {persistedQuery: {sha256Hash: 'a'}}}, false],
		[null, false],
		['{items}', false],
	];

	for (const [text = '', indentation] of [[guide, ''], [declarations, '\t']] as const) {
		const start = text.indexOf(`${indentation}const isQuery = `);
		const recipe = text.slice(start, text.indexOf(`\n${indentation}};`, start));
		const isQuery = runInThisContext(`(() => {${recipe}};\nreturn isQuery;})()`) as (body?: string) => boolean;
		for (const [body, expected] of asked) {
			assert.equal(isQuery(JSON.stringify(body)), expected, JSON.stringify(body));
		}

		assert.deepEqual([isQuery(), isQuery(''), isQuery('query {items}')], [false, false, false]);
	}
});
