import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import type {Got, OptionsInit} from 'got';
import type {NotStoredReason} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {
	dump,
	interfaces,
	places,
	refreshed,
	type Place,
} from './store-change-helpers.ts';
import type {Received} from './read-stream.ts';

/*
What may not be stored reaches the one who asked, and nobody else.
*/

type Fields = Readonly<Record<string, string>>;

/** What the origin says to A alone. */
const all: Fields = {'set-cookie': 'session=A', 'x-user': 'A'};
const etag = '"1"';

const asUser = (user: string, options: OptionsInit = {}, headers: Fields = {}): OptionsInit => ({...options, headers: {'x-who': user, ...headers, ...options.headers as Fields}});

const assertNothingOfA = ({headers, body}: Received) => {
	assert.deepEqual([headers['x-user'], headers['set-cookie'], body.includes('A')], [undefined, undefined, false]);
};

type Refusal = {
	readonly reason: NotStoredReason;
	/** What the origin says to A of caching. */
	readonly fields: Fields;
	readonly request?: Fields;
	readonly mine?: Fields;
};

/** Why what the origin says to A may not be stored. */
const refusals: Readonly<Record<string, Refusal>> = {
	private: {reason: 'private', fields: {'cache-control': 'private'}},
	'private with a lifetime': {reason: 'private', fields: {'cache-control': 'max-age=60, private'}},
	'no-store': {reason: 'no-store', fields: {'cache-control': 'no-store'}},
	'no-store with a lifetime': {reason: 'no-store', fields: {'cache-control': 'no-store, max-age=60'}},
	'Vary: *': {reason: 'vary-star', fields: {'cache-control': 'max-age=60', vary: '*'}},
	'credentials without a word': {reason: 'authorization', fields: {}, request: {authorization: 'Bearer A'}, mine: {'x-user': 'A'}},
	'credentials and a lifetime': {reason: 'authorization', fields: {'cache-control': 'max-age=60'}, request: {authorization: 'Bearer A'}},
	'a cookie without a word': {reason: 'set-cookie', fields: {}},
};

type Way = {
	readonly stored: Fields;
	/** How A asks. */
	readonly options?: OptionsInit;
	/** Whether the origin answers a HEAD request as if it had no precondition. */
	readonly isHeadAnswered?: boolean;
	/** Whether A is given the whole with what the origin said of it. */
	readonly isMerged?: boolean;
	readonly isInBackground?: boolean;
};

const stale: Fields = {'cache-control': 'max-age=0'};
const fresh: Fields = {'cache-control': 'max-age=600'};
const vary: Fields = {vary: 'accept-language'};

/** How what is stored comes to be told of. */
const ways: Readonly<Record<string, Way>> = {
	'a validation of what is stale': {stored: stale, isMerged: true},
	'a validation that the request demands': {stored: fresh, options: {headers: {'cache-control': 'no-cache'}}, isMerged: true},
	'a validation by HEAD': {stored: stale, options: {method: 'HEAD'}},
	'a HEAD response': {stored: stale, options: {method: 'HEAD'}, isHeadAnswered: true},
	'a precondition of the caller\'s own': {stored: stale, options: {headers: {'if-none-match': etag}}},
	'a refresh in the background': {stored: {'cache-control': 'max-age=0, stale-while-revalidate=600'}, isInBackground: true},
	'a request for another variant': {stored: {...fresh, ...vary}, options: {headers: {'accept-language': 'de'}}, isMerged: true},
};

/** One page with one entity tag; A is told more of it than the others. */
const serve = ({origin}: Setup, {stored, isHeadAnswered = false}: Way, mine: Fields) => {
	origin.handler = ({headers, method}, response) => {
		const isKnown = headers['if-none-match']?.includes(etag) === true && !(isHeadAnswered && method === 'HEAD');
		const isMine = headers['x-who'] === 'A';
		const told = isMine ? {etag, ...(stored.vary !== undefined && vary), ...mine} : {etag, ...(!isKnown && stored)};
		respond(response, isKnown ? {status: 304, headers: told} : {headers: told, body: 'whole'});
	};
};

type Scene = {
	readonly setup: Setup;
	readonly place: Place;
	readonly way: Way;
	readonly refusal: Refusal;
};

/** A asks, and is told what nobody else may know. */
const askAsA = async ({setup, place: {ask}, way, refusal: {reason, request, mine = all}}: Scene) => {
	const {client, origin} = setup;
	const asked = origin.requests.length;
	const given = await ask(client, asUser('A', way.options, request));
	if (way.isInBackground) {
		await refreshed(setup, asked + 1);
		assert.deepEqual([given.statusCode, given.body], [200, 'whole']);
		return;
	}

	assert.deepEqual([given.headers['x-user'], given.headers['set-cookie']?.[0], given.info?.notStored], ['A', mine['set-cookie'], reason]);
	if (!way.isMerged) {
		return;
	}

	assert.deepEqual([given.statusCode, given.body, given.info?.status, given.info?.reason], [200, 'whole', 'revalidated', 'not-modified']);
	assert.match(String(given.headers['cache-status']), new RegExp(`;fwd-status=304;(?!.*;stored).*;detail=${reason}$`, 'v'));
};

