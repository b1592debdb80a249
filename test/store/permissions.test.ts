/* eslint-disable @typescript-eslint/no-loop-func -- `redis` is set once */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {createStore} from '../../source/store/create-store.ts';
import type {StoreOption} from '../../source/store/backends/connection.ts';
import type {StoreEvent} from '../../source/store/ports/health.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {nodeRedisPackages, opened} from '../helpers/node-redis.ts';
import {response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';

let redis: TestRedis;

before(async () => {
	redis = await startRedis();
});

after(async () => {
	await redis.stop();
});

/** How to make a store of the URL of a user. */
const forms: Record<string, (url: string) => {readonly store: StoreOption; close?(): void}> = {
	'a URL': url => ({store: url}),
	...Object.fromEntries(nodeRedisPackages.map(({name, createClient}) => [`a client of ${name}`, url => opened(createClient({url}))] as const)),
	'a client of ioredis'(url) {
		const store = newestIoredis.open(url);
		return {
			store,
			close() {
				store.disconnect();
			},
		};
	},
};

const cases = Object.entries(forms).flatMap(([form, open]) => ([['GET', ['{a}']], ['MGET', ['{a}', '{b}']]] as const).map(([command, keys]) => ({form, open, command, keys})));

for (const {form, open, command, keys} of cases) {
	test(`${form} whose user may not use ${command} is given up once, and used again when the user may`, async () => {
		const {client} = redis;
		const name = `without-${command.toLowerCase()}`;
		await client.sendCommand(['ACL', 'DELUSER', name]);
		await client.sendCommand(['ACL', 'SETUSER', name, 'on', '>secret', '~n:*', '+@all', `-${command.toLowerCase()}`]);
		const {store: option, close} = open(`redis://${name}:secret@127.0.0.1:${redis.port}`);
		const events: StoreEvent[] = [];
		const store = createStore({
			store: option,
			namespace: 'n',
			timeoutMs: 5000,
			memoryBytes: 0,
			cooldownMs: 5,
			onEvent(event) {
				events.push(event);
			},
		});
		const refusals = async () => Number(new RegExp(String.raw`cmdstat_${command.toLowerCase()}:.*rejected_calls=(?<count>\d+)`, 'v').exec(await client.info('commandstats'))?.groups?.count ?? 0);
		const earlier = await refusals();
		while (await refusals() < earlier + 8) {
			assert.equal((await store.get(keys))[0], undefined);
		}

		assert.deepEqual(events.map(({type}) => type), ['error', 'degraded']);
		assert.equal(store.health().state, 'unavailable');
		await client.sendCommand(['ACL', 'SETUSER', name, '+@all']);
		while (!store.isHealthy) {
			await nextTurn();
		}

		assert.equal(await store.set('{a}', response(), 60_000), true);
		assert.equal((await store.get(keys))[0]?.kind, 'response');
		assert.deepEqual(events.map(({type}) => type), ['error', 'degraded', 'recovered']);
		await store.close();
		close?.();
	});
}
