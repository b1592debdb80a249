import assert from 'node:assert/strict';
import {AsyncLocalStorage} from 'node:async_hooks';
import {test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import fc from 'fast-check';
import got, {RequestError, type Got, type OptionsInit} from 'got';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {holdNext, respond, startOrigin, type RecordedRequest} from '../helpers/origin.ts';
import {runsOf, triesOf} from '../helpers/runs.ts';
import {hold} from './flights-helpers.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {dump, interfaces, refreshed} from './store-change-helpers.ts';

/*
The option `user`: whose a response is. A token is `name.number`; each number is a token of its own.
*/

const user: RedisCacheOptions['user'] = (_request, {context}) => context.userId as string | undefined;

/** Some requests have credentials that the cache is told nothing of. */
const as = (name: string | undefined, token: number, isNamed = true): OptionsInit => ({
	...(isNamed && name !== undefined && {context: {userId: name}}),
	...(name !== undefined && {headers: {authorization: `Bearer ${name}.${token}`, cookie: `sid=${name}.${token}`}}),
});

const ownerOf = ({headers: {authorization}}: Pick<RecordedRequest, 'headers'>): string => authorization === undefined ? 'nobody' : authorization.slice('Bearer '.length).split('.', 1)[0] ?? '';

const serve = ({origin}: Pick<Setup, 'origin'>, headers: Readonly<Record<string, string>>) => {
	origin.handler = (request, response) => {
		respond(response, {headers, body: `${ownerOf(request)} ${origin.requests.length}`});
	};
};

const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	'says nothing of users': {'cache-control': 'max-age=60'},
	'is private': {'cache-control': 'private, max-age=60'},
	'varies by credentials': {'cache-control': 'max-age=60', vary: 'Authorization, Cookie'},
	'sets a cookie': {'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT', 'set-cookie': 'a=1'},
	'is for all': {'cache-control': 'public, max-age=60, s-maxage=60'},
};

for (const [name, ask] of Object.entries(interfaces)) {
	for (const shared of [true, false]) {
		for (const [kind, headers] of Object.entries(kinds)) {
			test(`a response that ${kind} is stored for its user, whatever his token: ${shared ? 'shared' : 'private'}, ${name}`, async () => {
				await using setup = await setUp({shared, user});
				serve(setup, headers);
				const told = async (options: OptionsInit) => {
					const {body, info} = await ask(setup.client, options);
					return `${info?.status} ${body}`;
				};

				assert.equal(await told(as('alice', 1)), 'miss alice 1');
				assert.equal(await told(as('bob', 1)), 'miss bob 2');
				for (const token of [1, 2, 3]) {
					assert.equal(await told(as('alice', token)), 'hit alice 1');
					assert.equal(await told(as('bob', token)), 'hit bob 2');
				}

				// Also for another process, and without a token at all.
				const {client: other} = setup.other();
				assert.equal((await ask(other, {context: {userId: 'alice'}})).body, 'alice 1');
				assert.equal(await told(as('carol', 1, false)), 'miss carol 3');
				assert.equal(await told(as(undefined, 1)), shared && kind === 'is for all' ? 'hit carol 3' : 'miss nobody 4');
				await settleWrites(setup);
				assert.doesNotMatch(await dump(setup.redis), /userId|alice(?! )/v);
			});
		}
	}
}

test('a user whom an AsyncLocalStorage names is the same in a refresh that another user\'s refresh has made wait', async () => {
	const present = new AsyncLocalStorage<string>();
	await using setup = await setUp({user: () => present.getStore()});
	const {client} = setup;
	const ask = async (name: string, url: string) => present.run(name, async () => client(url, as(name, 1, false)).text());
	const pages = Array.from({length: 16}, (_, number) => `pages/${number}`);
	const askForAll = async () => {
		await Promise.all(pages.map(async page => ask('alice', page)));
		await ask('bob', 'me');
	};

	serve(setup, {'cache-control': 'max-age=1, stale-while-revalidate=60', age: '1'});
	await askForAll();
	await settleWrites(setup);

	const gate = hold(setup);
	await askForAll();
	await gate.arrivals(pages.length);
	gate.answer({headers: {'cache-control': 'max-age=60'}});
	await gate.arrivals(1);
	gate.answer({headers: {'cache-control': 'max-age=60'}, body: 'refreshed for bob'});
	await settleWrites(setup);

	serve(setup, {'cache-control': 'max-age=60'});
	assert.match(await ask('alice', 'me'), /^alice/v);
	assert.equal(await ask('bob', 'me'), 'refreshed for bob');
});

