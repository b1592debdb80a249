import assert from 'node:assert/strict';
import test from 'node:test';
import type {WireCheck, WireDone, WireEntries, WireExchanges, WireExplanation, WireHealth, WirePreview, WireResponse, WireStatistics, WireSwitches} from '../../source/inspector/api/wire.ts';
import {respond} from '../helpers/origin.ts';
import {setUpInspector, type InspectorSetup} from './helpers.ts';

/** Has responses stored by their paths; each has the tag of the first part of its path. */
const store = async ({origin, client}: InspectorSetup, paths: readonly string[]): Promise<void> => {
	origin.handler = ({url}, response) => {
		respond(response, {
			headers: {
				'cache-control': url.includes('stale') ? 'max-age=0, stale-if-error=60' : 'max-age=60',
				etag: '"1"',
				...(url.includes('vary') && {vary: 'accept-language'}),
			},
			body: `body of ${url}`,
		});
	};

	for (const path of paths) {
		await client(path, {context: {cache: {tags: [path.split('/', 1)[0]]}}});
	}
};

const keyOf = async ({cache, origin}: InspectorSetup, path: string): Promise<string> => encodeURIComponent((await cache.get(`${origin.url}/${path}`))?.storeKey ?? '');

const urlsOf = ({entries}: WireEntries): string[] => entries.map(({url}) => new URL(url).pathname).toSorted();

test('entries are found by part of the URL or the key, origin, tag and state', async () => {
	await using setup = await setUpInspector();
	const {origin} = setup;
	await store(setup, ['items/1', 'items/2', 'prices/1', 'prices/stale']);
	const search = async (query: string) => urlsOf(await setup.json<WireEntries>(`/api/entries?${query}`));

	assert.deepEqual(await search(''), ['/items/1', '/items/2', '/prices/1', '/prices/stale']);
	assert.deepEqual(await search('search=ITEMS'), ['/items/1', '/items/2']);
	assert.deepEqual(await search(`search=${await keyOf(setup, 'items/2')}`), ['/items/2']);
	assert.deepEqual(await search('tag=prices'), ['/prices/1', '/prices/stale']);
	assert.deepEqual(await search('state=stale'), ['/prices/stale']);
	assert.deepEqual(await search('state=fresh&tag=prices'), ['/prices/1']);
	assert.deepEqual(await search(`origin=${origin.url}`), ['/items/1', '/items/2', '/prices/1', '/prices/stale']);
	assert.deepEqual(await search('origin=https://example.com'), []);
	assert.equal((await setup.ask('/api/entries?origin=nonsense')).status, 400);
	assert.equal((await setup.ask('/api/entries?limit=0')).status, 400);
});

test('a list goes on where it has stopped, gives each entry once, and ends', async () => {
	await using setup = await setUpInspector();
	await store(setup, Array.from({length: 25}, (_, index) => `items/${index}`));
	const found: string[] = [];
	let cursor: string | undefined = '';
	let pages = 0;
	while (cursor !== undefined) {
		const page: WireEntries = await setup.json<WireEntries>(`/api/entries?limit=10&cursor=${cursor}`);
		found.push(...urlsOf(page));
		cursor = page.cursor;
		pages++;
		assert.equal(page.lookedAt, cursor === undefined ? 25 : found.length);
	}

	assert.equal(pages, 3);
	assert.equal(new Set(found).size, 25);
	assert.equal(found.length, 25);
});

test('a cursor is good for one page, and a list that is given up or unknown says so', async () => {
	await using setup = await setUpInspector();
	await store(setup, Array.from({length: 5}, (_, index) => `items/${index}`));
	const begin = async () => (await setup.json<WireEntries>('/api/entries?limit=1')).cursor;
	const cursor = await begin();

	assert.equal((await setup.ask(`/api/entries?limit=1&cursor=${cursor}`)).status, 200);
	assert.equal((await setup.ask(`/api/entries?limit=1&cursor=${cursor}`)).status, 410);
	const oldest = await begin();
	for (let index = 0; index < 8; index++) {
		await begin();
	}

	assert.equal((await setup.ask(`/api/entries?limit=1&cursor=${oldest}`)).status, 410);
	assert.equal((await setup.ask('/api/entries?cursor=nonsense')).status, 410);
});

