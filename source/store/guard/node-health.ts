import type {NodeState, NodeReport} from '../ports/health.ts';
import {ownTimers} from '../ports/own-timers.ts';
import type {StoreError} from '../ports/store-error.ts';
import {createBreaker, type Breaker} from './breaker.ts';

/** Silence is no proof of sickness until it is repeated: a single value may be too large for the deadline. */
const failureThreshold = 3;

export type NodeHealthOptions = {
	/** The circuit breakers' first cooldown. */
	readonly cooldownMs: number | undefined;
	/** Asks the node for a sign of life. */
	readonly probe: () => Promise<void>;
	readonly onDegraded: (error: Error, state: NodeState) => void;
	readonly onRecovered: (formerState: NodeState) => void;
};

/**
How one node of the store does. In a cluster each node has its own: answers of the others say nothing of a node that hangs.
*/
export type NodeHealth = {
	readonly reading: Breaker;
	readonly writing: Breaker;
	/** When the node last answered in time. */
	readonly answeredMonoMs: number;
	readonly state: NodeState;
	report(): NodeReport;
	noteAnswer(): void;
	/** How many operations wait for it. */
	waiting: number;
	noteError(error: StoreError): void;
	/** Ends its timers. */
	stop(): void;
	/** The node has left the store: what was wrong with it is over. */
	leave(): void;
};

export const createNodeHealth = ({cooldownMs, probe, onDegraded, onRecovered}: NodeHealthOptions): NodeHealth => {
	const sick = new Set<NodeState>();
	let state: NodeState = 'unknown';
	let answeredMonoMs = -Infinity;
	let since = new Date();
	let lastError: StoreError | undefined;
	let lastErrorAt: Date | undefined;

	const noteState = () => {
		const well = answeredMonoMs === -Infinity ? 'unknown' : 'ok';
		const next = sick.has('unavailable') ? 'unavailable' : (sick.has('read-only') ? 'read-only' : well);
		if (next === state) {
			return;
		}

		state = next;
		since = new Date();
	};

	const begin = (sickness: NodeState) => (error: Error) => {
		sick.add(sickness);
		noteState();
		onDegraded(error, sickness);
	};

	const end = (sickness: NodeState) => () => {
		if (sickness === 'unavailable') {
			// The node may have been restarted or promoted, so its writes are tried anew.
			writing.reset();
		}

		sick.delete(sickness);
		noteState();
		onRecovered(sickness);
	};

	const reading = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		probe,
		onOpen: begin('unavailable'),
		onClose: end('unavailable'),
	});

	// A node that is read-only or full still answers: only writing rests.
	const writing = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		// Each purge makes a little room in a store that is full.
		hasProbation: true,
		onOpen: begin('read-only'),
		onClose: end('read-only'),
	});

	const stop = () => {
		reading.stop();
		writing.stop();
	};

	return {
		reading,
		writing,
		waiting: 0,
		get answeredMonoMs() {
			return answeredMonoMs;
		},
		get state() {
			return state;
		},
		report: () => ({state, since, lastError, lastErrorAt}),
		noteAnswer() {
			const isFirst = answeredMonoMs === -Infinity;
			answeredMonoMs = ownTimers.now();
			if (isFirst) {
				noteState();
			}
		},
		noteError(error) {
			lastError = error;
			lastErrorAt = new Date();
		},
		stop,
		leave() {
			stop();
			for (const sickness of sick) {
				end(sickness)();
			}
		},
	};
};