test('a request that is nobody\'s in particular is treated as without the option', async () => {
	await using setup = await setUp({user});
	serve(setup, kinds['says nothing of users']!);
	const {info} = await interfaces.promise!(setup.client, as('carol', 1, false));
	assert.equal(info?.notStored, 'authorization');
	const {client} = setup.other({shared: false});
	const bodies: string[] = [];
	for (const [name, token] of [['carol', 1], ['carol', 2], ['dave', 1], ['carol', 1]] as const) {
		bodies.push((await interfaces.promise!(client, as(name, token, false))).body);
	}

	assert.deepEqual(bodies, ['carol 2', 'carol 3', 'dave 4', 'carol 2']);
});

test('equal requests of one user become one, and those of others do not', async () => {
	for (const ask of Object.values(interfaces)) {
		await using setup = await setUp({user});
		serve(setup, kinds['is private']!);
		const flight = holdNext(setup.origin);
		const first = ask(setup.client, as('alice', 1));
		await flight.arrived;
		const others = [as('alice', 2), as('alice', 3), as('bob', 1), as('alice', 1, false), as(undefined, 1)].map(async options => ask(setup.client, options));
		while (setup.origin.requests.length < 4) {
			await nextTurn();
		}

		flight.release();
		const bodies = (await Promise.all([first, ...others])).map(({body}) => body.split(' ', 1)[0]);
		assert.deepEqual(bodies, ['alice', 'alice', 'alice', 'bob', 'alice', 'nobody']);
		assert.equal(setup.origin.requests.length, 4);
	}
});

test('a stale response stands in for its user alone, and is refreshed with the token of who asks', async () => {
	for (const ask of Object.values(interfaces)) {
		await using setup = await setUp({user, staleIfError: true});
		const {client, origin} = setup;
		serve(setup, {'cache-control': 'private, max-age=1, stale-while-revalidate=60', age: '1', etag: '"1"'});
		await ask(client, as('alice', 1));
		serve(setup, {'cache-control': 'private, max-age=1', age: '1', etag: '"1"'});
		assert.equal((await ask(client, as('alice', 2))).body, 'alice 1');
		await refreshed(setup, 2);
		assert.equal(origin.requests[1]?.headers.authorization, 'Bearer alice.2');

		origin.handler = (_request, response) => {
			respond(response, {status: 503});
		};

		assert.equal((await ask(client, as('alice', 3))).body, 'alice 2');
		for (const options of [as('bob', 1), as('alice', 1, false), as(undefined, 1)]) {
			assert.deepEqual(await ask(client, {...options, throwHttpErrors: false}).then(({statusCode, body}) => [statusCode, body]), [503, '']);
		}
	}
});

