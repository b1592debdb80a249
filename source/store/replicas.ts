import {inBackground} from '../types/background.ts';
import {durationInWords} from '../types/duration.ts';
import {atDeadline, forgetDeadline} from './guard/deadline.ts';
import type {Guard} from './guard/guard.ts';
import type {Backend, Master} from './ports/backend.ts';
import {ownTimers} from './ports/own-timers.ts';
import type {ReplicaWatch} from './ports/failover.ts';
import type {Store} from './ports/store.ts';

/*
Redis confirms a write before its replicas have it. `WAIT` says which of them have the last write of its own connection, which need not be the purge's: node-redis may send the two on different connections. So the master says how far it has written, and how far its replicas have followed.
*/

/** The replicas that a purge waits for. */
export type ReplicaCount = {
	readonly count: number;
	/** The longest that a purge waits for them. */
	readonly timeoutMs: number;
};

export type ReplicasOptions = ReplicaCount & {
	readonly backend: Backend;
	readonly guard: Guard;
};

const firstPauseMs = 1;
const longestPauseMs = 100;

type Replication = {
	/** Of its data: a replica that is promoted gives itself another one. */
	readonly id: string | undefined;
	readonly isMaster: boolean;
	/** How much it has written. */
	readonly offset: number;
	/** How much of that each of its replicas has acknowledged. */
	readonly acknowledged: readonly number[];
};

const field = (info: string, name: string): string | undefined => new RegExp(String.raw`^${name}:(?<value>\S+)`, 'mv').exec(info)?.groups?.value;

/** @see https://redis.io/docs/latest/commands/info/ */
export const readReplication = (info: string): Replication => ({
	id: field(info, 'master_replid'),
	isMaster: field(info, 'role') === 'master',
	offset: Number(field(info, 'master_repl_offset') ?? NaN),
	acknowledged: info.matchAll(/^slave\d+:.*\bstate=online,offset=(?<offset>\d+)/gmv).map(match => Number(match.groups?.offset)).toArray(),
});

const askMaster = async ({send}: Master): Promise<Replication> => readReplication(String(await send(['INFO', 'replication'])));

const notReplicated = (count: number, why: string, cause: unknown): Error => new Error(
	`A purge was not confirmed, as the option \`waitForReplicas\` asks for ${count === 1 ? '1 replica that has' : `${count} replicas that have`} it: ${why}`,
	{cause},
);

const pause = async (ms: number, isInBackground: boolean): Promise<void> => new Promise(resolve => {
	const timer = ownTimers.setTimeout(resolve, ms);
	if (isInBackground) {
		inBackground(timer);
	}
});

/**
Waits until replicas have what was written, for purges that are to survive a failover.
*/
export const createReplicas = ({backend, guard, count, timeoutMs}: ReplicasOptions): NonNullable<Store['watchReplicas']> => {
	const {masters, prefix} = backend;

	const unconfirmed = (address: string | undefined, why: string, cause?: unknown): false => {
		if (guard.health().state !== 'closed') {
			guard.report(notReplicated(count, `${address === undefined ? '' : `of ${address}, `}${why}`, cause));
		}

		return false;
	};

	const isReplicated = async (master: Master, before: Promise<Replication | undefined>, isInBackground: boolean): Promise<boolean> => {
		const {address, send} = master;
		const progress = {most: 0, isOver: false};
		const askReplicas = async () => send(['WAIT', String(count), '1']);

		const follow = async (): Promise<boolean> => {
			// `WAIT` has the replicas acknowledge at once what they do each second by themselves.
			const [earlier, written, , first] = await Promise.all([before, askMaster(master), askReplicas(), askMaster(master)]);
			let current = first;
			for (let pauseMs = firstPauseMs; !progress.isOver; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
				if (!current.isMaster || current.id === undefined || current.id !== earlier?.id) {
					return unconfirmed(address, 'another master may have taken its place meanwhile');
				}

				progress.most = current.acknowledged.filter(offset => offset >= written.offset).length;
				if (progress.most >= count) {
					return true;
				}

				// eslint-disable-next-line no-await-in-loop -- until they have it
				await pause(pauseMs, isInBackground);
				// eslint-disable-next-line no-await-in-loop
				[, current] = await Promise.all([askReplicas(), askMaster(master)]);
			}

			return false;
		};

		const {promise: late, resolve: giveUp} = Promise.withResolvers<false>();
		const deadline = atDeadline(timeoutMs, timeoutMs, () => {
			const {most} = progress;
			giveUp(unconfirmed(address, `after ${durationInWords(timeoutMs)}, ${most} ${most === 1 ? 'has' : 'have'} it`));
		}, {isInBackground});
		try {
			return await Promise.race([follow(), late]);
		} catch (error) {
			return unconfirmed(address, error instanceof Error ? error.message : String(error), error);
		} finally {
			progress.isOver = true;
			forgetDeadline(deadline);
		}
	};

	return async () => {
		// A cluster says which masters it has when it is connected.
		if (masters?.list().length === 0) {
			await guard.attempt('command', undefined, async () => undefined);
		}

		/** By the addresses of a cluster's masters: what each was before it was written to. */
		const written = new Map<string | undefined, {readonly master: Master; readonly before: Promise<Replication | undefined>}>();
		const keys = new Set<string>();
		let isLost = false;

		const identify = async (master: Master): Promise<Replication | undefined> => {
			try {
				const connecting = backend.connect();
				// On the same connection, it is answered before the purge is.
				if (connecting !== undefined) {
					await connecting;
				}

				return await askMaster(master);
			} catch {
				// The next one tells what is wrong.
				return undefined;
			}
		};

		return {
			note(key) {
				const concerned = masters?.list(key === undefined ? undefined : prefix + key) ?? [];
				if (key !== undefined) {
					keys.add(key);
				}

				isLost ||= concerned.length === 0;
				for (const master of concerned) {
					if (!written.has(master.address)) {
						written.set(master.address, {master, before: identify(master)});
					}
				}
			},
			async confirm({isInBackground = false} = {}) {
				const isMoved = keys.values().some(key => masters?.list(prefix + key).some(({address}) => !written.has(address)) ?? true);
				if (isLost || isMoved) {
					return unconfirmed(undefined, 'another master may have taken the place of the one that keeps it');
				}

				const replicated = await Promise.all(written.values().map(async ({master, before}) => isReplicated(master, before, isInBackground)));
				return replicated.every(Boolean);
			},
		};
	};
};

/** The same store for what one purge writes, so that it can wait for replicas. */
export const withReplicas = (store: Store, watch: ReplicaWatch): Store => {
	const noting =
		<Parameters extends readonly unknown[], Result>(
			keysOf: (...parameters: Parameters) => ReadonlyArray<string | undefined>,
			write: (...parameters: Parameters) => Result,
		) =>
			(...parameters: Parameters): Result => {
				for (const key of keysOf(...parameters)) {
					watch.note(key);
				}

				return write(...parameters);
			};

	return Object.assign(Object.create(store) as Store, {
		unbudgeted: store.unbudgeted ?? store,
		set: noting(key => [key], store.set),
		update: noting(key => [key], store.update),
		purge: noting(({guardKey}) => [guardKey], store.purge),
		delete: noting(keys => keys, store.delete),
		replaceGuards: noting(() => [undefined], store.replaceGuards),
		clear: noting(() => [undefined], store.clear),
	} satisfies Partial<Store>);
};
