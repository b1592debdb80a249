import type {ExchangeContext} from '../cache/exchange.ts';
import {purgeRequest} from '../cache/invalidating.ts';
import {notePurgeOfAll, purge} from '../resource/purging.ts';
import {resourceOf} from '../store/ports/guard-token.ts';
import {withReplicas} from '../store/replicas.ts';
import {purgeTarget, type PurgeTarget} from '../tags/validity.ts';
import type {StoredResponse} from '../types/stored.ts';
import {checkFlag, checkStoreKey} from './arguments.ts';
import type {EntryFilter, Purgeable, RequestLike} from './filters.ts';
import {everyStored, isMatch, toStoredForm} from './entries.ts';
import {keyInputOf, requestHeadOf} from './request-head.ts';
import {checkPurgeable, checkRequests} from './request-arguments.ts';

/** The number at a time that does not outlast the time that the store has for a command. */
const batchSize = 100;

/** @returns Whether all were confirmed. */
const purgeInBatches = async <Item>(items: readonly Item[], purgeOne: (item: Item) => Promise<boolean>): Promise<boolean> => {
	let isConfirmed = true;
	for (let start = 0; start < items.length; start += batchSize) {
		// eslint-disable-next-line no-await-in-loop
		const confirmations = await Promise.all(items.slice(start, start + batchSize).map(async item => purgeOne(item)));
		isConfirmed &&= confirmations.every(Boolean);
	}

	return isConfirmed;
};

/** @returns Whether the store confirmed it and, if purges wait for replicas, these did. */
export const confirm = async (context: ExchangeContext, purgeIn: (context: ExchangeContext) => Promise<boolean>): Promise<boolean> => {
	const watching = context.store.watchReplicas?.();
	if (!watching) {
		return purgeIn(context);
	}

	const watch = await watching;
	return await purgeIn({...context, store: withReplicas(context.store, watch)}) && watch.confirm();
};

export const removeStored = async (context: ExchangeContext, given: string | URL | RequestLike | ReadonlyArray<string | URL | RequestLike>): Promise<boolean> => {
	const requests = checkRequests(given, 'delete()', context.settings);
	return confirm(context, async part => purgeInBatches(requests, async request => purgeRequest(part, requestHeadOf(request), keyInputOf(request))));
};

/** The resource to which a key in the store belongs, with all its variants, and the key itself if its value cannot be read. */
export const removeByKey = async (context: ExchangeContext, given: string): Promise<boolean> => {
	const key = checkStoreKey(given, 'deleteByKey()', context.settings.namespace);

	return confirm(context, async part => {
		const isPurged = await purge(part, resourceOf(key));
		return await part.store.delete([key]) && isPurged;
	});
};

export const clearAll = async (context: ExchangeContext): Promise<boolean> => {
	context.indexes.clear();
	notePurgeOfAll(context);
	return confirm(context, async ({store}) => store.clear());
};

const softly = (stored: StoredResponse): StoredResponse => ({...stored, policy: {...stored.policy, isInvalidated: true}});

/** The error of a purge that did not reach all nodes of a cluster. */
const incompletePurge = (purgedCount: number, unlisted: ReadonlyMap<string, Error>): Error => {
	const [[, cause] = []] = unlisted;
	const addresses = unlisted.keys().toArray().join(', ');
	const node = unlisted.size === 1 ? 'this node answers' : 'these nodes answer';

	return new Error(`got-redis-cache: The purge is not complete: ${purgedCount} ${purgedCount === 1 ? 'response was' : 'responses were'} purged, but not what is stored on ${addresses}. Purge again when ${node}`, {cause});
};

/**
By a look at everything. Responses that any process is asking for at this moment are not stored.

@throws {Error} If a node of a cluster could not list what it has. The others are purged by then.
*/
const purgeMatching = async (context: ExchangeContext, given: EntryFilter, isSoft: boolean): Promise<boolean> => {
	const {store} = context;
	const filter = toStoredForm(context, given);
	const isByUrl = [filter.url, filter.prefix, filter.pattern].some(each => each !== undefined);
	notePurgeOfAll(context);
	let isConfirmed = await store.replaceGuards();
	let purgedCount = 0;
	const unlisted = new Map<string, Error>();
	const note = (address: string, error: Error) => {
		unlisted.set(address, error);
	};

	for await (const {key, stored} of everyStored(context, note)) {
		if (!isMatch(stored, filter, context.now())) {
			continue;
		}

		if (isSoft) {
			const updated = await store.update(key, current => current?.kind === 'response' ? softly(current) : undefined, 'keep', 'soft purge');
			isConfirmed &&= updated !== undefined;
			purgedCount += updated === undefined ? 0 : 1;
		} else {
			const isRemoved = await (isByUrl ? purge(context, resourceOf(key)) : store.delete([key]));
			isConfirmed &&= isRemoved;
			purgedCount += isRemoved ? 1 : 0;
		}
	}

	// Guards that were on their way to the store at first are there by now.
	const areReplaced = await store.replaceGuards();
	if (unlisted.size > 0) {
		throw incompletePurge(purgedCount, unlisted);
	}

	return isConfirmed && areReplaced;
};

/** The purge that needs no look at everything; `undefined` for anything else. */
const targetsOf = ({tag, group, origin}: Purgeable): PurgeTarget[] | undefined => {
	if (group !== undefined) {
		const {href: url} = new URL(origin);
		return [...new Set([group].flat())].map(each => ({kind: 'group', url, group: each}));
	}

	if (tag !== undefined) {
		return [...new Set([tag].flat())].map(each => ({kind: 'tag', tag: each}));
	}

	return origin === undefined ? undefined : [{kind: 'origin', url: new URL(origin).href}];
};

export const purgeAll = async (context: ExchangeContext, given: Purgeable, options?: {readonly soft?: boolean | undefined}): Promise<boolean> => {
	const what = checkPurgeable(given);
	const {soft = false} = checkFlag(options, 'soft', 'invalidate()');
	const targets = targetsOf(what);

	return confirm(context, async part => targets === undefined
		? purgeMatching(part, what, soft)
		: purgeInBatches(targets, async target => purgeTarget(part.store, target, {isSoft: soft, nowMs: part.now()})));
};