test('a response that is stored for a user is read, touched and removed by the user\'s name', async () => {
	await using setup = await setUp({user});
	const {cache, client, origin} = setup;
	serve(setup, kinds['is private']!);
	const url = `${origin.url}/items`;
	for (const name of ['alice', 'bob']) {
		await interfaces.promise!(client, {...as(name, 1), context: {userId: name, cache: {tags: ['t']}}});
	}

	const bodyFor = async (name: string | undefined) => new TextDecoder().decode((await cache.get({url, user: name}))?.body);
	assert.deepEqual(await Promise.all(['alice', 'bob', 'carol', undefined].map(async name => bodyFor(name))), ['alice 1', 'bob 2', '', '']);
	assert.equal(await cache.has({url, user: 'alice', headers: {authorization: 'Bearer alice.9'}}), true);
	assert.equal(await cache.has(url, {stale: true}), false);
	assert.equal(await cache.touch({url, user: 'alice'}, '1h'), true);
	assert.equal(await cache.touch(url, '1h'), false);
	await cache.delete({url, user: 'alice'});
	assert.deepEqual(await Promise.all(['alice', 'bob'].map(async name => bodyFor(name))), ['', 'bob 2']);
	await cache.invalidate({tag: 't'});
	assert.equal(await bodyFor('bob'), '');
	for (const wrong of ['', 1, null]) {
		await assert.rejects(cache.get({url, user: wrong as never}), {name: 'TypeError', message: /`user` in get\(\) to be a string that is not empty/v});
	}
});

test('an unsafe request of a user invalidates what is stored for him, and what is nobody\'s in particular', async () => {
	await using setup = await setUp({user});
	const {cache, client, origin} = setup;
	serve(setup, kinds['is for all']!);
	const url = `${origin.url}/items`;
	for (const options of [as('alice', 1), as('bob', 1), as(undefined, 1)]) {
		await interfaces.promise!(client, options);
	}

	await client.put('items', as('alice', 2));
	assert.deepEqual(await Promise.all(['alice', 'bob', undefined].map(async name => cache.has({url, user: name}))), [false, true, false]);
});

for (const [name, ask] of Object.entries(interfaces)) {
	test(`a function \`user\` that throws, or names nobody, fails the request: ${name}`, async () => {
		const wrong: unknown[] = [null, 1, {}, ['a'], Promise.resolve('a'), '', 'undefined', 'null', '[object Object]'];
		for (const value of wrong) {
			await using setup = await setUp({user: () => value as never});
			await assert.rejects(
				ask(setup.client),
				(error: unknown) =>
					error instanceof RequestError
					&& error.cause instanceof TypeError
					&& error.message.includes('`user` to return a string that names a user, or undefined, got'),
				String(value),
			);
			assert.equal(setup.origin.requests.length, 0);
		}

		await using setup = await setUp({
			user() {
				throw new Error('unknown user');
			},
		});
		await assert.rejects(ask(setup.client), {name: 'RequestError', message: 'The function `user` of redisCache() threw: unknown user'});
		assert.equal(setup.origin.requests.length, 0);
	});
}

test('functions of the user\'s own see the credentials of the request', async () => {
	const seen = new Set<unknown>();
	const note = (place: string, {headers: {authorization, cookie}}: {readonly headers: Readonly<Record<string, unknown>>}) => {
		seen.add(`${place} ${String(authorization)} ${String(cookie)}`);
	};

	await using setup = await setUp({
		user(request) {
			note('user', request);
			return 'alice';
		},
		key(request) {
			note('key', request);
			return '';
		},
		filter(request) {
			note('filter', request);
			return true;
		},
		expireAfter(_response, request) {
			note('expireAfter', request);
			return undefined;
		},
	});
	serve(setup, kinds['is private']!);
	for (const ask of Object.values(interfaces)) {
		await ask(setup.client, as('alice', 1));
	}

	assert.deepEqual([...seen].map(String).toSorted((first, second) => first.localeCompare(second)), ['expireAfter', 'filter', 'key', 'user'].map(place => `${place} Bearer alice.1 sid=alice.1`));
});

/* At random. */

const names = ['alice', 'bob', undefined] as const;

type Step = {
	/** Who asks at the same time. */
	readonly askers: ReadonlyArray<{
		readonly name: typeof names[number];
		readonly token: number;
		readonly isNamed: boolean;
		readonly way: string;
		readonly method: 'GET' | 'HEAD' | 'QUERY' | 'PUT';
		readonly query: string;
		readonly mode: 'default' | 'no-cache' | 'reload' | 'force-cache';
		readonly range: string | undefined;
	}>;
	readonly answer: {
		readonly cacheControl: string | undefined;
		readonly vary: string | undefined;
		readonly noVarySearch: string | undefined;
		readonly status: 200 | 301 | 404 | 503;
		readonly isValidated: boolean;
	};
};

