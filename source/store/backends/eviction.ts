import type {Eviction} from '../ports/backend.ts';

/** The policy as `INFO memory` tells it; `undefined` if it does not, as with some services. */
export const readEviction = (info: string): Eviction | undefined => {
	const policy = /^maxmemory_policy:(?<policy>\S+)/mv.exec(info)?.groups?.policy;
	const maxBytes = /^maxmemory:(?<maxBytes>\d+)/mv.exec(info)?.groups?.maxBytes;

	return policy === undefined || maxBytes === undefined ? undefined : {policy, maxBytes: Number(maxBytes)};
};

const whatToSet = 'Set `maxmemory-policy allkeys-lfu`, or `volatile-lfu` if this Redis holds more than caches';

/**
@param expires - Whether keys have a TTL.
@returns The trouble that will come in the long run; `undefined` if none will.
*/
export const whyNotLasting = ({maxBytes, policy}: Eviction, expires: boolean): string | undefined => {
	if (maxBytes === 0) {
		return expires ? undefined : 'With `ttl: false` nothing is ever removed, and Redis has no `maxmemory`: it grows until its machine is full. Set `maxmemory`, and `maxmemory-policy allkeys-lfu`';
	}

	if (policy === 'noeviction') {
		return `Redis has \`maxmemory-policy noeviction\`: once it is full, nothing new is stored. ${whatToSet}`;
	}

	return !expires && policy.startsWith('volatile-')
		? `Redis has \`maxmemory-policy ${policy}\`, which removes only keys with a TTL, and \`ttl: false\` gives them none: once it is full, nothing new is stored. Set \`maxmemory-policy allkeys-lfu\``
		: undefined;
};
