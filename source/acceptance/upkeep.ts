import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {redisCache} from '../got/plugin.ts';
import {
	arrival,
	ask,
	assertGiven,
	hear,
	store,
	type Act,
	type Subject,
} from './scene.ts';

const pathsOf = async ({cache}: Subject, filter?: Parameters<Subject['cache']['entries']>[0]): Promise<string[]> => {
	const entries = await Array.fromAsync(cache.entries(filter));
	return entries.map(({url}) => new URL(url).pathname).toSorted();
};

const reading: Act = async scene => {
	const {origin, other} = scene;
	const url = `${origin.url}/a`;
	assert.deepEqual([await other.cache.get(url), await other.cache.has(url), await other.cache.has(url, {stale: true})], [undefined, false, false]);
	await store(scene, url);
	const stored = await other.cache.get(url);
	assert.deepEqual([stored?.url, stored?.statusCode, stored?.size, stored?.isFresh, stored?.tags, stored?.groups], [url, 200, 1, true, ['tag-a'], ['group-a']]);
	assert.equal(await other.cache.touch(url, 0), true);
	await hear(scene.one);
	assert.deepEqual([await scene.one.cache.has(url), await scene.one.cache.has(url, {stale: true})], [false, true]);
	assert.equal(await other.cache.touch(url, '1d'), true);
	await hear(scene.one);
	assert.equal(await scene.one.cache.has(url), true);
	assert.equal(await other.cache.touch(`${origin.url}/b`, '1d'), false);
};

const listing: Act = async scene => {
	const {origin, one, other} = scene;
	assert.deepEqual(await pathsOf(other), []);
	const paths = Array.from({length: 30}, (_, number) => `/${number}`);
	for (const path of paths) {
		await store(scene, origin.url + path);
	}

	await other.cache.delete(`${origin.url}/7`);
	await other.cache.invalidate({tag: 'tag-8'});
	const left = paths.filter(path => path !== '/7' && path !== '/8');
	assert.deepEqual(await pathsOf(other), left.toSorted());
	assert.deepEqual(await pathsOf(other, {tag: 'tag-9'}), ['/9']);
	assert.deepEqual(await pathsOf(other, {prefix: `${origin.url}/1`}), left.filter(path => path.startsWith('/1')).toSorted());

	await using copy = redisCache('memory');
	assert.equal(await one.cache.copyTo(copy), left.length);
	assert.equal(await copy.has(`${origin.url}/9`), true);
};

/** Of `namespace`, and of one that a careless pattern or comparison takes for it. */
const clearing: Act = async ({origin, one, open, isShared}) => {
	const url = `${origin.url}/a`;
	await ask(one, url);
	await arrival(one, url);
	if (isShared) {
		const root = randomUUID();
		const names = [root, `${root}:b`, `${root}b`, `${root}*`, `${root}%`, `${root}_`, `[${root}]`, `${root}\\`, `${root} ü'"`, root.replace('-', '_')];
		const neighbours: Subject[] = [];
		for (const namespace of names) {
			const neighbour = await open({namespace});
			await ask(neighbour, url);
			await arrival(neighbour, url);
			neighbours.push(neighbour);
		}

		for (const [position, {cache}] of neighbours.entries()) {
			await cache.clear();
			await Promise.all(neighbours.map(async neighbour => hear(neighbour)));
			const left = await Promise.all(neighbours.map(async neighbour => neighbour.cache.has(url)));
			assert.deepEqual(left, names.map((_, other) => other > position), `after clearing '${names[position]}'`);
		}

		await assertGiven(one, url, {status: 'hit'});
	}

	await one.cache.clear();
	await assertGiven(one, url, {status: 'miss'});
};

const refusal: Act = async ({origin, one}) => {
	await ask(one, `${origin.url}/a`);
	await assert.rejects(pathsOf(one), Error);
	assert.equal(one.errors.length, 1, 'listing is told to be impossible');
	one.errors.length = 0;
};

const closing: Act = async ({origin, one, other, open, isShared}) => {
	const url = `${origin.url}/a`;
	await ask(one, url);
	await one.cache.close();
	const given = await ask(one, url);
	assert.deepEqual([given.status === 'hit', given.statusCode, given.body], [false, 200, '2'], 'requests go on');
	if (!isShared) {
		return;
	}

	await assertGiven(other, url, {status: 'hit', body: '1'});
	const late = await open();
	await assertGiven(late, url, {status: 'hit', body: '1'});
	await Promise.all([late.cache.close(), late.cache.close()]);
};

export const upkeep: Record<string, Act> = {
	'what is stored can be read, and given another lifetime': reading,
	'a cache that is closed has written what it had to, and leaves the store to others': closing,
};

/** For stores that can list their keys. */
export const upkeepByLook: Record<string, Act> = {
	'what is stored can be listed and copied': listing,
	'clearing removes a namespace and nothing else': clearing,
};

/** For those that cannot. */
export const upkeepWithoutLook: Record<string, Act> = {
	'what cannot be listed is said to be so': refusal,
};