test('credentials that change while the store is asked are those of the user whose response is stored', async () => {
	await using setup = await setUp({memory: false, user: ({headers}) => headers.authorization as string | undefined});
	const {client} = setup;
	serve(setup, {'cache-control': 'private, max-age=60'});
	// The class of got's requests is learnt from the first.
	await client('others', as('alice', 1));
	const late = client.extend({
		hooks: {
			init: [(_given, options) => {
				// When the store has been asked.
				setImmediate(() => {
					Object.assign(options.headers, as('bob', 1).headers);
				});
			}],
		},
	});
	assert.equal(await late('items', as('alice', 1)).text(), 'bob 2');
	assert.equal(await client('items', as('alice', 1)).text(), 'alice 3');
	assert.equal(await client('items', as('bob', 1)).text(), 'bob 2');
});

/** Changes the credentials when the store has been asked. */
const asLate = (client: Got, change: (options: {readonly headers: Record<string, unknown>}) => void): Got => client.extend({
	handlers: [(options, next) => {
		setImmediate(() => {
			change(options);
		});
		return next(options);
	}],
});

const toBob = ({headers}: {readonly headers: Record<string, unknown>}) => {
	Object.assign(headers, as('bob', 1).headers);
};

for (const [name, ask] of Object.entries(interfaces)) {
	for (const [what, options] of Object.entries({
		'the option `user`': {user: ({headers}) => headers.authorization as string | undefined},
		'a private cache': {shared: false},
		'a private cache and `coalesce: \'fleet\'`': {shared: false, coalesce: 'fleet'},
	} satisfies Record<string, RedisCacheOptions>)) {
		test(`a response is given to and stored for the credentials that are sent, if they change while the store is asked: ${what}, ${name}`, async () => {
			await using setup = await setUp({memory: false, ...options});
			const {client} = setup;
			serve(setup, {'cache-control': 'private, max-age=60', etag: '"1"'});
			const late = asLate(client, toBob);
			assert.equal((await ask(client, as('alice', 1))).body, 'alice 1');
			// A response is stored for alice.
			assert.equal((await ask(late, as('alice', 1))).body, 'bob 2');
			assert.equal((await ask(late, as('alice', 1))).body, 'bob 2');
			await settleWrites(setup);
			await setup.cache.clear();
			// Nothing is stored yet.
			assert.equal((await ask(late, as('alice', 1))).body, 'bob 3');
			// A stream is stored after its end.
			await settleWrites(setup);
			assert.equal((await ask(client, as('alice', 1))).body, 'alice 4');
			assert.equal((await ask(client, as('bob', 1))).body, 'bob 3');
		});
	}

	test(`credentials that change whenever the store is asked leave the cache out of the request: ${name}`, async () => {
		let token = 1;
		let present: {headers: Record<string, unknown>} | undefined;
		await using setup = await setUp({
			memory: false,
			user({headers}) {
				setImmediate(() => {
					Object.assign(present?.headers ?? {}, as('bob', ++token).headers);
				});
				return headers.authorization as string | undefined;
			},
		});
		serve(setup, {'cache-control': 'private, max-age=60'});
		const late = asLate(setup.client, options => {
			present = options;
		});
		const {info} = await ask(late, as('bob', 1));
		assert.equal(info?.reason, 'changing-request');
		await settleWrites(setup);
		assert.deepEqual(await Array.fromAsync(setup.cache.entries()), []);
	});
}

