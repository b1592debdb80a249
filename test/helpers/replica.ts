import {setTimeout as wait} from 'node:timers/promises';
import {startRedis, type TestRedis} from './redis.ts';

const untilLinked = async ({client}: TestRedis): Promise<void> => {
	while (!(await client.info('replication')).includes('master_link_status:up')) {
		await wait(10);
	}
};

/**
In touch with its master.

@param port - Where it finds that: of a proxy, perhaps.
*/
export const startReplica = async (master: TestRedis, port = master.port): Promise<TestRedis> => {
	// Redis would wait five seconds for more replicas.
	await master.client.configSet('repl-diskless-sync-delay', '0');
	const replica = await startRedis({args: ['--replicaof', '127.0.0.1', String(port)]});
	await untilLinked(replica);
	return replica;
};

/**
From now on, the replica hears nothing of what the master confirms.

@returns Lets it follow again.
*/
export const letLag = async (master: TestRedis, replica: TestRedis): Promise<() => Promise<void>> => {
	await replica.client.configSet('masterauth', 'wrong');
	await master.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
	while (!(await master.client.info('replication')).includes('connected_slaves:0')) {
		await wait(10);
	}

	return async () => {
		await replica.client.configSet('masterauth', '');
		await untilLinked(replica);
	};
};

/** Until a replica of each master has all that the master has confirmed. */
export const catchUp = async (masters: readonly TestRedis[]): Promise<void> => {
	for (const {client} of masters) {
		await client.sendCommand(['WAIT', '1', '0']);
		const info = async () => client.info('replication');
		while (/offset=(?<offset>\d+)/v.exec(await info())?.groups?.offset !== /master_repl_offset:(?<offset>\d+)/v.exec(await info())?.groups?.offset) {
			await wait(10);
		}
	}
};
