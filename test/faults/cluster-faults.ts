import {setTimeout as wait} from 'node:timers/promises';
import {createCluster} from '@redis/client';
import type {StoreOption} from '../../source/index.ts';
import {startCluster, type StartClusterOptions, type TestCluster} from '../helpers/cluster.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {letLag} from '../helpers/replica.ts';
import {haveAllReplicated, type Undo} from './faults.ts';

/*
Faults of a part: one node of a cluster, while the others are well.
*/

export type ClusterFault = {
	readonly name: string;
	readonly cluster: StartClusterOptions;
	/** Whether another node takes the place of one, which its clients are not told by that one. */
	readonly isFailover?: boolean;
	/** Whether its clients read from replicas. */
	readonly useReplicas?: boolean;
	begin(nodes: TestCluster): Promise<Undo>;
};

export type ClientPackage = 'node-redis' | 'ioredis';

export type UsersClient = {
	readonly store: StoreOption;
	isOpen(): boolean;
	destroy(): void;
};

const createNodeRedis = ({masters}: TestCluster, useReplicas: boolean): UsersClient => {
	const client = createCluster({useReplicas, rootNodes: masters.map(({url}) => ({url}))});
	client.on('error', () => undefined);

	return {
		store: client,
		isOpen: () => client.isOpen,
		destroy() {
			client.destroy();
		},
	};
};

const createIoredis = ({masters}: TestCluster, useReplicas: boolean): UsersClient => {
	const client = newestIoredis.openCluster(masters.map(({port}) => ({host: '127.0.0.1', port})), {scaleReads: useReplicas ? 'slave' : 'master'});

	return {
		store: client,
		isOpen: () => client.status !== 'end',
		destroy() {
			client.disconnect();
		},
	};
};

/** A cluster for a fault, and clients of it as a user has them. */
export const startStage = async ({cluster, useReplicas = false}: ClusterFault) => {
	const nodes = await startCluster(cluster);

	return {
		nodes,
		createClient: (clientPackage: ClientPackage = 'node-redis'): UsersClient => clientPackage === 'ioredis' ? createIoredis(nodes, useReplicas) : createNodeRedis(nodes, useReplicas),
		stop: async () => nodes[Symbol.asyncDispose](),
	};
};

/** The master that keeps what stands for the origin: without it, nothing of the origin is known not to be purged. */
const positionOfOrigin = async ({masters}: TestCluster): Promise<number> => {
	const keys = await Promise.all(masters.map(async ({client}) => client.keys('*{origin:*')));
	return keys.findIndex(({length}) => length > 0);
};

/** A master and its replica: those of the origin's version, or the next. */
const pairOf = async (nodes: TestCluster, isOrigins: boolean): Promise<{readonly master: TestRedis; readonly replica: TestRedis | undefined}> => {
	const position = (await positionOfOrigin(nodes) + (isOrigins ? 0 : 1)) % nodes.masters.length;
	return {master: nodes.masters[position]!, replica: nodes.replicas[position]}; // There are three.
};

const hang = (isOrigins: boolean): ClusterFault => ({
	name: `one of three masters hangs (SIGSTOP), ${isOrigins ? 'with' : 'without'} the origin's version`,
	cluster: {isReplicated: false},
	async begin(nodes) {
		const {master} = await pairOf(nodes, isOrigins);
		master.pause();
		return () => {
			master.resume();
		};
	},
});

const untilState = async (nodes: readonly TestRedis[], state: 'ok' | 'fail'): Promise<void> => {
	for (const {client} of nodes) {
		while (!(await client.sendCommand<string>(['CLUSTER', 'INFO'])).includes(`cluster_state:${state}`)) {
			await wait(5);
		}
	}
};

const untilPromoted = async ({client}: TestRedis): Promise<void> => {
	while (!(await client.info('replication')).includes('role:master')) {
		await wait(5);
	}
};

/** The rest of the cluster goes on without the slots of a node that is lost. */
const loses: StartClusterOptions = {losesNodes: true, args: ['--cluster-require-full-coverage', 'no']};

const promote = (name: string, fell: (master: TestRedis) => Promise<unknown>, rejoin?: (master: TestRedis) => Promise<unknown>): ClusterFault => ({
	name,
	cluster: loses,
	// One that returns says where its slots are.
	isFailover: rejoin === undefined,
	async begin(nodes) {
		const {master, replica} = await pairOf(nodes, true);
		await haveAllReplicated(master, replica!); // There are three.
		await fell(master);
		return async () => {
			await untilPromoted(replica!);
			await rejoin?.(master);
		};
	},
});

/** Of all but one. */
const othersOf = ({masters}: TestCluster, master: TestRedis) => masters.filter(each => each !== master);

export const clusterFaults: readonly ClusterFault[] = [
	hang(true),
	hang(false),
	promote('a master hangs, its replica is promoted', async master => {
		master.pause();
	}),
	promote('a master dies, its replica is promoted', async master => master.kill()),
	promote('a master dies, its replica is promoted, and it returns', async master => master.kill(), async master => master.restart()),
	{
		name: 'a master dies, and returns empty before its replica is promoted',
		cluster: {},
		async begin(nodes) {
			const {master} = await pairOf(nodes, true);
			await master.kill();
			return async () => master.restart();
		},
	},
	{
		name: 'a master without a replica dies, so that the cluster is down (`CLUSTERDOWN`) until it returns',
		cluster: {isReplicated: false, losesNodes: true},
		async begin(nodes) {
			const {master} = await pairOf(nodes, true);
			await master.kill();
			await untilState(othersOf(nodes, master), 'fail');
			return async () => {
				await master.restart();
				// Redis takes its time: twice the node timeout from when the others have given the master up.
				await untilState(nodes.masters, 'ok');
			};
		},
	},
	{
		name: 'the cluster\'s bus is partitioned: a master without the others, until its replica is promoted',
		cluster: {...loses, canIsolate: true},
		isFailover: true,
		async begin(nodes) {
			const {master, replica} = await pairOf(nodes, true);
			// What the master takes while it is alone is lost: not what is tested here.
			await haveAllReplicated(master, replica!); // There are three.
			await nodes.isolate(master);
			return async () => {
				await untilPromoted(replica!);
			};
		},
	},
	{
		name: 'all replicas lag behind, and the clients read from replicas (`useReplicas`)',
		cluster: {tellsReplicas: true},
		useReplicas: true,
		async begin(nodes) {
			const ends = await Promise.all(nodes.masters.map(async (master, position) => letLag(master, nodes.replicas[position]!))); // There are three.
			return async () => {
				await Promise.all(ends.map(async end => end()));
			};
		},
	},
];
