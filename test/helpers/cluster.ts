import {setTimeout as wait} from 'node:timers/promises';
import {startBusProxy} from './bus-proxy.ts';
import {secondPortOffset, startRedis, type TestRedis} from './redis.ts';

export type TestCluster = AsyncDisposable & {
	readonly masters: readonly TestRedis[];
	/** `replicas[n]` follows `masters[n]`. */
	readonly replicas: readonly TestRedis[];
	/** Moves the slots that hold keys from one master to another; resolves to how many. */
	moveSlots(from: TestRedis, to: TestRedis): Promise<number>;
	/** Cuts the bus of the cluster between a node and all others, which clients go on reaching; without a node, nothing is cut any more. */
	isolate(node: TestRedis | undefined): Promise<void>;
};

const slotCount = 16_384;

const send = async <Reply = string>({client}: TestRedis, ...arguments_: readonly string[]) => client.sendCommand<Reply>(arguments_);

/** Nodes that find no agreement never will: better a failure that says so than a test that does not end. */
const patienceMs = 30_000;

const until = async (what: string, isTrue: () => Promise<boolean>) => {
	const dueMs = performance.now() + patienceMs;
	while (!await isTrue()) {
		if (performance.now() > dueMs) {
			throw new Error(`In ${patienceMs} ms it did not come to this: ${what}`);
		}

		await wait(20);
	}
};

const moveSlot = async (nodes: readonly TestRedis[], slot: string, {from, to, fromId, toId}: {from: TestRedis; to: TestRedis; fromId: string; toId: string}) => {
	await send(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
	await send(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
	for (;;) {
		const keys = await send<string[]>(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '100');
		if (keys.length === 0) {
			break;
		}

		await send(from, 'MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'REPLACE', 'KEYS', ...keys);
	}

	for (const node of [to, from, ...nodes]) {
		await send(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
	}
};

export type StartClusterOptions = {
	/** `false`: three masters, none of which is to be missed. Starts faster. */
	readonly isReplicated?: boolean;
	/** `true`: a node that is silent for two seconds is dead, and its replica takes its place. Otherwise, no busy machine is taken for a dead one. */
	readonly losesNodes?: boolean;
	/** `true`: `isolate()` can be used. */
	readonly canIsolate?: boolean;
	/** `true`: nodes tell clients of replicas from the start, which `useReplicas` needs. Otherwise they do when these have replicated something, and word of it has spread. */
	readonly tellsReplicas?: boolean;
	/** Of each node, further arguments of `redis-server`. */
	readonly args?: readonly string[] | ((port: number) => readonly string[]);
};

const untilKnown = async (nodes: readonly TestRedis[], ids: readonly string[]): Promise<void> => {
	for (const node of nodes) {
		await until('each node knows all others', async () => (await send(node, 'CLUSTER', 'NODES')).split('\n').filter(line => ids.some(id => line.startsWith(id))).length === nodes.length);
	}
};

const untilInOrder = async (nodes: readonly TestRedis[], replicas: readonly TestRedis[]): Promise<void> => {
	for (const node of nodes) {
		await until('the state of the cluster is ok', async () => (await send(node, 'CLUSTER', 'INFO')).includes('cluster_state:ok'));
	}

	for (const replica of replicas) {
		await until('the replica is in touch with its master', async () => (await send(replica, 'INFO', 'replication')).includes('master_link_status:up'));
	}
};

const untilToldOfReplicas = async (nodes: readonly TestRedis[], masters: readonly TestRedis[]): Promise<void> => {
	// It is replicated, though there is nothing.
	await Promise.all(masters.map(async master => send(master, 'FLUSHALL')));
	for (const node of nodes) {
		await until('each slot has a replica', async () => (await send<readonly unknown[][]>(node, 'CLUSTER', 'SLOTS')).every(({length}) => length === 4));
	}
};

/**
A Redis Cluster of the test's own: three masters with a replica each.
*/
export const startCluster = async ({isReplicated = true, losesNodes = false, canIsolate = false, tellsReplicas = false, args = []}: StartClusterOptions = {}): Promise<TestCluster> => {
	const timeoutMs = losesNodes ? '2000' : '15000';
	const buses = await Promise.all(Array.from({length: isReplicated ? 6 : 3}, async () => canIsolate ? startBusProxy() : undefined));
	const nodes = await Promise.all(
		buses.map(async bus =>
			startRedis({
				args: port => [
					'--cluster-enabled',
					'yes',
					'--cluster-node-timeout',
					timeoutMs,
					'--repl-diskless-sync-delay',
					'0',
					...(bus ? ['--cluster-announce-bus-port', String(bus.port)] : []),
					...(typeof args === 'function' ? args(port) : args),
				],
			}),
		),
	);
	for (const [position, {port}] of nodes.entries()) {
		const bus = buses[position];
		if (bus) {
			bus.targetPort = port + secondPortOffset;
		}
	}

	const masters = nodes.slice(0, 3);
	const replicas = nodes.slice(3);
	const ids = await Promise.all(nodes.map(async node => send(node, 'CLUSTER', 'MYID')));
	const [first] = nodes;
	for (const [position, node] of nodes.entries()) {
		await send(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(position + 1));
		if (position < 3) {
			await send(node, 'CLUSTER', 'ADDSLOTSRANGE', String(Math.ceil(position * slotCount / 3)), String(Math.ceil((position + 1) * slotCount / 3) - 1));
		}

		if (first && node !== first) {
			await send(node, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(buses[0]?.port ?? (first.port + secondPortOffset)));
		}
	}

	await untilKnown(nodes, ids);
	for (const [position, replica] of replicas.entries()) {
		await send(replica, 'CLUSTER', 'REPLICATE', ids[position] ?? '');
	}

	await untilInOrder(nodes, replicas);
	if (tellsReplicas) {
		await untilToldOfReplicas(nodes, masters);
	}

	const stop = async () => {
		await Promise.all(nodes.map(async node => node.stop()));
		await Promise.all(buses.map(async bus => bus?.[Symbol.asyncDispose]()));
	};

	return {
		masters,
		replicas,
		async moveSlots(from, to) {
			const [fromId, toId] = await Promise.all([send(from, 'CLUSTER', 'MYID'), send(to, 'CLUSTER', 'MYID')]);
			const slots = new Set<string>();
			for (const key of await send<string[]>(from, 'KEYS', '*')) {
				slots.add(String(await send<unknown>(from, 'CLUSTER', 'KEYSLOT', key)));
			}

			for (const slot of slots) {
				await moveSlot(masters, slot, {from, to, fromId, toId});
			}

			return slots.size;
		},
		async isolate(isolated) {
			const id = isolated && await send(isolated, 'CLUSTER', 'MYID');
			for (const [position, bus] of buses.entries()) {
				if (bus) {
					bus.isCut = sender => isolated !== undefined && (nodes[position] === isolated || sender === id);
				}
			}
		},
		[Symbol.asyncDispose]: stop,
	};
};
