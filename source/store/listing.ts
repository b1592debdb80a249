import type {RecordHead} from './codec/codec.ts';
import type {Values} from './codec/values.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import type {Backend, RawEntry, Server} from './ports/backend.ts';
import type {OnUnreadable, RecordLister, StoreEntry} from './ports/listing.ts';
import {messageOf} from './ports/store-error.ts';
import {connectedServers} from './servers.ts';

export type ListingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly values: Values;
	readonly deletions: Deletions;
	/** For each step: listing goes through all keys, and no request waits for it. */
	readonly timeoutMs: number;
};

/** @param address - The address of the cluster's node that could not list its part. */
const failureOf = (guard: Guard, address: string | undefined): Error => {
	const {state, lastError, nodes} = guard.health();
	const cause = nodes?.find(node => node.address === address)?.lastError ?? lastError;
	const why = state === 'closed' ? 'the cache is closed' : cause && messageOf(cause);
	const place = address === undefined ? '' : ` on its node ${address}`;

	return new Error(`got-redis-cache: The store could not list what is stored${place}: ${why ?? 'it did not answer'}`, {cause: state === 'closed' ? undefined : cause});
};

/**
How what is stored is listed, by its heads.
*/
export const createEntries = ({backend, guard, values, deletions, timeoutMs}: ListingOptions): RecordLister['entries'] => {
	const tellWhy = (bytes: Uint8Array | undefined, key: string, onUnreadable: OnUnreadable): void => {
		const reason = bytes ? values.whyUnreadable(bytes, key) : 'corrupt';
		if (reason !== undefined) {
			onUnreadable(key, reason);
		}
	};

	const readHead = (value: unknown, key: string, onUnreadable: OnUnreadable | undefined): RecordHead | undefined => {
		const bytes = backend.toBytes(value);
		const head = bytes && values.readHead(bytes, key);
		if (onUnreadable && !head) {
			tellWhy(bytes, key, onUnreadable);
		}

		return head;
	};

	const entriesOf = function * (batch: readonly RawEntry[], onUnreadable: OnUnreadable | undefined): Generator<StoreEntry> {
		for (const {key: listedKey, value, ttlMs} of batch) {
			const key = listedKey.slice(backend.prefix.length);
			const head = deletions.isUnconfirmed(key) ? undefined : readHead(value, key, onUnreadable);
			if (head) {
				yield {key, record: head.record, bodyBytes: head.bodyLength, timeToLive: ttlMs ?? 'forever'};
			}
		}
	};

	// The batches of one server.
	const listServer = async function * ({address, scan}: Server, start: string | undefined): AsyncGenerator<readonly RawEntry[]> {
		const batches = scan(start)[Symbol.asyncIterator]();
		for (;;) {
			// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
			const step = await guard.attempt('command', undefined, async () => batches.next(), {deadlineMs: timeoutMs, address});
			if (step === undefined) {
				throw failureOf(guard, address);
			}

			if (step.result.done) {
				return;
			}

			yield step.result.value;
		}
	};

	return async function * (onUnreadable, start, onUnlisted) {
		const servers = await connectedServers(backend, guard, 'command', timeoutMs);
		if (!servers) {
			throw failureOf(guard, undefined);
		}

		for (const server of servers) {
			try {
				// eslint-disable-next-line no-await-in-loop -- only as much is read as somebody takes
				for await (const batch of listServer(server, start)) {
					yield * entriesOf(batch, onUnreadable);
				}
			} catch (error) {
				if (!onUnlisted || server.address === undefined) {
					throw error;
				}

				onUnlisted(server.address, error as Error);
			}
		}
	};
};
