import type {ExchangeContext} from '../cache/exchange.ts';
import {storedKeysOf} from '../cache/keys.ts';
import {keptFor} from '../cache/storing.ts';
import {currentAgeSeconds} from '../http/age.ts';
import {readAll} from '../resource/read-all.ts';
import {keepVersions, renewedVersions} from '../tags/validity.ts';
import {parseDuration, type Duration} from '../types/duration.ts';
import {checkLifetime} from './arguments.ts';
import type {RequestLike} from './filters.ts';
import {keyInputOf, requestHeadOf} from './request-head.ts';
import {checkRequest} from './request-arguments.ts';

/** Gives what is stored for a request, every variant, another lifetime from now on. */
export const touchStored = async (context: ExchangeContext, given: string | URL | RequestLike, expireAfter: Duration | 'never'): Promise<boolean> => {
	const request = checkRequest(given, 'touch()', context.settings);
	checkLifetime(expireAfter, 'touch()');
	const lifetimeMs = expireAfter === 'never' ? Infinity : parseDuration(expireAfter) ?? 0;
	const {store, settings} = context;
	const {expires, request: {ttlOffsetMs}} = settings;
	const nowMs = context.now();
	const timeToLive = keptFor({expires}, lifetimeMs + ttlOffsetMs);
	let isTouched = false;
	for (const key of await storedKeysOf(context, requestHeadOf(request), keyInputOf(request))) {
		// eslint-disable-next-line no-await-in-loop -- few
		for (const {storeKey, stored, versions} of await readAll(context, key)) {
			keepVersions(store, {key, stored}, versions, {timeToLive, nowMs});
			// eslint-disable-next-line no-await-in-loop
			const updated = await store.update(storeKey, current => current?.kind === 'response'
				? {
					...current,
					versions: renewedVersions(key, current, versions),
					policy: {...current.policy, isInvalidated: false, freshnessLifetimeSeconds: currentAgeSeconds(current.policy, nowMs) + (lifetimeMs / 1000)},
				}
				: undefined, timeToLive);
			isTouched ||= updated?.record !== undefined;
		}

		const keptUntilMs = timeToLive === 'forever' ? Number.MAX_SAFE_INTEGER : nowMs + timeToLive;
		// eslint-disable-next-line no-await-in-loop
		await store.update(key, current => current?.kind === 'index' ? {...current, variants: current.variants.map(variant => ({...variant, keptUntilMs}))} : undefined, timeToLive);
	}

	return isTouched;
};
