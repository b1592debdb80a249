import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {runInThisContext} from 'node:vm';
import {Keyv} from 'keyv';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {resolveRequestOptions} from '../../source/options/resolve-options.ts';
import {typeErrorsOf} from '../helpers/types.ts';

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/migration.md'), 'utf8');

/** The right-hand side of each row. */
const snippets = page.split('\n').filter(line => line.startsWith('| ') && line.includes('`')).map(row => {
	const here = row.replaceAll(String.raw`\|`, '¦').split('|', 4)[2] ?? '';
	const code = here.trim().replaceAll('¦', '|');
	assert.match(code, /^`[^`]+`$/v, row);
	return code.slice(1, -1);
});

const isOfRequest = (code: string) => code.startsWith('context:');
const isOption = (code: string) => /^\w+:/v.test(code) && !isOfRequest(code);

const statementOf = (code: string): string => {
	if (isOfRequest(code)) {
		return `void ({${code}} satisfies {context: {cache: RequestCacheOptions | false}});`;
	}

	return isOption(code) ? `redisCache({${code}});` : `${code};`;
};

const prelude = `
import got from 'got';
import {Keyv} from 'keyv';
import {cacheInfo, redisCache, type RequestCacheOptions} from 'got-redis-cache';

const cache = redisCache();
const response = await got.extend(cache)('https://example.com/a');
`;

test('each row of docs/migration.md is right in strict TypeScript', async () => {
	assert.ok(snippets.length > 60);
	assert.equal(await typeErrorsOf({'migration.ts': `${prelude}${snippets.map(code => statementOf(code)).join('\n')}\n`}), '');
});

for (const code of snippets) {
	if (!isOption(code) && !isOfRequest(code)) {
		continue;
	}

	test(`the cache takes ${code}`, async () => {
		const {context, ...options} = (runInThisContext(`(Keyv => ({${code}}))`) as (keyv: typeof Keyv) => unknown)(Keyv) as RedisCacheOptions & {context?: {cache: unknown}};
		assert.ok(resolveRequestOptions({}, context?.cache ?? {}).http);
		await redisCache({store: 'memory', ...options}).close();
	});
}
