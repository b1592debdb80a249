import {readFile, writeFile} from 'node:fs/promises';
import {parseArgs} from 'node:util';
import got from 'got';
import {redisCache} from '../../source/index.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';

/*
What purges and responses leave in Redis when they are gone themselves. `--count 1000` for less; `--write` puts the figures into docs/contributing/wire-format.md.
*/

const {values: {count: countText, write}} = parseArgs({options: {count: {type: 'string', default: '100000'}, write: {type: 'boolean', default: false}}});
const count = Number(countText);
const page = new URL('../../docs/contributing/wire-format.md', import.meta.url);
const concurrency = 64;

await using origin = await startOrigin();
origin.handler = ({method, url}, response) => {
	// What is recorded would fill the memory of this process.
	origin.requests.length = 0;
	if (method === 'DELETE') {
		response.writeHead(204).end();
		return;
	}

	const groups = url.startsWith('/groups') ? {'cache-groups': Array.from({length: 60}, (_, number) => `"${url.slice(8)}-${number}"`).join(', ')} : {};
	response.writeHead(200, {'cache-control': url.startsWith('/unstored') ? 'no-store' : 'max-age=1', ...groups}).end('x');
};

const inTurn = async (most: number, action: (number: number) => Promise<unknown>): Promise<void> => {
	let next = 0;
	await Promise.all(Array.from({length: concurrency}, async () => {
		while (next < most) {
			await action(next++);
		}
	}));
};

type Row = {readonly what: string; readonly most: number; readonly keys: number; readonly bytes: number; readonly longestSeconds: number};

const measure = async (what: string, most: number, act: (tools: {client: typeof got; cache: ReturnType<typeof redisCache>}) => (number: number) => Promise<unknown>): Promise<Row> => {
	await using redis = await startRedis();
	await using cache = redisCache({store: redis.url, ttlOffset: 0, timeout: '10s', memory: false});
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const usedBytes = async () => Number(/(?<=used_memory:)\d+/v.exec(await redis.client.info('memory'))?.[0]);
	const before = await usedBytes();
	await inTurn(most, act({client, cache}));
	let longestSeconds = 0;
	let keys = 0;
	for await (const batch of redis.client.scanIterator({COUNT: 1000})) {
		for (const key of batch) {
			keys++;
			longestSeconds = Math.max(longestSeconds, await redis.client.ttl(key));
		}
	}

	const row = {what, most, keys, bytes: Math.max(0, await usedBytes() - before), longestSeconds};
	console.log(JSON.stringify(row));
	return row;
};

const rows = [
	await measure('purges of what is not stored', count, ({cache}) => async number => cache.delete(`${origin.url}/${number}`)),
	await measure('DELETE requests for what is not stored', count, ({client}) => async number => client.delete(`${number}`)),
	await measure('responses that are not stored', count, ({client}) => async number => client(`unstored/${number}`)),
	await measure('responses that were stored for a second', count, ({client}) => async number => client(`${number}`)),
	await measure('responses of one byte with 60 cache groups each', Math.ceil(count / 100), ({client}) => async number => client(`groups/${number}`)),
];

const table = `| after | keys | bytes for each | longest time to live |
|---|--:|--:|--:|
${rows.map(({what, most, keys, bytes, longestSeconds}) => `| ${most.toLocaleString('en')} ${what} | ${keys.toLocaleString('en')} | ${Math.round(bytes / most)} | ${longestSeconds} s |`).join('\n')}`;
console.log(table);

if (write) {
	const text = await readFile(page, 'utf8');
	await writeFile(page, text.replace(/<!-- leftovers -->.*<!-- \/leftovers -->/sv, () => `<!-- leftovers -->\n\n${table}\n\n<!-- /leftovers -->`));
}
