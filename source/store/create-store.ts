import type {CommandSender} from './ports/commands.ts';
import {resolveStore, type StoreOption} from './backends/connection.ts';
import {isCompressionSupported} from './codec/compression.ts';
import type {KeyRing} from './codec/encryption.ts';
import {createValues} from './codec/values.ts';
import {createCommitting} from './committing.ts';
import {createEncoding} from './encoding.ts';
import {createFetching} from './fetching.ts';
import {createDeletions} from './guard/deletions.ts';
import {createFailovers} from './guard/failovers.ts';
import {createGuard} from './guard/guard.ts';
import {toPermissionError} from './guard/permissions.ts';
import {createWriteQueue} from './guard/write-queue.ts';
import {createEntries} from './listing.ts';
import {createLongValues} from './long-values.ts';
import {createMemoryTier} from './memory/memory.ts';
import {createNaming, withNames} from './naming.ts';
import {toTtlMs} from './ports/backend.ts';
import type {StoreEvent} from './ports/health.ts';
import {longBodyBytes, mostBodyBytes} from './ports/long-keys.ts';
import type {Store} from './ports/store.ts';
import {createReadiness} from './readiness.ts';
import {createReading} from './reading.ts';
import {createReplicas, type ReplicaCount} from './replicas.ts';
import {createSlowKeys} from './slow-keys.ts';
import {createSweeping} from './sweeping.ts';
import {createUpdate} from './updating.ts';
import {createSet} from './writing.ts';

export type StoreOptions = {
	readonly store: StoreOption;
	/** Stands before each key, with a colon between. No braces: they are the keys'. */
	readonly namespace: string;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** The bytes that the tier in memory may hold. */
	readonly memoryBytes: number;
	/** Default: where the records leave the process, if Node.js can. */
	readonly isCompressing?: boolean | undefined;
	readonly keyRing?: KeyRing | undefined;
	/** The replicas that purges wait for. */
	readonly replicas?: ReplicaCount | undefined;
	readonly onEvent?: (event: StoreEvent) => void;
	/** The circuit breaker's first cooldown. */
	readonly cooldownMs?: number;
	/** Bytes that may wait to be written; more are dropped. */
	readonly queueBytes?: number;
};

/** The number of keys that are tried to find one on a node: enough for nodes that have few slots. */
const mostProbeKeys = 20_000;

/** For each step of a list: some thousand short reads. */
const listingStepMs = 10_000;

