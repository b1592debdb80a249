import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {RedisClientOptions} from '@redis/client';
import got from 'got';
import {cacheInfo, redisCache, type StoreOption} from '../../source/index.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {nodeRedisPackages} from '../helpers/node-redis.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {isGot15} from './helpers.ts';
import {setUser, startRightsOrigin, useAll, whole} from './rights-helpers.ts';

/*
The page docs/stores/managed-redis.md: what a managed Redis forbids, and passwords that change while they are used.
*/

const page = await readFile(new URL('../../docs/stores/managed-redis.md', import.meta.url), 'utf8');

type CredentialsProvider = NonNullable<RedisClientOptions['credentialsProvider']>;

// The commands are the same with each got.
const slow = {timeout: 110_000, skip: isGot15};

const tableOf = (heading: string): string[][] => {
	const section = page.slice(page.indexOf(`## ${heading}\n`)).split('\n## ', 2)[0] ?? '';
	return section.split('\n')
		.filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
		.slice(1)
		.map(line => line.split('|').slice(1, -1).map(cell => cell.trim()));
};

const commandsIn = (cell = ''): string[] => cell.matchAll(/`(?<command>[^`]+)`/gv).map(({groups}) => groups?.command ?? '').toArray();

/** The URL of a user who may do everything but what is taken away. */
const withoutCommands = async (redis: TestRedis, commands: readonly string[]): Promise<string> => {
	await setUser([redis], 'on', '>secret', '~*', '&*', '+@all', ...commands.map(command => `-${command.toLowerCase().replace(' ', '|')}`));
	return `redis://http_cache:secret@127.0.0.1:${redis.port}`;
};

const services = tableOf('Forbidden commands');

for (const [service = '', forbidden] of services) {
	test(`a Redis without the commands that ${service} forbids: everything works, and hits come from Redis where the tier is refused`, slow, async () => {
		await using redis = await startRedis();
		await using origin = await startRightsOrigin();
		const commands = commandsIn(forbidden);
		assert.ok(commands.length > 0);
		const {outcome, errors} = await useAll(origin, {store: await withoutCommands(redis, commands)});

		assert.deepEqual(outcome, whole);
		assert.deepEqual(errors.filter(error => !error.includes('run CLIENT|TRACKING (NOPERM)')), []);
		assert.equal(errors.length > 0, commands.includes('CLIENT') || commands.includes('CLIENT TRACKING'));
	});
}

test('the page says of six services what they forbid', () => {
	assert.ok(services.length >= 6);
});

for (const [command = '', effect = ''] of tableOf('Without a command')) {
	test(`a Redis without ${command}: no request fails, and it is as the page says`, slow, async () => {
		await using redis = await startRedis();
		await using origin = await startRightsOrigin();
		const {outcome, errors} = await useAll(origin, {store: await withoutCommands(redis, commandsIn(command))});
		const lost = Object.keys(whole).filter(name => JSON.stringify(outcome[name]) !== JSON.stringify(whole[name as keyof typeof whole]));

		assert.equal(errors.length > 0, effect.includes('event'), errors.join('\n'));
		assert.equal(lost.length === 0, !/fail|stores nothing|is found/v.test(effect), JSON.stringify(outcome));
		assert.ok(errors.every(error => error.includes('(NOPERM)') && error.includes('ACL SETUSER')), errors.join('\n'));
	});
}

/** A user whose password changes, and a provider of it that tells of each change, as those for IAM and Entra ID do. */
const startRotation = async (redis: TestRedis) => {
	let password = 'first';
	const listeners = new Set<(credentials: {readonly username: string; readonly password: string}) => void>();
	const errors: Error[] = [];
	const setPassword = async () => redis.client.sendCommand(['ACL', 'SETUSER', 'rotating', 'reset', 'on', `>${password}`, '~*', '&*', '+@all']);
	await setPassword();

	const streaming: Extract<CredentialsProvider, {type: 'streaming-credentials-provider'}> = {
		type: 'streaming-credentials-provider',
		async subscribe({onNext}) {
			listeners.add(onNext);
			return [{username: 'rotating', password}, {
				dispose() {
					listeners.delete(onNext);
				},
			}];
		},
		onReAuthenticationError(error) {
			errors.push(error);
		},
	};
	const asking: CredentialsProvider = {type: 'async-credentials-provider', credentials: async () => ({username: 'rotating', password})};

	return {
		streaming,
		asking,
		errors,
		/** Changes the password, and tells of it. Connections that were opened with the former one stay. */
		async rotate() {
			password = `after ${password}`;
			await setPassword();
			for (const listener of listeners) {
				listener({username: 'rotating', password});
			}
		},
		async cutOff() {
			return Number(await redis.client.sendCommand(['CLIENT', 'KILL', 'USER', 'rotating']));
		},
	};
};

