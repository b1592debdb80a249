import {clusterSlots} from '../../types/packages.cjs';
import type {Nodes} from '../ports/backend.ts';
import {findDissenter, unassigned, type SlotRange} from './cluster-nodes.ts';
import {senderOfClient} from './ioredis-commands.ts';
import type {IoredisClient, IoredisCluster} from './ioredis-kinds.ts';

export type ClusterMap = Nodes & {
	/** To be called with a reply: ioredis does not say when a slot has another master. Returns whether that is so. */
	noteReply(key: string): boolean;
	/** To be called when the slots may lie elsewhere. */
	forget(): void;
};

const addressOfNode = ({options: {host, port}}: IoredisClient): string => `${String(host)}:${String(port)}`;

/** The masters of a cluster, with their addresses. */
export const mastersOfCluster = (cluster: IoredisCluster) => cluster.nodes('master').map(node => ({
	address: addressOfNode(node),
	send: senderOfClient(node).send,
}));

/** After `MOVED`, ioredis keeps the address that the server gave until it has asked for the slots again; its connections have the one that `natMap` gives. */
const connectedAddress = (cluster: IoredisCluster, address: string): string => {
	const {natMap} = cluster.options;
	if (!natMap || cluster.nodes('all').some(node => addressOfNode(node) === address)) {
		return address;
	}

	const mapped = typeof natMap === 'function' ? natMap(address) : natMap[address];
	return mapped ? `${mapped.host}:${String(mapped.port)}` : address;
};

/**
The masters of a cluster as ioredis knows them.
*/
export const mapOf = (cluster: IoredisCluster): ClusterMap => {
	const lastOwners: Array<string | undefined> = [];
	let addresses: readonly string[] | undefined;

	const named = (address: string | undefined): string => address === undefined ? unassigned : connectedAddress(cluster, address);

	const ownerOf = (slot: number): string => named(cluster.slots[slot]?.[0]);

	const list = (): readonly string[] => {
		// Each once: there are 16,384 slots.
		const owners = new Set(Array.from(cluster.slots, each => each?.[0]));
		return [...new Set(owners.values().map(address => named(address)))];
	};

	const refresh = async (): Promise<void> => new Promise(resolve => {
		cluster.refreshSlotsCache(() => {
			addresses = undefined;
			resolve();
		});
	});

	return {
		get addresses() {
			addresses ??= list();
			return addresses;
		},
		of: key => cluster.slots.length === 0 ? undefined : ownerOf(clusterSlots()(key)),
		async replace(address, answering) {
			const slots = cluster.slots.keys().filter(slot => ownerOf(slot) === address).toArray();
			const others = cluster.nodes('master')
				.filter(node => node.status === 'ready' && addressOfNode(node) !== address && answering.includes(addressOfNode(node)))
				.map(node => async () => await senderOfClient(node).send(['CLUSTER', 'SLOTS'], 'text') as readonly SlotRange[]);
			if (!await findDissenter(others, slots, address)) {
				return undefined;
			}

			await refresh();
			const replacedBy = new Set(slots.map(slot => ownerOf(slot)));
			return replacedBy.has(address) ? undefined : [...replacedBy];
		},
		noteReply(key) {
			const slot = clusterSlots()(key);
			const owner = ownerOf(slot);
			const last = lastOwners[slot];
			if (last === owner) {
				return false;
			}

			lastOwners[slot] = owner;
			addresses = undefined;
			return last !== undefined;
		},
		forget() {
			addresses = undefined;
		},
	};
};