/**
The store that an option stands for: with a deadline, a circuit breaker and bounds, so that a sick store costs a request little and never its answer.
*/
export const createStore = ({store, namespace, timeoutMs, memoryBytes, onEvent, cooldownMs, queueBytes, isCompressing, keyRing, replicas}: StoreOptions): Store => {
	if (namespace === '' || /[\{\}]/v.test(namespace)) {
		throw new TypeError(`The option \`namespace\` is '${namespace}': expected a string without braces that is not empty`);
	}

	const tier = memoryBytes > 0
		? createMemoryTier(memoryBytes, {
			// Or else all that is in use would be read at once when it is not believed any more.
			onProofDue() {
				void renewProof();
			},
			onCopy(body, copy) {
				values.noteCopy(body, copy);
			},
		})
		: undefined;
	const backend = resolveStore(store, {
		namespace,
		memoryBytes,
		timeoutMs,
		onFault(error) {
			guard.report(error);
		},
		tracker: tier && {
			invalidate(changedKey) {
				tier.invalidate(changedKey.slice(prefix.length));
			},
			lose: tier.lose,
			confirm: tier.confirmConnection,
			refused(error) {
				// An old server has no tracking, which is nobody's mistake.
				const missing = toPermissionError(error, prefix);
				if (missing) {
					guard.report(missing);
				}
			},
		},
	});
	const {keyv, prefix, send} = backend;
	const values = createValues({isCompressing: isCompressing ?? (isCompressionSupported && !backend.isInProcess), keyRing, isPrivate: backend.isPrivate, prefix});
	const counters = {
		hits: 0,
		misses: 0,
		get errors() {
			return guard.errors;
		},
		corrupt: 0,
		dropped: 0,
		unwritten: 0,
	};
	let probes = 0;
	/** In a cluster, one that lies on that node. */
	const probeKeyOn = (address?: string): string => {
		for (let tries = 0; tries < mostProbeKeys; tries++) {
			const key = `{probe ${++probes}}`;
			if (address === undefined || backend.nodes?.of(key) === address) {
				return key;
			}
		}

		throw new Error(`No key was found that lies on ${String(address)}`);
	};

	const probe = async (key = probeKeyOn()) => keyv.get<unknown>(prefix + key);
	/** By each command that a look-up uses: a user of Redis may lack the permission for one of them. */
	const probeAll = async (address: string | undefined) => {
		const key = probeKeyOn(address);
		await Promise.all([probe(key), fetching.fetchAll([key, `${key}:`])]);
	};

	const guard = createGuard({
		backend,
		timeoutMs,
		cooldownMs,
		onEvent,
		probe: probeAll,
		onAnswer() {
			if (backend.proveTracking) {
				backend.proveTracking();
			} else {
				tier?.confirmConnection();
			}

			// A deletion may only have been late, or lost with a connection.
			deletions.confirmWhenDue();
		},
		onRecovery() {
			queue.restart();
			void deletions.confirm();
			sweeping.confirm();
		},
	});

	let isProving = false;
	const renewProof = async (): Promise<void> => {
		if (isProving) {
			return;
		}

		isProving = true;
		await guard.attempt('read', undefined, async () => probe());
		isProving = false;
	};

	/** The last write of each key that is under way. */
	const writes = new Map<string, Promise<unknown>>();
	const queue = createWriteQueue(queueBytes);
	const fetching = createFetching({backend, values, counters});
	const encoding = createEncoding({backend, guard, values});
	const onSent = () => {
		failovers.note();
	};

	const sweeping = createSweeping({backend, guard, tier, writes, onSweep: onSent, stepMs: Math.max(timeoutMs, backend.sweepStepMs)});
	const deletions = createDeletions({backend, values, guard, tier, writes, isAllHidden: () => sweeping.isAllHidden, wasCleared: () => sweeping.wasCleared, onDeletion: onSent});
	const doubtListeners = new Set<() => void>();
	const failovers = createFailovers({
		backend,
		guard,
		onDoubt() {
			for (const listener of doubtListeners) {
				listener();
			}

			return [sweeping.doubt(), deletions.doubt()].filter(doubt => doubt !== undefined);
		},
	});
	const longValues = backend.pieces && createLongValues(backend, backend.pieces, guard, timeoutMs);
	const slowKeys = createSlowKeys({backend, guard, deletions, counters});
	const reading = createReading({backend, guard, tier, fetching, encoding, deletions, slowKeys, longValues, writes, counters});
	const update = createUpdate({backend, guard, tier, fetching, longValues, encoding});
	const set = createSet({backend, guard, tier, encoding, deletions, slowKeys, queue, writes, counters});
	const committing = createCommitting({backend, guard, tier, values, encoding, deletions, slowKeys, longValues, queue, writes, counters});

	const command: CommandSender['command'] = send && (async (key, toArguments) => {
		let refusal: Error | undefined;
		const attempted = await guard.attempt('command', key, async () => {
			try {
				return await send(prefix + key, toArguments(prefix + key));
			} catch (error) {
				refusal = backend.isRefusal(error) ? error as Error : undefined;
				throw error;
			}
		});
		return attempted ? {reply: attempted.result} : refusal && {refusal};
	});

	const created: Store = {
		get address() {
			return backend.address;
		},
		isAlone: false,
		peek: reading.peek,
		peekAll: reading.peekAll,
		text: (body, decode) => tier ? tier.text(body, decode) : decode(),
		takeBody: values.takeBody,
		get: reading.get,
		get needsExtraRoundTrip() {
			return reading.needsExtraRoundTrip;
		},
		set,
		...committing,
		purge: deletions.purge,
		replaceGuards: sweeping.replaceGuards,
		clear: sweeping.clear,
		...replicas && backend.masters && {watchReplicas: createReplicas({...replicas, backend, guard})},
		onDoubt(listener) {
			doubtListeners.add(listener);
		},
		extend(key, timeToLive) {
			const {extend} = backend;
			if (extend) {
				void guard.attempt('command', key, async () => extend(prefix + key, toTtlMs(timeToLive)));
			}
		},
		update,
		...createReadiness({backend, guard, fetching}),
		longBodyBytes: longValues ? longBodyBytes : Infinity,
		mostBodyBytes: longValues ? mostBodyBytes : Infinity,
		isAtomic: backend.swap !== undefined,
		keepsOrder: backend.keepsOrder ?? false,
		nameOf: key => key,
		forget(key) {
			tier?.forget(key);
		},
		entries: createEntries({backend, guard, values, deletions, timeoutMs: Math.max(timeoutMs, listingStepMs)}),
		async delete(keys) {
			return keys.length === 0 || deletions.remove(keys);
		},
		command,
		plainCommand: command,
		async flush() {
			await Promise.allSettled(writes.values());
		},
		get isHealthy() {
			return guard.isHealthy();
		},
		isAnswering: backend.nodes && guard.isAnswering,
		isReadable: guard.isHealthy,
		isWritable: guard.isWritable,
		health: guard.health,
		counters,
		async close() {
			failovers.close();
			await encoding.flush();
			await sweeping.finish();
			await guard.close();
			reading.close();
			tier?.lose();
			await backend.close();
		},
	};

	return keyRing === undefined ? created : withNames(created, createNaming(keyRing));
};