/** What lies there is validated before it is used again, and has nothing of what A was told. */
const askAsOthers = async ({setup: {origin}, place: {ask}, way: {stored}}: Scene, client: Got) => {
	const asked = origin.requests.length;
	const next = await ask(client, asUser('C', {}, stored.vary ? {'accept-language': 'de'} : {}));
	assertNothingOfA(next);
	assert.deepEqual([next.statusCode, next.body], [200, 'whole']);
	assert.equal(origin.requests.length, asked + 1);
	assertNothingOfA(await ask(client, asUser('B')));
};

/** @returns All that is in Redis in the end. */
const check = async (scene: Scene): Promise<string> => {
	const {setup, place, way, refusal: {fields, mine = all}} = scene;
	const {client, redis, cache} = setup;
	serve(setup, way, {...mine, ...fields});
	// In the process of A, and in another.
	for (const other of place.isShared ? [client, setup.other().client] : [client]) {
		await cache.clear();
		await place.ask(client, asUser('B'));
		await settleWrites(setup);
		await askAsA(scene);
		await settleWrites(setup);
		const text = await dump(redis);
		assert.equal(text.includes('session=A') || text.includes('x-user'), false);
		await askAsOthers(scene, other);
	}

	return dump(redis);
};

for (const place of places) {
	for (const [how, way] of Object.entries(ways)) {
		test(`${how}, in ${place.where}`, async t => {
			await using setup = await setUp(place.options);
			for (const [what, refusal] of Object.entries(refusals)) {
				await t.test(`${what} tells nobody else`, async () => {
					assert.equal((await check({setup, place, way, refusal})).includes('session=A'), false);
				});
			}
		});
	}
}

suite('what may be told of a stored response', () => {
	for (const [name, ask] of Object.entries(interfaces)) {
		test(`a 304 without a word on caching inherits what is stored (${name})`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			origin.queue({headers: {etag, 'cache-control': 'max-age=0'}, body: 'whole'}, {status: 304, headers: {'x-new': 'new'}}, {status: 304});
			await ask(client);
			await settleWrites(setup);
			const validated = await ask(client);
			assert.deepEqual([validated.info?.status, validated.info?.notStored, validated.headers['x-new']], ['revalidated', undefined, 'new']);
			assert.equal((await ask(client)).headers['x-new'], 'new');
		});

		test(`a 304 without a word on caching, to a request with Authorization, tells nobody else, whatever is stored (${name})`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			for (const cacheControl of ['public, max-age=0', 'max-age=0, must-revalidate', 'max-age=0, s-maxage=0']) {
				await setup.cache.clear();
				origin.queue({headers: {etag, 'cache-control': cacheControl}, body: 'whole'}, {status: 304, headers: {'x-user': 'A'}}, {status: 304});
				await ask(client);
				await settleWrites(setup);
				const validated = await ask(client, {headers: {authorization: 'Bearer A'}});
				assert.deepEqual([validated.info?.status, validated.info?.notStored, validated.headers['x-user']], ['revalidated', 'authorization', 'A']);
				await settleWrites(setup);
				assert.equal((await ask(client)).headers['x-user'], undefined);
			}
		});

		test(`a qualified directive keeps the fields that it names from others, and no more (${name})`, async () => {
			await using setup = await setUp();
			const {client, origin, redis} = setup;
			for (const [stored, fields] of [
				['max-age=0', {...all, 'cache-control': 'max-age=0, private="X-User, Set-Cookie"'}],
				['max-age=0', {...all, 'cache-control': 'max-age=0, no-cache="X-User, Set-Cookie"'}],
				['max-age=0, private="X-User"', {'x-user': 'A'}],
			] as const) {
				await setup.cache.clear();
				origin.queue({headers: {etag, 'cache-control': stored}, body: 'whole'}, {status: 304, headers: {'x-new': 'new', ...fields}}, {status: 304});
				await ask(client);
				await settleWrites(setup);
				const given = await ask(client);
				assert.deepEqual([given.headers['x-user'], given.headers['x-new'], given.info?.notStored], ['A', 'new', undefined]);
				await settleWrites(setup);
				assert.equal((await dump(redis)).includes('session=A'), false);
				const next = await ask(client);
				assertNothingOfA(next);
				assert.equal(next.headers['x-new'], 'new');
			}
		});
	}
});