test('a list is sorted as a whole, and given page by page', async () => {
	await using setup = await setUpInspector();
	const {origin, client} = setup;
	origin.handler = ({url}, response) => {
		const number = Number(url.split('/').at(-1));
		respond(response, {status: number === 2 ? 203 : 200, headers: {'cache-control': `max-age=${number === 3 ? 10 : 100 + number}`, age: String(number)}, body: 'x'.repeat(number)});
	};

	for (const number of [3, 1, 5, 2, 4]) {
		await client(`items/${number}`);
	}

	const sorted = async (sort: string): Promise<string> => {
		let numbers = '';
		let cursor: string | undefined = '';
		while (cursor !== undefined) {
			const page: WireEntries = await setup.json<WireEntries>(`/api/entries?limit=2&sort=${sort}&cursor=${cursor}`);
			assert.ok(page.entries.length <= 2);
			assert.equal(page.lookedAt, 5);
			numbers += page.entries.map(({url}) => url.at(-1)).join('');
			cursor = page.cursor;
		}

		return numbers;
	};

	assert.equal(await sorted('largest'), '54321');
	assert.equal(await sorted('url'), '12345');
	assert.equal(await sorted('newest'), '42513');
	assert.equal(await sorted('oldest'), '31524');
	assert.equal((await sorted('expires')).at(0), '3');
	assert.equal((await sorted('gone')).at(0), '3');
	assert.equal((await sorted('status')).at(-1), '2');
	assert.equal((await setup.ask('/api/entries?sort=nonsense')).status, 400);
});

test('a request with a content, a user or a key is explained', async () => {
	await using setup = await setUpInspector({methods: ['GET', 'HEAD', 'POST'], user: () => 'ann', key: () => 'tenant'});
	const {origin, client} = setup;
	origin.handler = (_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'found'});
	};

	await client.post('search', {json: {q: 'redis'}});
	const explained = async (more: string) => setup.json<WireExplanation>(`/api/explain?method=POST&url=${encodeURIComponent(`${origin.url}/search`)}${more}`, {method: 'POST'});

	assert.equal((await explained(`&user=ann&key=tenant&json=${encodeURIComponent('{"q": "redis"}')}`)).decision.reason, 'fresh');
	assert.equal((await explained(`&user=bob&key=tenant&json=${encodeURIComponent('{"q": "redis"}')}`)).decision.reason, 'not-stored');
	assert.match((await setup.ask('/api/explain?url=http://example.com/&json=%7B', {method: 'POST'})).body, /The content is no JSON/v);
});

test('values that cannot be read are counted', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1']);
	await setup.redis.client.set('http_cache:{AAAAAAAAAAAAAAAAAAAAAA}', 'no response of this cache at all');
	const {entries, unreadable} = await setup.json<WireEntries>('/api/entries');

	assert.equal(entries.length, 1);
	assert.deepEqual(unreadable, {corrupt: 1});
});

test('a stored response has its times, header fields and tags, its body is apart', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1']);
	const key = await keyOf(setup, 'items/1');
	const entry = await setup.json<WireResponse>(`/api/entry?key=${key}`);

	assert.equal(entry.url, `${setup.origin.url}/items/1`);
	assert.equal(entry.isFresh, true);
	assert.deepEqual(entry.tags, ['items']);
	assert.ok(entry.headers.some(([name, value]) => name === 'cache-control' && value === 'max-age=60'));
	assert.ok(Date.parse(String(entry.expiresAt)) - Date.parse(entry.storedAt) <= 60_000);
	assert.ok(!('body' in entry));
	assert.equal((await setup.ask(`/api/body?key=${key}`)).body, 'body of /items/1');
	assert.equal((await setup.ask(`/api/entry?key=${encodeURIComponent('http_cache:{BBBBBBBBBBBBBBBBBBBBBB}')}`)).status, 404);
	assert.equal((await setup.ask('/api/entry?key=other:nonsense')).status, 400);
	assert.equal((await setup.ask('/api/entry')).status, 400);
});