const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({
	askers: fc.array(fc.record({
		name: fc.constantFrom(...names),
		token: fc.nat({max: 2}),
		isNamed: fc.constantFrom(true, true, false),
		way: fc.constantFrom(...Object.keys(interfaces)),
		method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'QUERY', 'PUT'),
		query: fc.constantFrom('', '', '?utm=1', '?utm=2', '?id=alice'),
		mode: fc.constantFrom('default', 'default', 'default', 'no-cache', 'reload', 'force-cache'),
		range: fc.constantFrom(undefined, undefined, undefined, 'bytes=0-1'),
	}), {minLength: 1, maxLength: 4}),
	answer: fc.record({
		cacheControl: fc.constantFrom('private, max-age=60', 'max-age=60', 'public, max-age=60', 'max-age=1, stale-while-revalidate=60, stale-if-error=60', 'no-cache', undefined),
		vary: fc.constantFrom(undefined, 'authorization', 'cookie', 'accept-language', 'authorization, accept-language'),
		noVarySearch: fc.constantFrom(undefined, undefined, 'params=("utm")'),
		status: fc.constantFrom(200, 200, 200, 301, 404, 503),
		isValidated: fc.boolean(),
	}),
} as const), {minLength: 3, maxLength: 12});

const answerTo = (request: RecordedRequest, {cacheControl, vary, noVarySearch, status, isValidated}: Step['answer']) => {
	const owner = ownerOf(request);
	// Of different users the tags are the same, as those of a careless origin.
	const tag = isValidated ? '"same"' : `"${owner}"`;
	const fields = {etag: tag, ...(cacheControl && {'cache-control': cacheControl}), ...(vary && {vary}), ...(noVarySearch && {'no-vary-search': noVarySearch}), 'x-owner': owner};
	const isPublic = request.headers.authorization === undefined;
	const isKnown = isValidated && request.headers['if-none-match']?.includes(tag) === true;

	return isKnown ? {status: 304, headers: fields} : {status, headers: {...fields, location: '/items?moved'}, body: isPublic ? 'nobody' : owner.repeat(20)};
};

/**
@param wasPublic - Whether something was for all.
*/
const play = async (client: Got, step: Step, wasPublic: boolean): Promise<number> => {
	const statuses = await Promise.all(step.askers.map(async ({name, token, isNamed, way, method, query, mode, range}) => {
		const {context, headers} = as(name, token, isNamed);
		const options = {
			method,
			searchParams: query.slice(1),
			headers: {...headers, ...(range && {range})},
			context: {...context, cache: {mode}},
			...((method === 'QUERY' || method === 'PUT') && {body: 'q'}),
		};
		const received = await interfaces[way]!(client, options);
		const owner = received.headers['x-owner'];
		const mine = name ?? 'nobody';
		const told = `${mine} (${isNamed}) was given ${String(owner)}: ${received.body}, ${JSON.stringify(received.info)}`;
		// What is for all, or was asked for without credentials, may be given to those who are nobody in particular.
		const isOpen = name === undefined || !isNamed;
		const owners: unknown[] = isOpen ? [mine, 'nobody'] : [mine];
		assert.ok(owner === undefined || owners.includes(owner) || (isOpen && wasPublic), told);
		assert.ok(received.body === '' || owners.some(each => received.body.startsWith(String(each).slice(0, 2))) || (isOpen && wasPublic), told);

		return received.info?.status;
	}));

	return statuses.filter(status => status === 'hit').length;
};

for (const shared of [true, false]) {
	test(`whoever asks, whatever comes, no user is given another's response: ${shared ? 'shared' : 'private'}`, async () => {
		await using origin = await startOrigin();
		const tries = 150;
		let hits = 0;
		await fc.assert(fc.asyncProperty(steps, async sequence => {
			const cache = redisCache({store: new Map(), shared, user, staleIfError: true});
			const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}, throwHttpErrors: false, followRedirect: false}, cache);
			for (const step of sequence) {
				origin.handler = (request, response) => {
					respond(response, answerTo(request, step.answer));
				};

				hits += await play(client, step, sequence.some(({answer}) => answer.cacheControl?.includes('public')));
			}

			await cache.close();
		}), triesOf(tries));

		assert.ok(hits > runsOf(tries) * 2 / 3, `${hits} hits`);
	});
}