const countOf = async ({client}: TestRedis, command: string): Promise<number> =>
	Number(new RegExp(String.raw`cmdstat_${command}:calls=(?<count>\d+)`, 'v').exec(await client.info('commandstats'))?.groups?.count ?? 0);

type Rotation = Awaited<ReturnType<typeof startRotation>>;

const forms: Record<string, (rotation: Rotation, redis: TestRedis) => {readonly store: StoreOption; readonly doesTell: boolean; close?(): void}> = {
	'options with a provider that tells of changes': ({streaming}, {port}) => ({store: {socket: {host: '127.0.0.1', port}, credentialsProvider: streaming}, doesTell: true}),
	'options with a provider that is asked for each connection': ({asking}, {port}) => ({store: {socket: {host: '127.0.0.1', port}, credentialsProvider: asking}, doesTell: false}),
	...Object.fromEntries(nodeRedisPackages.map(({name, createClient}) => [`a client of ${name} with a provider that tells of changes`, ({streaming}, {url}) => {
		const store = createClient({url, credentialsProvider: streaming, socket: {reconnectStrategy: 10}});
		store.on('error', () => undefined);
		return {
			store,
			doesTell: true,
			close() {
				store.destroy();
			},
		};
	}] as const)),
	'a client of ioredis whose owner sets the password'({streaming}, {url}) {
		const store = newestIoredis.open(url, {username: 'rotating', password: 'first', retryStrategy: () => 10});
		void streaming.subscribe({
			onNext({password = ''}) {
				store.options.password = password;
				void store.auth('rotating', password);
			},
			onError() {
				// None.
			},
		});
		return {
			store,
			doesTell: true,
			close() {
				store.disconnect();
			},
		};
	},
};

for (const [name, open] of Object.entries(forms)) {
	test(`${name}: while the password changes, and when the connection is cut off after that, no request fails, and the cache is used again`, slow, async () => {
		await using redis = await startRedis();
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('x');
		});
		const rotation = await startRotation(redis);
		const {store, doesTell, close} = open(rotation, redis);
		const cache = redisCache({store, timeout: '10s', memory: false});
		const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
		const ask = async (path: string) => {
			const response = await client(path);
			assert.equal(response.body, 'x');
			return cacheInfo(response)?.status;
		};

		assert.deepEqual([await ask('a'), await ask('a')], ['miss', 'hit']);
		for (let round = 1; round <= 3; round++) {
			const authentications = await countOf(redis, 'auth');
			const busy = Promise.all(Array.from({length: 20}, async (_, index) => ask(`${round}/${index}`)));
			await rotation.rotate();
			await busy;
			const hasAuthenticated = async () => !doesTell || await countOf(redis, 'auth') > authentications;
			while (!await hasAuthenticated()) {
				await nextTurn();
			}

			assert.equal(await ask('a'), 'hit', 'the connection is the same, and lives');
			assert.ok(await rotation.cutOff() > 0);
			// A connection that was cut off is opened anew, with the password of now.
			while (await ask('a') !== 'hit') {
				await nextTurn();
			}
		}

		assert.deepEqual(rotation.errors, []);
		await cache.close();
		close?.();
	});
}

test('a password that was revoked, with no other to be had, is told once, and no request fails', slow, async () => {
	await using redis = await startRedis();
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('x');
	});
	const rotation = await startRotation(redis);
	await using cache = redisCache({
		store: {socket: {host: '127.0.0.1', port: redis.port}, credentialsProvider: {type: 'async-credentials-provider', credentials: async () => ({username: 'rotating', password: 'first'})}},
		timeout: '10s',
		memory: false,
	});
	const errors: string[] = [];
	cache.on('error', error => errors.push(error.message));
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	await client('a');
	await rotation.rotate();
	await rotation.cutOff();
	for (let count = 0; count < 5; count++) {
		assert.equal((await client('a')).body, 'x');
	}

	assert.ok(errors.some(error => error.includes('WRONGPASS') || error.includes('password')), errors.join('\n'));
	assert.ok(errors.every(error => !error.includes('first')));
});
