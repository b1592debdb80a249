import {createHints} from '../types/hints.ts';
import type {GuardedWriter} from './ports/guards.ts';
import type {RecordWriter} from './ports/records.ts';
import {atDeadline, forgetDeadline} from './guard/deadline.ts';
import {failoverMemoryMs, type Doubt} from './guard/failovers.ts';
import type {Guard} from './guard/guard.ts';
import type {MemoryTier} from './memory/memory.ts';
import type {Backend, Server} from './ports/backend.ts';
import {StorePermissionError} from './ports/error-reply.ts';
import {connectedServers} from './servers.ts';

export type SweepingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	/** The last write of each key that is under way. */
	readonly writes: ReadonlyMap<string, Promise<unknown>>;
	/** To be called before it begins. */
	readonly onSweep: () => void;
	/** The time for each step: sweeping goes through all keys, and no request waits for it. */
	readonly stepMs: number;
};

/**
Operations on all keys of the namespace.
*/
export type Sweeping = Pick<RecordWriter, 'clear'> & Pick<GuardedWriter, 'replaceGuards'> & {
	/** Whether all was removed, and the store may not know. */
	readonly isAllHidden: boolean;

	/** Whether all was removed lately. */
	readonly wasCleared: boolean;

	/** Has it done again what was done lately: the store may be another master that does not know. */
	doubt(): Doubt | undefined;

	/** Tries again what is not done yet. */
	confirm(): void;

	/** Waits for the sweeps that are under way, no longer than one step may take: the store is about to be closed, and takes no step then. */
	finish(): Promise<void>;
};

type Sweep = 'clear' | 'replaceGuards';

/** How far a sweep came. */
type Swept = {
	readonly keys: number;
	/** The addresses of the servers that were not swept to the end. `undefined`: one that has no address, or all. */
	readonly missing: ReadonlyArray<string | undefined>;
};

const nothingSwept: Swept = {keys: 0, missing: [undefined]};

export const createSweeping = ({backend, guard, tier, writes, onSweep, stepMs}: SweepingOptions): Sweeping => {
	/** The sweeps that a failover may undo. */
	const confirmed = createHints<true>(2, failoverMemoryMs);
	const doubted = new Set<Sweep>();
	/** The sweeps that have to be done again. */
	const due = new Set<Sweep>();
	const underWay = new Set<Promise<boolean>>();

	/** Whether a server refuses commands to this user, which was reported with what to do about it. */
	const hasRefused = (address: string): boolean => guard.health().nodes?.find(node => node.address === address)?.lastError?.cause instanceof StorePermissionError;

	const sweepServer = async ({address}: Server, steps: AsyncIterable<number>): Promise<Swept> => {
		const iterator = steps[Symbol.asyncIterator]();
		let keys = 0;
		for (;;) {
			// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
			const step = await guard.attempt('delete', undefined, async () => iterator.next(), {deadlineMs: stepMs, address});
			if (!step) {
				return {keys, missing: [address]};
			}

			if (step.result.done) {
				return {keys, missing: []};
			}

			keys += step.result.value;
		}
	};

	/** A server that is silent does not keep the others from being swept. */
	const sweepServers = async (kind: Sweep): Promise<Swept> => {
		const servers = await connectedServers(backend, guard, 'delete');
		const all = await Promise.all(servers?.map(async server => {
			const steps = server[kind]?.();
			return steps ? sweepServer(server, steps) : {keys: 0, missing: []};
		}) ?? []);

		return servers ? {keys: all.reduce((sum, {keys}) => sum + keys, 0), missing: all.flatMap(({missing}) => missing)} : nothingSwept;
	};

	const operations: Readonly<Record<Sweep, () => Promise<Swept>>> = {
		replaceGuards: async () => sweepServers('replaceGuards'),
		async clear() {
			// Guards first: what is under way is not written after its key was passed by.
			const replaced = await sweepServers('replaceGuards');
			// Without a connection, there is no need to wait for it once more.
			const cleared = replaced === nothingSwept ? nothingSwept : await sweepServers('clear');
			const missing = [...new Set([...replaced.missing, ...cleared.missing])];
			const silent = missing.filter(address => address !== undefined && !hasRefused(address));
			if (silent.length > 0) {
				guard.report(new Error(`clear() removed ${cleared.keys} keys, but not all of the cluster's: it could not finish on ${silent.join(', ')}. Call clear() again when ${silent.length === 1 ? 'this node answers' : 'these nodes answer'}`));
			}

			return {keys: cleared.keys, missing};
		},
	};

	const sweep = async (kind: Sweep): Promise<boolean> => {
		onSweep();
		tier?.lose();
		const {missing} = await operations[kind]();
		const isConfirmed = missing.length === 0;
		if (isConfirmed) {
			doubted.delete(kind);
			due.delete(kind);
			if (backend.masters) {
				confirmed.set(kind, true);
			}
		}

		return isConfirmed;
	};

	const clearAfterWrites = async (): Promise<boolean> => {
		tier?.lose();
		await Promise.allSettled(writes.values());
		return sweep('clear');
	};

	const track = async (sweeping: Promise<boolean>): Promise<boolean> => {
		underWay.add(sweeping);
		try {
			return await sweeping;
		} finally {
			underWay.delete(sweeping);
		}
	};

	const sweeps = {
		replaceGuards: async () => track(sweep('replaceGuards')),
		clear: async () => track(clearAfterWrites()),
	};

	const confirm = () => {
		for (const kind of due) {
			void sweeps[kind]();
		}
	};

	return {
		...sweeps,
		get isAllHidden() {
			return doubted.has('clear');
		},
		get wasCleared() {
			return confirmed.has('clear');
		},
		doubt() {
			const kinds = confirmed.keys().toArray() as Sweep[];
			if (kinds.length === 0) {
				return undefined;
			}

			tier?.lose();
			for (const kind of kinds) {
				doubted.add(kind);
			}

			return {
				settle() {
					for (const kind of kinds) {
						if (!due.has(kind)) {
							doubted.delete(kind);
						}
					}
				},
				renew() {
					for (const kind of kinds) {
						due.add(kind);
					}

					confirm();
				},
			};
		},
		confirm,
		async finish() {
			if (underWay.size === 0) {
				return;
			}

			const {promise: timeUp, resolve} = Promise.withResolvers<void>();
			const deadline = atDeadline(stepMs, stepMs, resolve);
			await Promise.race([Promise.allSettled(underWay), timeUp]);
			forgetDeadline(deadline);
		},
	};
};
