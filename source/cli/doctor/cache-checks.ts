import {StoreError, type RedisCache, type RedisCacheReadiness, type UnreadableEntry} from '../../index.ts';
import {toCommandLine} from '../commands/advice.ts';
import {storeFailure} from '../commands/failures.ts';
import type {StoreAccess} from '../commands/store-access.ts';
import {countUnreadable} from '../commands/unreadable.ts';
import {failed, ok, warning, type Finding} from './check.ts';

/** An error of the store, with its advice apart. */
export const failedWith = (name: string, error: unknown): Finding => {
	const message = error instanceof StoreError ? storeFailure(error).message : toCommandLine(error instanceof Error ? error.message : String(error));
	const [, detail = message, advice = 'See docs/reliability.md'] = /^(?<detail>.*?\(store: [^\)]*\))(?:\. (?<advice>.*))?$/sv.exec(message) ?? [];

	return failed(name, detail, advice);
};

/**
Does what a request does.

@param readiness - From `cache.ready()`.
*/
export const checkRequests = async (readiness: Promise<RedisCacheReadiness>): Promise<Finding> => {
	try {
		await readiness;
		return ok('requests', 'a key was written, read and removed as requests do it');
	} catch (error) {
		return failedWith('requests', error);
	}
};

/** The number of values that are looked at. */
const sampleSize = 1000;

class EnoughError extends Error {}

/** Looks at the first values: their format, and whether they can be read with the keys that were given. */
export const checkValues = async (cache: RedisCache, {namespace, hasEncryptionKeys}: StoreAccess): Promise<Finding> => {
	const unreadable = countUnreadable();
	let readable = 0;
	const onUnreadable = (entry: UnreadableEntry) => {
		unreadable.note(entry);
		if (unreadable.total() >= sampleSize) {
			throw new EnoughError();
		}
	};

	try {
		for await (const _ of cache.entries({}, {onUnreadable})) {
			readable++;
			if (readable >= sampleSize) {
				break;
			}
		}
	} catch (error) {
		if (!(error instanceof EnoughError)) {
			return failedWith('values', error);
		}
	}

	const all = readable + unreadable.total();
	if (all === 0) {
		return ok('values', `none in the namespace '${namespace}' yet`);
	}

	const reasons = Object.entries(unreadable.byReason());
	const detail = [`${readable} of ${all} read${all >= sampleSize ? ', of the first' : ''}, format version 1`, ...reasons.map(([reason, {count}]) => `${count} ${reason}`)].join(', ');
	if (reasons.length === 0) {
		return ok('values', detail);
	}

	const isForWantOfKeys = !hasEncryptionKeys && reasons.every(([reason]) => reason === 'encrypted');

	return warning(
		'values',
		detail,
		isForWantOfKeys
			? 'Give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION'
			: '`got-redis-cache ls` names them; requests miss them, and the next response replaces each',
	);
};
