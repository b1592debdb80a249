import type {Backend} from '../ports/backend.ts';
import type {StoreHealth} from '../ports/health.ts';
import type {NodeHealth} from './node-health.ts';

export type NodesOptions = {
	readonly backend: Backend;
	/** Creates the health of the node with an address; of the whole store without one. */
	readonly createHealth: (address?: string) => NodeHealth;
	/** Other nodes than before are there. */
	readonly onChange: () => void;
	readonly onReplaced: (address: string, replacedBy: readonly string[]) => void;
};

/**
The nodes of a store, of which each is judged by itself: those of a cluster, or the whole store.
*/
export type Nodes = {
	/** The health of a connection that is not made, and of a store that is one node. */
	readonly whole: NodeHealth;

	/** The addresses of the nodes that are there now; none outside of a cluster. Nodes that have left are forgotten. */
	addresses(): readonly string[];

	/** The address of the node that keeps a key; `undefined` outside of a cluster. */
	addressOf(key: string | undefined): string | undefined;

	/** The health of a node; without an address, of the whole store. */
	healthOf(address: string | undefined): NodeHealth;

	/** Whether others have replaced a node. A silent node does not tell that it has lost its keys to others. */
	hasBeenReplaced(address: string): Promise<boolean>;

	/** Whether all nodes that are waited for have answered something since then. */
	isAnswering(sinceMonoMs: number): boolean;

	/** The state of all nodes together. */
	state(): StoreHealth['state'];

	/** Ends the timers of all nodes. */
	stop(): void;
};

const noAddresses: readonly string[] = [];

export const createNodes = ({backend, createHealth, onChange, onReplaced}: NodesOptions): Nodes => {
	const whole = createHealth();
	/** The nodes that were asked, by their addresses. */
	const nodes = new Map<string, NodeHealth>();
	let seenAddresses = noAddresses;

	const addresses = (): readonly string[] => {
		const current = backend.nodes?.addresses ?? noAddresses;
		if (current === seenAddresses) {
			return current;
		}

		seenAddresses = current;
		for (const [address, node] of nodes) {
			// A connection that is lost knows no nodes.
			if (current.length === 0 || current.includes(address)) {
				continue;
			}

			nodes.delete(address);
			node.leave();
		}

		onChange();
		return current;
	};

	return {
		whole,
		addresses,
		addressOf: key => key === undefined || addresses().length === 0 ? undefined : backend.nodes?.of(key),
		healthOf(address) {
			if (address === undefined) {
				return whole;
			}

			const known = nodes.get(address);
			if (known) {
				return known;
			}

			const created = createHealth(address);
			nodes.set(address, created);
			return created;
		},
		async hasBeenReplaced(address) {
			const answering = addresses().filter(each => nodes.get(each)?.state !== 'unavailable');
			const replacedBy = await backend.nodes?.replace(address, answering);
			if (replacedBy) {
				onReplaced(address, replacedBy);
			}

			return !addresses().includes(address);
		},
		isAnswering: sinceMonoMs => nodes.values().every(({waiting, answeredMonoMs}) => waiting === 0 || answeredMonoMs > sinceMonoMs),
		state: () => stateOf(whole, addresses().map(address => nodes.get(address))),
		stop() {
			whole.stop();
			for (const node of nodes.values()) {
				node.stop();
			}
		},
	};
};

/** Of all nodes together: what is known of those that were asked. */
const stateOf = (whole: NodeHealth, nodes: ReadonlyArray<NodeHealth | undefined>): StoreHealth['state'] => {
	const states = nodes.map(node => node === undefined || node.state === 'unknown' ? 'ok' : node.state);
	const [first = 'ok'] = states;
	if (whole.state !== 'ok' && whole.state !== 'unknown') {
		return whole.state;
	}

	return states.every(state => state === first) ? first : 'partial';
};
