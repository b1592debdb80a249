import assert from 'node:assert/strict';
import {setTimeout as delay} from 'node:timers/promises';
import type {Purgeable} from '../management/filters.ts';
import {
	arrival,
	ask,
	assertGiven,
	hear,
	store,
	until,
	type Act,
	type Scene,
	type Subject,
} from './scene.ts';

type Purge = {
	/** The purge removes `/a` of the origin; the time lies after it was stored, and before its neighbours were. */
	readonly what: (originUrl: string, time: Date) => Purgeable;
	/** The responses that stay. `other:` is another origin. */
	readonly neighbours: readonly string[];
};

const byMark: Record<string, Purge> = {
	'a tag': {what: () => ({tag: 'tag-a'}), neighbours: ['/ab', '/b', '/A']},
	'a cache group': {what: origin => ({group: 'group-a', origin}), neighbours: ['/ab', 'other:/a']},
	'an origin': {what: origin => ({origin}), neighbours: ['other:/a']},
};

const byLook: Record<string, Purge> = {
	'a prefix': {what: origin => ({prefix: `${origin}/a`}), neighbours: ['/b', '/A', 'other:/a']},
	'a pattern': {what: () => ({pattern: /:\d+\/a$/v}), neighbours: ['/ab', '/b/a']},
	age: {what: (_origin, olderThan) => ({olderThan}), neighbours: ['/ab']},
};

/** The resource that is to go, and those that are to stay, stored. */
const furnish = async (scene: Scene, neighbours: readonly string[]) => {
	const {origin, one, openOrigin} = scene;
	const url = `${origin.url}/a`;
	const {body} = await store(scene, url);
	await delay(5);
	const time = new Date();
	await delay(5);
	const another = neighbours.some(each => each.startsWith('other:')) ? await openOrigin() : origin;
	const neighbourUrls = neighbours.map(each => each.startsWith('other:') ? another.url + each.slice('other:'.length) : origin.url + each);
	for (const neighbour of neighbourUrls) {
		await store(scene, neighbour);
	}

	await assertGiven(one, url, {status: 'hit', body});
	return {url, time, neighbourUrls};
};

const assertSpared = async ({one, other}: Scene, urls: readonly string[]) => {
	for (const subject of [one, other]) {
		for (const url of urls) {
			await assertGiven(subject, url, {status: 'hit'});
		}
	}
};

const hardly = ({what, neighbours}: Purge): Act => async scene => {
	const {origin, one, other} = scene;
	const {url, time, neighbourUrls} = await furnish(scene, neighbours);
	await assertGiven(other, url, {status: 'hit'});
	assert.equal(await one.cache.invalidate(what(origin.url, time)), true, 'it was confirmed');
	await hear(other);
	assert.equal(await one.cache.has(url, {stale: true}), false);
	await assertGiven(other, url, {status: 'miss'});
	await assertSpared(scene, neighbourUrls);
};

const softly = ({what, neighbours}: Purge): Act => async scene => {
	const {origin, one, other} = scene;
	const {url, time, neighbourUrls} = await furnish(scene, neighbours);
	const {body} = await ask(other, url);
	assert.equal(await one.cache.invalidate(what(origin.url, time), {soft: true}), true, 'it was confirmed');
	await hear(other);
	assert.deepEqual([await one.cache.has(url), await one.cache.has(url, {stale: true})], [false, true]);
	const {answer} = origin;
	origin.answer = () => ({status: 503});
	await assertGiven(other, url, {status: 'stale', body}, {context: {cache: {staleIfError: true}}});
	origin.answer = ({headers}) => ({status: headers['if-none-match'] === '"1"' ? 304 : 500, headers: {etag: '"1"', 'cache-control': 'max-age=60'}});
	await assertGiven(other, url, {status: 'revalidated', body});
	origin.answer = answer;
	await assertGiven(other, url, {status: 'hit', body});
	await assertSpared(scene, neighbourUrls);
};

