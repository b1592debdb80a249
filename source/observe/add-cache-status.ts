import type {IncomingMessage} from 'node:http';
import {remainingFreshnessSeconds} from '../http/age.ts';
import {cacheStatusMember} from '../http/cache-status.ts';
import {usedStored} from './info.ts';
import type {ObservedExchange} from './observed-exchange.ts';

/** Whether the response is stored, RFC 9211 §2.5. A stored response that answers counts if this exchange wrote it; the origin's response counts if it is to be stored once it is complete. */
const isStored = (settlement: ObservedExchange['settlement']): boolean =>
	settlement?.answer === undefined ? settlement?.outcome.kind === 'store' || settlement?.outcome.kind === 'combine' : settlement.written !== undefined;

/** The cache's member of `Cache-Status`; `undefined` if the user turned it off. */
export const memberOf = (state: ObservedExchange, nowMs: number): string | undefined => {
	const {exchange, settlement, forwardStatus} = state;
	const {decision, key, settings} = exchange;
	const name = settings.http.cacheStatus;
	if (name === false) {
		return undefined;
	}

	const stored = usedStored(state);

	return cacheStatusMember({
		name,
		decision,
		outcome: settlement && {reason: settlement.refusal ?? settlement.outcome.reason},
		isStored: isStored(settlement),
		forwardStatus,
		ttlSeconds: stored && remainingFreshnessSeconds(stored.policy, nowMs),
		key: key === '' ? undefined : key,
		isCollapsed: state.isCollapsed,
	});
};

/** Adds the cache's member to `Cache-Status`, after those of earlier caches, RFC 9211 §2. */
export const addCacheStatus = (response: IncomingMessage, state: ObservedExchange, nowMs: number): void => {
	const member = memberOf(state, nowMs);
	if (member === undefined) {
		return;
	}

	const {headers} = response;
	headers['cache-status'] = headers['cache-status'] === undefined ? member : `${String(headers['cache-status'])}, ${member}`;
	// A response that is not Node's own may have no `rawHeaders`.
	(response as Partial<IncomingMessage>).rawHeaders?.push('Cache-Status', member);
};