const purges = [
	['kind=tag&value=items', ['/prices/1', '/prices/stale']],
	['kind=prefix&value=ORIGIN/prices', ['/items/1', '/items/2']],
	['kind=pattern&value=/items/*', ['/prices/1', '/prices/stale']],
	['kind=url&value=ORIGIN/items/1', ['/items/2', '/prices/1', '/prices/stale']],
	['kind=key&value=KEY', ['/items/2', '/prices/1', '/prices/stale']],
	['kind=stale', ['/items/1', '/items/2', '/prices/1']],
	['kind=origin&value=ORIGIN', []],
	['kind=all', []],
] as const;

for (const [query, left] of purges) {
	test(`a purge by ${query} leaves ${left.join(', ') || 'nothing'}`, async () => {
		await using setup = await setUpInspector();
		await store(setup, ['items/1', 'items/2', 'prices/1', 'prices/stale']);
		const values = new Map([['ORIGIN', encodeURIComponent(setup.origin.url)], ['KEY', await keyOf(setup, 'items/1')]]);
		const path = `/api/purge?${query.replaceAll(/[A-Z]{3,}/gv, name => values.get(name) ?? name)}`;

		const {count, isComplete} = await (query.startsWith('kind=key') ? {count: 1, isComplete: true} : setup.json<WirePreview>(path.replace('purge', 'preview')));
		assert.deepEqual([count, isComplete], [4 - left.length, true]);
		assert.deepEqual(await setup.json<WireDone>(path, {method: 'POST'}), {isConfirmed: true});
		assert.deepEqual(urlsOf(await setup.json<WireEntries>('/api/entries')), left);
	});
}

test('a soft purge keeps the response and makes it stale, of a key or of everything there is none', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1']);
	assert.deepEqual(await setup.json<WireDone>('/api/purge?kind=tag&value=items&soft=1', {method: 'POST'}), {isConfirmed: true});
	const {entries} = await setup.json<WireEntries>('/api/entries');

	assert.deepEqual(entries.map(({isFresh}) => isFresh), [false]);
	for (const query of ['kind=all&soft=1', 'kind=key&value=a&soft=1', 'kind=nonsense', 'kind=__proto__&value=a', 'kind=tag', '', 'kind=prefix&value=nonsense', 'kind=group&value=a']) {
		assert.equal((await setup.ask(`/api/purge?${query}`, {method: 'POST'})).status, 400, query);
	}
});

test('an explanation names the decision, the variants and how long each may be used', async () => {
	await using setup = await setUpInspector();
	const {client, origin} = setup;
	await store(setup, []);
	await client('vary', {headers: {'accept-language': 'en'}});
	await client('vary', {headers: {'accept-language': 'de'}});
	const explanation = await setup.json<WireExplanation>(`/api/explain?url=${origin.url}/vary&header=Accept-Language:%20de`, {method: 'POST'});

	assert.deepEqual([explanation.decision.kind, explanation.decision.reason], ['reuse', 'fresh']);
	assert.deepEqual(new Map(explanation.stored.map(each => [each.vary['accept-language'], each.isSelected])), new Map([['de', true], ['en', false]]));
	assert.equal(explanation.stored[0]?.lifetimeSeconds, 60);
	assert.match(explanation.text, /vary/v);
	assert.equal((await setup.ask(`/api/explain?url=${origin.url}/vary&header=nonsense`, {method: 'POST'})).status, 400);
	assert.equal((await setup.ask('/api/explain?url=/vary', {method: 'POST'})).status, 400);
});

