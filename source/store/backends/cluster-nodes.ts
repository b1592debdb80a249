import {clusterSlots} from '../../types/packages.cjs';
import type {Nodes} from '../ports/backend.ts';

type NodeClient = {
	readonly isReady: boolean;
	sendCommand(...parameters: any[]): Promise<unknown>;
};

type ClusterNode = {
	readonly address: string;
	readonly client?: NodeClient;
};

/** The part of a cluster of node-redis that tells which node keeps which slot. */
export type Cluster = {
	/** Another array after each discovery. */
	readonly masters: readonly ClusterNode[];
	/** By their numbers. */
	readonly slots: ReadonlyArray<{readonly master: ClusterNode} | undefined>;
	nodeClient(node: unknown): Promise<NodeClient> | NodeClient;
};

/** Node-redis calls this when a node says `MOVED`, and has no name for it that is public. */
type Rediscovering = {readonly _slots?: {rediscover?(startWith: unknown): Promise<void>}};

/** In the place of an address: slots that no node has serve nobody, and are no reason not to ask for others. */
export const unassigned = 'slots without a node';

/** @see https://redis.io/docs/latest/commands/cluster-slots/ */
export type SlotRange = readonly [from: number, to: number, master: readonly [host: unknown, port: unknown, ...rest: unknown[]]];

/** Asks a node where the slots are. */
export type AskForSlots = () => Promise<readonly SlotRange[]>;

/** The first node that answers that it sees one of the slots with another master than `address`. */
export const findDissenter = async <Ask extends AskForSlots>(nodes: readonly Ask[], slots: readonly number[], address: string): Promise<Ask | undefined> => {
	const {promise, resolve} = Promise.withResolvers<Ask | undefined>();
	const asked = nodes.map(async ask => {
		const ranges = await ask();
		if (ranges.some(([from, to, [host, port]]) => `${String(host)}:${String(port)}` !== address && slots.some(slot => from <= slot && slot <= to))) {
			resolve(ask);
		}
	});
	const giveUp = async () => {
		await Promise.allSettled(asked);
		resolve(undefined);
	};

	void giveUp();
	return promise;
};

/**
The masters of a cluster as its client knows them.
*/
export const nodesOf = (cluster: Cluster): Nodes => {
	let seen: Cluster['masters'] = [];
	let seenCount = 0;
	let addresses: readonly string[] = [];

	const ownerOf = (slot: number): string => cluster.slots[slot]?.master.address ?? unassigned;

	return {
		get addresses() {
			const {masters, slots} = cluster;
			if (masters !== seen || masters.length !== seenCount) {
				seen = masters;
				seenCount = masters.length;
				addresses = [...masters.map(({address}) => address), ...(seenCount > 0 && slots.includes(undefined) ? [unassigned] : [])];
			}

			return addresses;
		},
		of: key => cluster.masters.length === 0 ? undefined : ownerOf(clusterSlots()(key)),
		async replace(address, answering) {
			const slots = cluster.slots.keys().filter(slot => ownerOf(slot) === address).toArray();
			const others = cluster.masters.filter(node => node.client?.isReady && node.address !== address && answering.includes(node.address));
			const clients = new Map<AskForSlots, NodeClient | undefined>(
				others.map(({client}) => [async () => (await client?.sendCommand(['CLUSTER', 'SLOTS'], {typeMapping: {}})) as readonly SlotRange[], client]),
			);
			const dissenter = await findDissenter(clients.keys().toArray(), slots, address);
			if (!dissenter) {
				return undefined;
			}

			await (cluster as Rediscovering)._slots?.rediscover?.(clients.get(dissenter));
			const replacedBy = new Set(slots.map(each => ownerOf(each)));
			return replacedBy.has(address) ? undefined : [...replacedBy];
		},
	};
};
