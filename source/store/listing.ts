import type {RecordHead} from './codec/codec.ts';
import type {Values} from './codec/values.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import type {Backend} from './ports/backend.ts';
import type {OnUnreadable, RecordLister} from './ports/listing.ts';

export type ListingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly values: Values;
	readonly deletions: Deletions;
	/** For each step: listing goes through all keys, and no request waits for it. */
	readonly timeoutMs: number;
};

const failureOf = (guard: Guard): Error => {
	const {state, lastError} = guard.health();
	const why = state === 'closed' ? 'the cache is closed' : lastError?.message.replace(/^got-redis-cache: /v, '') ?? 'it did not answer';

	return new Error(`got-redis-cache: The store could not list what is stored: ${why}`, {cause: state === 'closed' ? undefined : lastError});
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

	return async function * (onUnreadable, start) {
		const batches = backend.scan(start)[Symbol.asyncIterator]();
		for (;;) {
			// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
			const step = await guard.attempt('command', undefined, async () => batches.next(), {deadlineMs: timeoutMs});
			if (step === undefined) {
				throw failureOf(guard);
			}

			if (step.result.done) {
				return;
			}

			for (const {key: listedKey, value, ttlMs} of step.result.value) {
				const key = listedKey.slice(backend.prefix.length);
				const head = deletions.isUnconfirmed(key) ? undefined : readHead(value, key, onUnreadable);
				if (head) {
					yield {key, record: head.record, bodyBytes: head.bodyLength, timeToLive: ttlMs ?? 'forever'};
				}
			}
		}
	};
};
