import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {typeErrorsOf} from '../helpers/types.ts';

const root = path.resolve(import.meta.dirname, '../..');
const files = [
	'source/acceptance.ts',
	'source/audit.ts',
	'source/audit/options.ts',
	'source/embedded.ts',
	'source/file-store.ts',
	'source/inspector.ts',
	'source/opentelemetry.ts',
	'source/prometheus.ts',
	'source/replay.ts',
	'source/replay/recorder-for-tests.ts',
	'source/replay/options.ts',
	'source/rate-limit.ts',
	'source/rate-limit/options.ts',
	'source/got/cache-info.ts',
	'source/observe/info.ts',
	'source/observe/stats.ts',
	'source/got/plugin.ts',
	'source/got/redis-cache.ts',
	'source/management/explanation.ts',
	'source/options/options.ts',
	'source/webhook/purge-handler.ts',
];
const sources = await Promise.all(files.map(async file => readFile(path.join(root, file), 'utf8')));
const examples = sources.flatMap(source => source.matchAll(/@example\n\t*```\n(?<code>(?:(?!\t*```).*\n)*)/gv).map(({groups}) => groups?.code ?? '').toArray());

/** What an example takes as known. */
const preludes: ReadonlyArray<readonly [isKnown: RegExp, line: string]> = [
	[/^\t*import got /mv, 'import got from \'got\';'],
	[/^\t*import \{redisCache\}/mv, 'import {redisCache} from \'got-redis-cache\';'],
	[/^\t*import \{cacheInfo\}/mv, 'import {cacheInfo} from \'got-redis-cache\';'],
	[/^\t*import \{replay\}/mv, 'import {replay} from \'got-redis-cache/replay\';'],
	[/^\t*import \{rateLimit\}/mv, 'import {rateLimit} from \'got-redis-cache/rate-limit\';'],
	[/^\t*import \{audit\}/mv, 'import {audit} from \'got-redis-cache/audit\';'],
	[/^\t*const cache\b/mv, 'const cache = redisCache();'],
	[/^\t*const client\b/mv, 'const client = got.extend(redisCache());'],
];

const complete = (code: string): string => [...preludes.flatMap(([isKnown, line]) => isKnown.test(code) ? [] : [line]), code].join('\n');

test('the examples of the documentation in the types are right in strict TypeScript', async () => {
	assert.ok(examples.length >= 20);
	assert.equal(await typeErrorsOf({
		'my-adapter.ts': 'export class MyAdapter extends Map<string, unknown> {}',
		...Object.fromEntries(examples.map((code, index) => [`example-${index + 1}.ts`, complete(code)])),
	}), '');
});