test('switches are set, listed and ended', async () => {
	await using setup = await setUpInspector();
	const {origin} = setup;
	const other = setup.other();
	await other.cache.bypass({origin: 'https://example.com'}, '1h');
	const set = async (query: string) => setup.json<WireDone>(`/api/switch?origin=${origin.url}&${query}`, {method: 'POST'});
	const kinds = async () => (await setup.json<WireSwitches>('/api/switches')).switches.map(({origin: each, kind}) => `${kind} ${each}`).toSorted();

	assert.deepEqual(await set('kind=freeze&duration=10m'), {isConfirmed: true});
	assert.deepEqual(await kinds(), ['bypass https://example.com', `freeze ${origin.url}`]);
	assert.deepEqual(await set('kind=thaw'), {isConfirmed: true});
	assert.deepEqual(await kinds(), ['bypass https://example.com']);
	for (const query of ['kind=freeze', 'kind=freeze&duration=often', 'kind=melt&duration=1h']) {
		assert.equal((await setup.ask(`/api/switch?origin=${origin.url}&${query}`, {method: 'POST'})).status, 400, query);
	}
});

test('exchanges are told from the first question on, the latest ones only', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['before']);
	assert.deepEqual(await setup.json<WireExchanges>('/api/exchanges'), {exchanges: [], last: 0, missed: 0});
	await store(setup, ['items/1', 'items/1']);
	const {exchanges, last} = await setup.json<WireExchanges>('/api/exchanges?after=0');

	assert.deepEqual(exchanges.map(({status, reason}) => [status, reason]), [['miss', 'not-stored'], ['hit', 'fresh']]);
	assert.equal(last, 2);
	assert.deepEqual((await setup.json<WireExchanges>('/api/exchanges?after=2')).exchanges, []);
	assert.equal((await setup.json<WireExchanges>('/api/exchanges?after=99')).exchanges.length, 2);
	assert.equal((await setup.ask('/api/exchanges?after=-1')).status, 400);
});

test('statistics are those of the fleet with a timeline, or of this process where there is no Redis', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1', 'items/1']);
	const stats = await setup.json<WireStatistics>('/api/statistics?since=15m');

	assert.equal(stats.isOfFleet, true);
	assert.equal(stats.requests, 2);
	assert.equal(stats.timeline.length, 16);
	assert.equal(stats.timeline.reduce((sum, {requests}) => sum + requests, 0), 2);
	assert.equal((await setup.ask('/api/statistics?since=5s')).status, 400);

	await using alone = await setUpInspector({store: 'memory'});
	await store(alone, ['items/1']);
	const ofProcess = await alone.json<WireStatistics>('/api/statistics');
	assert.deepEqual([ofProcess.isOfFleet, ofProcess.requests, ofProcess.timeline], [false, 1, []]);
	assert.match(String(ofProcess.why), /not a Redis/v);

	await using none = await setUpInspector({statistics: false});
	const {status, body} = await none.ask('/api/statistics');
	assert.equal(status, 400);
	assert.match(body, /`statistics` in redisCache\(\) is `false`/v);
});

test('health and a check tell how the store does, also when it is away', async () => {
	await using setup = await setUpInspector({timeout: '1s'});
	const {store: address, warnings} = await setup.json<WireCheck>('/api/check', {method: 'POST'});
	assert.equal(address, setup.redis.url);
	assert.ok(Array.isArray(warnings));
	const {state, isAnswering, place} = await setup.json<WireHealth>('/api/health');
	assert.deepEqual([state, isAnswering, place], ['ok', true, {address: setup.redis.url, namespace: 'http_cache'}]);
	await setup.redis.kill();
	const {status, body} = await setup.ask('/api/check', {method: 'POST'});

	assert.equal(status, 500);
	assert.match(body, /ECONNREFUSED|closed/v);
	assert.equal((await setup.ask('/api/entries')).status, 500);
	assert.equal((await setup.json<WireHealth>('/api/health')).isAnswering, false);
});
