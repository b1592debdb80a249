import {randomBytes} from 'node:crypto';
import {whyNotLasting} from './backends/eviction.ts';
import type {Fetching} from './fetching.ts';
import type {Guard} from './guard/guard.ts';
import {ask, type Backend} from './ports/backend.ts';
import {exchangeToken, guardKeyOf, purgeToken} from './ports/guard-token.ts';
import type {StoreReadiness} from './ports/lifecycle.ts';

export type ReadinessOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly fetching: Fetching;
};

/** Longer than connecting takes at most. */
export const readyPatienceMs = 5000;

/** A process that ends in between leaves its key for so long. */
const longestStayMs = 10_000;

/** Does what a request does, with a key of its own. */
const tryAll = async ({backend, fetching: {fetchAll, fetchOne}}: ReadinessOptions): Promise<void> => {
	const {guarded} = backend;
	const key = `{ready ${randomBytes(6).toString('base64url')}}`;
	const guardKey = guardKeyOf(key);
	const wireKey = backend.prefix + key;
	const value = randomBytes(16);
	await Promise.all([fetchOne(key), fetchAll([key, guardKey])]);

	const placed = await guarded.place(backend.prefix + guardKey, exchangeToken(), longestStayMs);
	await guarded.commit({key: backend.prefix + guardKey, token: placed, ttlMs: longestStayMs}, [{kind: 'put', key: wireKey, expected: 'anything', value, ttlMs: longestStayMs}]);
	const written = await fetchOne(key);
	await guarded.purge({key: backend.prefix + guardKey, token: purgeToken(), ttlMs: longestStayMs}, [{kind: 'delete', key: wireKey, expected: 'anything'}]);
	const left = await fetchOne(key);
	await ask(backend, async () => backend.keyv.delete(backend.prefix + guardKey));

	if (!backend.toBytes(written) || !value.equals(backend.toBytes(written) ?? new Uint8Array())) {
		throw new Error('The store did not give back what was written to it');
	}

	if (left !== undefined && left !== null) {
		throw new Error('The store still has what was removed from it');
	}
};

const whyNoListing = async ({backend}: ReadinessOptions): Promise<string | undefined> => {
	const batches = backend.servers()[0]?.scan()[Symbol.asyncIterator]();
	try {
		await batches?.next();
		return undefined;
	} catch (error) {
		return `What is stored cannot be listed, as \`entries()\`, \`clear()\`, \`copyTo()\` and purges by prefix, pattern and age do (${error instanceof Error ? error.message : String(error)})`;
	} finally {
		await batches?.return?.(undefined);
	}
};

const whyNotLastingOf = async ({backend: {readEvictions}}: ReadinessOptions, expires: boolean): Promise<string[]> => {
	try {
		const evictions = await readEvictions?.() ?? [];
		const reasons = evictions.map(eviction => whyNotLasting(eviction, expires)).filter(reason => reason !== undefined);
		return [...new Set(reasons)];
	} catch (error) {
		return [`The \`maxmemory-policy\` of Redis cannot be read: its user may not run INFO (${error instanceof Error ? error.message : String(error)})`];
	}
};

/**
Tries whether a store can do what the cache asks of it.
*/
export const createReadiness = (options: ReadinessOptions) => {
	const {backend, guard} = options;

	return {
		/**
		@param expires - Whether keys have a TTL.
		@throws {StoreError} If the store can't be reached, read or written to.
		*/
		async ready(expires: boolean): Promise<StoreReadiness> {
			const warnings = await guard.check(async () => {
				await tryAll(options);
				const [whyUnlisted, whyShort] = await Promise.all([whyNoListing(options), whyNotLastingOf(options, expires)]);
				return [...whyUnlisted === undefined ? [] : [whyUnlisted], ...whyShort];
			}, readyPatienceMs);

			return {address: backend.address, warnings};
		},

		/** Connects, and resolves to whether the store has answered within that time. */
		async confirmConnection(patienceMs: number): Promise<boolean> {
			try {
				await guard.check(async () => undefined, patienceMs);
				return true;
			} catch {
				return false;
			}
		},
	};
};