const byUrl: Act = async scene => {
	const {origin, one, other} = scene;
	const {answer} = origin;
	origin.answer = async request => {
		const {headers, ...rest} = await answer(request);
		return {...rest, headers: {...headers, vary: 'accept-language'}};
	};

	const neighbours = ['/ab', '/a/', '/a?', '/A'].map(path => origin.url + path);
	const languages = ['en', 'de'];
	const url = `${origin.url}/a`;
	for (const each of [url, ...neighbours]) {
		for (const language of languages) {
			await store(scene, each, {'accept-language': language});
		}
	}

	assert.equal(await one.cache.delete(url), true, 'it was confirmed');
	await hear(other);
	for (const language of languages) {
		await assertGiven(other, url, {status: 'miss'}, {headers: {'accept-language': language}});
		for (const neighbour of neighbours) {
			await assertGiven(other, neighbour, {status: 'hit'}, {headers: {'accept-language': language}});
		}
	}
};

const unsafely: Act = async scene => {
	const {origin, one, other} = scene;
	const url = `${origin.url}/a`;
	await store(scene, url);
	await store(scene, `${url}b`);
	await ask(one, url, {method: 'DELETE'});
	await hear(other);
	await assertGiven(other, url, {status: 'miss'});
	await assertGiven(other, `${url}b`, {status: 'hit'});
};

/** Of what is on its way while it is purged, nothing is stored. */
const onItsWay = (purge: (subject: Subject, originUrl: string) => Promise<boolean>): Act => async ({origin, one, other}) => {
	const url = `${origin.url}/a`;
	const {answer} = origin;
	const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	origin.answer = async request => {
		const early = await answer(request);
		arrived.resolve();
		await released.promise;
		return early;
	};

	const asking = ask(other, url);
	await arrived.promise;
	assert.equal(await purge(one, origin.url), true, 'it was confirmed');
	origin.answer = answer;
	released.resolve();
	const early = await asking;
	// A late write would be there by now.
	await ask(other, `${origin.url}/last`);
	await arrival(other, `${origin.url}/last`);
	for (const subject of [one, other]) {
		const {body} = await ask(subject, url);
		assert.notEqual(body, early.body, 'what was asked for before the purge is not given after it');
	}

	// A resource that was purged a moment ago is trusted again.
	await until(async () => (await ask(one, url)).status === 'hit', `${url} is stored again`);
};

/** Nobody's purge undoes another one's. */
const atOnce: Act = async scene => {
	const {origin, one, other} = scene;
	const urls = Array.from({length: 12}, (_, number) => `${origin.url}/t${number}`);
	for (const url of urls) {
		await store(scene, url);
	}

	const tags = urls.map(url => `tag-${url.split('/').at(-1)}`);
	const confirmations = await Promise.all([
		...tags.slice(0, 8).map(async tag => one.cache.invalidate({tag})),
		...tags.slice(4).map(async tag => other.cache.invalidate({tag})),
		...urls.slice(0, 6).map(async url => other.cache.delete(url)),
	]);
	assert.ok(confirmations.every(Boolean), 'all were confirmed');
	await Promise.all([hear(one), hear(other)]);
	for (const [position, url] of urls.entries()) {
		await assertGiven([one, other][position % 2] ?? one, url, {status: 'miss'});
	}
};

const fromMarks = Object.entries(byMark).flatMap(([name, purge]) => [
	[`purging by ${name} reaches every cache, and spares what is beside it`, hardly(purge)],
	[`purging softly by ${name}: validated before it is used, and there when the origin fails`, softly(purge)],
] as const);

const fromLooks = Object.entries(byLook).flatMap(([name, purge]) => [
	[`purging by ${name} reaches every cache, and spares what is beside it`, hardly(purge)],
	[`purging softly by ${name}: validated before it is used, and there when the origin fails`, softly(purge)],
] as const);

export const purging: Record<string, Act> = {
	'purging a URL takes its variants along, and spares what is beside it': byUrl,
	'a request that changes a resource purges it for all': unsafely,
	...Object.fromEntries(fromMarks),
	'what is on its way while its URL is purged is not stored': onItsWay(async ({cache}, url) => cache.delete(`${url}/a`)),
	'what is on its way while its tag is purged is not stored': onItsWay(async ({cache}) => cache.invalidate({tag: 'tag-a'})),
	'what is on its way while its origin is purged is not stored': onItsWay(async ({cache}, url) => cache.invalidate({origin: new URL(url).origin})),
	'purges at the same time all hold': atOnce,
};

/** For stores that can list their keys. */
export const purgingByLook: Record<string, Act> = Object.fromEntries(fromLooks);
