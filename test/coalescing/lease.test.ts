/* eslint-disable @typescript-eslint/no-loop-func -- `redis` is set once */
import assert from 'node:assert/strict';
import test, {after, before} from 'node:test';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {createStore} from '../../source/store/create-store.ts';
import {createLeases, type Lease, type Leases} from '../../source/coalescing/lease.ts';
import type {Store} from '../../source/store/ports/store.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';

let redis: TestRedis;
const stores: Store[] = [];

const connect = (leaseMs?: number): Leases => {
	const store = createStore({store: redis.url, namespace: 'n', timeoutMs: 5000, memoryBytes: 1e6});
	stores.push(store);
	assert.ok(store.command);

	return createLeases(store.command, leaseMs);
};

const isLease = (value: Awaited<ReturnType<Leases['acquire']>>): value is Lease => typeof value === 'object';

const acquire = async (leases: Leases, key: string): Promise<Lease> => {
	const lease = await leases.acquire(key);
	if (!isLease(lease)) {
		throw new Error(`The lease of ${key} is ${lease}`);
	}

	return lease;
};

before(async () => {
	redis = await startRedis();
});

after(async () => {
	await Promise.all(stores.map(async store => store.close()));
	await redis.stop();
});

test('a lease that many ask for at once is given to one', async () => {
	const fleet = Array.from({length: 8}, () => connect());
	const answers = await Promise.all(fleet.map(async leases => leases.acquire('{a}:lease')));

	assert.equal(answers.filter(answer => isLease(answer)).length, 1);
	assert.equal(answers.filter(answer => answer === 'taken').length, 7);
});

test('one that is being given back is had at once in the same process, and nowhere else', async () => {
	const leases = connect();
	const other = connect();
	const {promise: written, resolve} = Promise.withResolvers<void>();
	const lease = await acquire(leases, '{i}:lease');
	const released = lease.release(written);
	assert.equal(await other.acquire('{i}:lease'), 'taken');
	const again = await acquire(leases, '{i}:lease');
	assert.equal(await leases.acquire('{i}:lease'), 'taken');
	resolve();
	await released;
	assert.equal(await other.acquire('{i}:lease'), 'taken');
	await again.release();
	await acquire(other, '{i}:lease');
});

test('it expires by itself, in the namespace', async () => {
	await acquire(connect(60_000), '{b}:lease');
	const ttlMs = await redis.client.pTTL('n:{b}:lease');

	assert.ok(ttlMs > 0);
	assert.ok(ttlMs <= 60_000);
});

test('a lease that is given back goes to the next one, also after SCRIPT FLUSH', async () => {
	const lease = await acquire(connect(), '{c}:lease');
	await redis.client.scriptFlush();
	await lease.release();

	assert.equal(await redis.client.exists('n:{c}:lease'), 0);
	await acquire(connect(), '{c}:lease');
});

test('a holder whose lease ran out does not take it from the next one', async () => {
	const late = await acquire(connect(60_000), '{d}:lease');
	await redis.client.del('n:{d}:lease');
	await acquire(connect(60_000), '{d}:lease');
	const holder = await redis.client.get('n:{d}:lease');
	await late.release();
	await late.coolDown(1000);

	assert.equal(await redis.client.get('n:{d}:lease'), holder);
});

test('a lease at rest is nobody\'s, and nobody waits for it', async () => {
	const lease = await acquire(connect(), '{e}:lease');
	await lease.coolDown(60_000);

	assert.equal(await connect().acquire('{e}:lease'), 'cooling-down');
	assert.ok(await redis.client.pTTL('n:{e}:lease') > 3000);
});

test('it is kept up as long as its holder lives', async ({mock}) => {
	mock.timers.enable({apis: ['setInterval']});
	const lease = await acquire(connect(60_000), '{f}:lease');
	for (let round = 0; round < 6; round++) {
		await redis.client.pExpire('n:{f}:lease', 40_000);
		mock.timers.tick(20_000);
		while (await redis.client.pTTL('n:{f}:lease') <= 40_000) {
			// Its renewal is on its way.
		}
	}

	assert.equal(await connect(60_000).acquire('{f}:lease'), 'taken');
	await lease.release();
});

test('one that was given long after it was asked for is had by the process that asked', async () => {
	const store = createStore({store: redis.url, namespace: 'n', timeoutMs: 5000, memoryBytes: 1e6});
	stores.push(store);
	let isLost = true;
	let sent = 0;
	const leases = createLeases(async (key, toArguments) => {
		const reply = await store.command?.(key, wireKey => {
			const parts = toArguments(wireKey);
			sent++;
			// What it would be released with is lost as well.
			return isLost && sent > 1 ? ['PING'] : parts;
		});
		return isLost ? undefined : reply;
	}, 60_000);

	assert.equal(await leases.acquire('{l}:lease'), 'unavailable');
	assert.equal(await redis.client.exists('n:{l}:lease'), 1);
	assert.equal(await connect(60_000).acquire('{l}:lease'), 'taken');
	isLost = false;
	await redis.client.pExpire('n:{l}:lease', 1000);
	const lease = await acquire(leases, '{l}:lease');
	assert.equal(await leases.acquire('{l}:lease'), 'taken');
	assert.ok(await redis.client.pTTL('n:{l}:lease') > 1000);
	await lease.release();
	assert.equal(await redis.client.exists('n:{l}:lease'), 0);
});

