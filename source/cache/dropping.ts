import {storedIn} from '../http/decision.ts';
import type {Refusal} from '../http/outcome.ts';
import {variantId} from '../http/vary.ts';
import type {ResourceContext} from '../resource/context.ts';
import {dropReplaced, purge, removeVariants} from '../resource/purging.ts';
import {headKey, variantKey} from '../resource/store-keys.ts';
import {whenVariantsAreSent} from '../resource/variant-queue.ts';
import {resourceOf} from '../store/ports/guard-token.ts';
import type {StoredResponse, VariantIndex, VariantReference} from '../types/stored.ts';
import type {Exchange, ExchangeContext} from './exchange.ts';

type Drop = Extract<Refusal, {kind: 'drop'}>;

/** The index without a variant, unless that variant has been stored again in the meantime. */
const without = (index: VariantIndex, {id, keptUntilMs}: VariantReference): VariantIndex =>
	({...index, variants: index.variants.filter(variant => variant.id !== id || variant.keptUntilMs !== keptUntilMs)});

const dropVariant = async (context: ResourceContext, key: string, index: VariantIndex, stored: StoredResponse): Promise<void> => {
	const {store, indexes} = context;
	// This variant may be among the waiting ones.
	await whenVariantsAreSent(context, key);
	const id = variantId(stored.selectingHeaders);
	const reference = index.variants.find(variant => variant.id === id);
	void store.delete([variantKey(key, id), headKey(key)]);
	if (!reference) {
		return;
	}

	// Otherwise the origin would be asked about this variant's entity tag, RFC 9111 §4.3.1.
	indexes.set(key, without(index, reference));
	void store.update(key, current => current?.kind === 'index' && current.indexId === index.indexId ? without(current, reference) : undefined, 'keep');
};

/**
Removes a stored response that the origin has since replaced by another answer: only this one, or with the scope `'resource'` all variants. The store is not awaited unless the variants must be read first. A connection keeps the order of commands, so that a later look-up of this process finds nothing.
*/
export const drop = async (
	context: ExchangeContext,
	{key, index: found, decision}: Pick<Exchange, 'key' | 'index' | 'decision'>,
	{scope, stored = storedIn(decision)}: Pick<Drop, 'scope' | 'stored'>,
): Promise<void> => {
	const {store, indexes} = context;
	const index = indexes.get(key) ?? found;
	if (scope === 'resource') {
		if (index) {
			void removeVariants(context, key, index);
		} else {
			dropReplaced(context, key);
		}

		// The purge removes the responses for all kinds of callers, and keeps an older response in progress from being stored.
		await purge(context, resourceOf(key));
	} else if (stored?.method === 'HEAD') {
		void store.delete([headKey(key)]);
	} else if (stored && index) {
		await dropVariant(context, key, index, stored);
	} else if (stored) {
		dropReplaced(context, key);
	}
};
