import type {LifetimeRule, OwnLifetime, OwnLifetimes} from '../http/lifetime.ts';
import {parseDuration} from '../types/duration.ts';
import type {ExpireAfter, Lifetime, RedisCacheOptions} from './options.ts';
import {matchesUrlPattern} from './url-pattern.ts';
import {askAbout, callNamed, requestGiven} from './user-functions.ts';
import {describeLifetime, isLifetime, lifetimeExpected} from './validate.ts';

/*
The lifetimes that the user's options give, as the rules of HTTP take them.
*/

/** A lifetime as the rules of HTTP take it, in seconds. */
const toRule = (expireAfter: ExpireAfter): LifetimeRule => {
	if (typeof expireAfter !== 'function') {
		return toOwnLifetime(expireAfter);
	}

	return (request, head) => askAbout(head, response => {
		const lifetime = callNamed('expireAfter', expireAfter, response, requestGiven(request));
		if (lifetime !== undefined && !isLifetime(lifetime)) {
			throw new TypeError(`Expected the function \`expireAfter\` to return ${lifetimeExpected}, or undefined, got ${describeLifetime(lifetime)}`);
		}

		return lifetime === undefined ? undefined : toOwnLifetime(lifetime);
	}, Infinity);
};

const toOwnLifetime = (lifetime: Lifetime): OwnLifetime => {
	if (lifetime === 'no-store') {
		return lifetime;
	}

	return lifetime === 'never' ? Infinity : (parseDuration(lifetime) ?? 0) / 1000;
};

/** `http/lifetime.ts` chooses among them. */
export const lifetimesOf = ({expireAfter, urlsExpireAfter = []}: RedisCacheOptions, ofRequest: ExpireAfter | undefined): OwnLifetimes | undefined => {
	const given = [ofRequest, ...urlsExpireAfter.map(([, lifetime]) => lifetime), expireAfter];
	if (given.every(lifetime => lifetime === undefined)) {
		return undefined;
	}

	const rulesByUrl = urlsExpireAfter.map(([pattern, lifetime]) => [pattern, toRule(lifetime)] as const);

	return {
		ofRequest: ofRequest === undefined ? undefined : toRule(ofRequest),
		ofUrl: url => rulesByUrl.find(([pattern]) => matchesUrlPattern(pattern, url))?.[1],
		ofCache: expireAfter === undefined ? undefined : toRule(expireAfter),
		hasNoStore: given.includes('no-store'),
	};
};
