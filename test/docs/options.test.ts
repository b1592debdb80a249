import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {runInThisContext} from 'node:vm';
import {optionNames} from '../../source/options/option-rules.ts';
import {unlessFast} from '../helpers/runs.ts';
import {typeErrorsOf} from '../helpers/types.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/options.md'), 'utf8');
const tables = page.slice(0, page.indexOf('\n## Functions'));

test('the tables of docs/options.md have every option of a cache, and no other', () => {
	const names = tables.matchAll(/^\| `(?<name>\w+)`(?: †)? \|/gmv).map(({groups}) => groups?.name ?? '').toArray();
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

/** The rows of the tables: an option, its type as TypeScript writes it, whether a request can set it, and an example. */
const rows = tables.matchAll(/^\| `(?<name>\w+)`(?<mark> †)? \| `(?<type>(?:\\\||[^`\|])+)`.+<br>`(?<example>[^`]+)` \|$/gmv)
	.map(({groups = {}}) => ({name: groups.name ?? '', type: (groups.type ?? '').replaceAll(String.raw`\|`, '|'), isPerRequest: groups.mark !== undefined, example: groups.example ?? ''}))
	.toArray();

test('each option in docs/options.md has a type, a default and an example, and says whether a request can set it', () => {
	assert.deepEqual(rows.map(({name}) => name).toSorted(), optionNames.ofCache.toSorted());
	assert.deepEqual(
		rows.filter(({isPerRequest}) => isPerRequest).map(({name}) => name).toSorted(),
		optionNames.ofRequest.filter(name => name !== 'mode' && name !== 'tags').toSorted(),
	);
	for (const {name, example} of rows) {
		assert.ok(example.includes(`${name}:`), `${name}: ${example}`);
	}
});

test('types and examples in docs/options.md are those of the options', unlessFast, async () => {
	const checks = rows.map(({name, type, example}) => `
export const ${name}: Same<Given<'${name}'>, ${type}> = true;
redisCache({${example}});`);

	assert.equal(await typeErrorsOf({
		'options.ts': `import {env} from 'node:process';
import type {NormalizedOptions} from 'got';
import {redisCache} from 'got-redis-cache';
import type {CacheableRequest, CacheableResponse, Duration, ExpireAfter, RedisCacheOptions, StaleIfErrorRule, StoreOption, UrlPattern} from 'got-redis-cache';

// The page leaves out \`readonly\` and \`undefined\`.
type Plain<Value> = Value extends (...parameters: never) => unknown ? Value : Value extends readonly unknown[] ? {-readonly [Index in keyof Value]: Plain<Value[Index]>} : Value;
type Given<Name extends keyof RedisCacheOptions> = Plain<NonNullable<RedisCacheOptions[Name]>>;
type Same<One, Other> = [One] extends [Other] ? [Other] extends [One] ? true : false : false;
${checks.join('\n')}
`,
	}), '');
});