test('without Redis there is none, and no exception', async () => {
	const leases = connect();
	const lease = await acquire(leases, '{g}:lease');
	await redis.kill();

	assert.equal(await leases.acquire('{h}:lease'), 'unavailable');
	await lease.release();
	await redis.restart();
});

/** Stores of two processes, for a user of Redis who may not use a command. */
const connectWithout = async (command: string) => {
	const name = `without-${command.toLowerCase()}`;
	await redis.client.sendCommand(['ACL', 'SETUSER', name, 'on', '>secret', '~n:*', '+@all', `-${command.toLowerCase()}`]);
	const url = `redis://${name}:secret@127.0.0.1:${redis.port}`;
	return {
		name,
		connect() {
			const errors: Error[] = [];
			const store = createStore({
				store: url,
				namespace: 'n',
				timeoutMs: 5000,
				memoryBytes: 0,
				onEvent(event) {
					if (event.type === 'error') {
						errors.push(event.error);
					}
				},
			});
			stores.push(store);
			assert.ok(store.command);
			return {leases: createLeases(store.command), errors};
		},
	};
};

for (const command of ['EVAL', 'GET', 'PTTL', 'PEXPIRE', 'UNLINK', 'SET']) {
	test(`a user without ${command} takes no lease, is told so once, and takes one when the command is allowed`, async ({mock}) => {
		const {name, connect: connectLimited} = await connectWithout(command);
		const {leases, errors} = connectLimited();
		const startMs = performance.now();
		let passedMs = 0;
		mock.method(ownTimers, 'now', () => startMs + passedMs);
		for (let count = 0; count < 5; count++) {
			assert.equal(await leases.acquire('{p}:lease'), 'unavailable');
			// Long after the last error, too.
			passedMs += 60_000;
		}

		assert.equal(await redis.client.exists('n:{p}:lease'), 0);
		assert.deepEqual(errors.map(({cause}) => (cause as Error).name), ['StorePermissionError']);
		assert.match(String(errors[0]), new RegExp(String.raw`run ${command} .*\+${command.toLowerCase()};`, 'v'));

		await redis.client.sendCommand(['ACL', 'SETUSER', name, '+@all']);
		const lease = await acquire(leases, '{p}:lease');
		assert.equal(await connectLimited().leases.acquire('{p}:lease'), 'taken');
		await lease.release();
		assert.equal(await redis.client.exists('n:{p}:lease'), 0);

		await redis.client.sendCommand(['ACL', 'SETUSER', name, `-${command.toLowerCase()}`]);
		assert.equal(await leases.acquire('{p}:lease'), 'unavailable');
		assert.equal(errors.length, 2, 'a command that is forbidden once more is told once more');
	});
}

test('Redis is not asked for another lease right after it has refused one for want of a permission', async ({mock}) => {
	const {name, connect: connectLimited} = await connectWithout('EVAL');
	const {leases} = connectLimited();
	const startMs = performance.now();
	let passedMs = 0;
	mock.method(ownTimers, 'now', () => startMs + passedMs);
	assert.equal(await leases.acquire('{q}:lease'), 'unavailable');
	await redis.client.sendCommand(['ACL', 'SETUSER', name, '+@all']);
	assert.equal(await leases.acquire('{q}:lease'), 'unavailable');
	passedMs = 2000;
	const lease = await acquire(leases, '{q}:lease');
	await lease.release();
});

test('a lease whose holder may not give it back any more is not asked about for long', async () => {
	const {name, connect: connectLimited} = await connectWithout('MGET');
	const {leases, errors} = connectLimited();
	const lease = await acquire(leases, '{r}:lease');
	await redis.client.sendCommand(['ACL', 'SETUSER', name, '-eval']);
	await lease.release();
	assert.equal(errors.length, 1);
	assert.ok(await redis.client.pTTL('n:{r}:lease') > 0, 'it expires');
	await redis.client.del('n:{r}:lease');
});

test('a value that is no lease is waited for by nobody', async () => {
	const {client} = redis;
	const spoil: Record<string, () => Promise<unknown>> = {
		garbage: async () => client.set('n:{g}:lease', 'garbage'),
		'a token that never ends': async () => client.set('n:{g}:lease', 'abcdefghijklmnop'),
		'a token that is kept too long': async () => client.set('n:{g}:lease', 'abcdefghijklmnop', {expiration: {type: 'PX', value: 3_600_000}}),
		'a hash': async () => client.hSet('n:{g}:lease', 'a', 'b'),
	};
	for (const [name, put] of Object.entries(spoil)) {
		await client.del('n:{g}:lease');
		await put();
		assert.equal(await connect().acquire('{g}:lease'), 'unavailable', name);
	}
});
