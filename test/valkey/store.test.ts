import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {storeChecks} from '../../source/acceptance.ts';
import type {StoreOption} from '../../source/index.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {newestNodeRedis} from '../helpers/node-redis.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {ifThereIs, useValkey} from '../helpers/valkey.ts';

/*
The store's acceptance suite, the memory tier and guarded writes on a real Valkey.
*/

const checkStores = () => {
	let valkey: TestRedis;
	const cleanups: Array<() => void> = [];

	before(async () => {
		valkey = await startRedis();
	});

	after(async () => {
		for (const cleanup of cleanups) {
			cleanup();
		}

		await valkey.stop();
	});

	const once = <Client>(open: () => Client, close: (client: Client) => void) => {
		let client: Client | undefined;
		return () => {
			if (client === undefined) {
				const opened = open();
				client = opened;
				cleanups.push(() => {
					close(opened);
				});
			}

			return client;
		};
	};

	const stores: Record<string, () => StoreOption> = {
		'a valkey: URL': () => valkey.url.replace('redis:', 'valkey:'),
		'a client of node-redis 6': once(() => newestNodeRedis.createClient({url: valkey.url}), client => {
			client.destroy();
		}),
		'a client of ioredis': once(() => newestIoredis.open(valkey.url), client => {
			client.disconnect();
		}),
	};

	for (const [name, connect] of Object.entries(stores)) {
		describe(`${name}, on Valkey`, {concurrency: true}, () => {
			for (const {name: check, run} of storeChecks(connect)) {
				test(check, run);
			}
		});
	}
};

const version = useValkey();

test('the server of these tests is a Valkey', ifThereIs(version), () => {
	assert.match(String(version), /^Valkey /v);
});

if (version !== undefined) {
	checkStores();
	await import('../store/memory.test.ts');
	await import('../got/guarded-writes.test.ts');
}
