import type {Hit} from '../got/state/hits.ts';
import {currentAgeSeconds, remainingFreshnessSeconds} from '../http/age.ts';
import {redactedUrl} from '../http/credentials.ts';
import type {AuditCause, Diagnosis} from './diagnose.ts';

/**
Describes a hit whose answer the origin would not have given.

New properties may be added in a minor version.
*/
export type WrongAnswer = {
	/** The request's method. */
	readonly method: string;

	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;

	/** The resource's key in the store, as `cacheInfo()` gives it and `cache.deleteByKey()` takes it. */
	readonly key: string;

	/** The likeliest cause. */
	readonly cause: AuditCause;

	/** The header fields of the request (lower-case names), or for `'parameter'` the query parameters, that the response depends on. Several if they could not be told apart. */
	readonly names: readonly string[];

	/** Whether there is proof of the cause: the stored response came back without these fields, the origin denies this client the response, or the new response says that it is newer. Otherwise the cause is the likeliest of those that are left. */
	readonly isProven: boolean;

	/** The remedy, in a sentence or two. */
	readonly advice: string;

	/** The differences: `'status'`, `'body'`, and lower-case names of header fields of the response. */
	readonly differences: readonly string[];

	/** The status code of the stored response. */
	readonly storedStatusCode: number;

	/** The status code of the origin's response. */
	readonly statusCode: number;

	/** The time when the stored response was received or last validated. */
	readonly storedAt: Date;

	/** The age of the stored response when it answered, in seconds. */
	readonly ageSeconds: number;

	/** Its freshness lifetime, in seconds; `Infinity` for `'never'`. */
	readonly lifetimeSeconds: number;

	/** How long it would have gone on answering, in seconds. */
	readonly remainingSeconds: number;
};

/** The usual spelling of a header field. */
const spelled = (name: string): string => name.replaceAll(/(?:^|-)[a-z]/gv, start => start.toUpperCase());

const listed = (names: readonly string[], conjunction: string): string =>
	new Intl.ListFormat('en-GB', {type: conjunction === 'or' ? 'disjunction' : 'conjunction'}).format(names.map(name => `\`${name}\``));

const quoted = (names: readonly string[]): string => names.map(name => `'${name}'`).join(', ');

type Facts = Pick<WrongAnswer, 'names' | 'ageSeconds' | 'lifetimeSeconds' | 'isProven'> & {
	/** Whether an option may have set the lifetime. */
	readonly hasOwnLifetimes: boolean;
};

const lifetimeText = ({ageSeconds, lifetimeSeconds}: Facts): string =>
	`${Math.floor(ageSeconds)} s into a lifetime of ${lifetimeSeconds === Infinity ? 'any length' : `${Math.round(lifetimeSeconds)} s`}`;

const lifetimeRemedy = ({hasOwnLifetimes}: Facts): string => hasOwnLifetimes
	? 'give it a shorter `expireAfter`, or purge it when it changes, with `cache.delete(url)` or a tag'
	: 'the origin should send a shorter `max-age`; until then, set `expireAfter`, or purge it when it changes, with `cache.delete(url)` or a tag';

const advices: Readonly<Record<AuditCause, (facts: Facts) => string>> = {
	vary({names}) {
		const fields = names.map(name => spelled(name));

		return names.length === 1
			? `The origin should send \`Vary: ${fields.join(', ')}\`; until then, pass \`matchHeaders: [${quoted(names)}]\` to redisCache().`
			: `The response depends on one of ${listed(fields, 'or')}, which the origin should name in \`Vary\`; until then, pass \`matchHeaders\` with that field to redisCache().`;
	},
	credentials: ({names}) =>
		`The response depends on who asks${
			names.length > 0
				? ` (${listed(
					names.map(name => spelled(name)),
					'and',
				)})`
				: ''
		}: the origin should send \`Cache-Control: private\`, or name the field in \`Vary\`; until then, say whose a response is with the option \`user\`, or leave the URL out with \`filter\`.`,
	parameter: ({names}) =>
		`The response depends on ${names.length === 1 ? 'the parameter' : 'one of the parameters'} ${listed(names, 'or')}: remove it from \`ignoredParameters\`.`,
	lifetime: facts =>
		`The response changed ${lifetimeText(facts)}: ${lifetimeRemedy(facts)}.${facts.isProven ? '' : ' No part of this request makes a difference; if other requests for the URL send header fields that this one lacks, look at those as well.'}`,
	unknown: facts =>
		`Either the response depends on who asks (${listed(
			facts.names.map(name => spelled(name)),
			'and',
		)}), and the origin should send \`Cache-Control: private\`; or it changed ${lifetimeText(facts)}, and ${lifetimeRemedy(facts)}.`,
};

/**
@param atMs - The time when the stored response answered.
*/
export const reportOf = ({exchange, stored}: Hit, {cause, names, isProven, differences, current}: Extract<Diagnosis, {kind: 'wrong'}>, atMs: number): WrongAnswer => {
	const {request: {method, url}, key, settings: {http}} = exchange;
	const {policy} = stored;
	const ageSeconds = currentAgeSeconds(policy, atMs);
	const lifetimeSeconds = policy.freshnessLifetimeSeconds;

	return {
		method,
		url: redactedUrl(url, http.ignoredParameters),
		key,
		cause,
		names,
		isProven,
		advice: advices[cause]({names, ageSeconds, lifetimeSeconds, isProven, hasOwnLifetimes: http.lifetimes !== undefined}),
		differences,
		storedStatusCode: stored.statusCode,
		statusCode: current.statusCode,
		storedAt: new Date(policy.responseTimeMs),
		ageSeconds,
		lifetimeSeconds,
		remainingSeconds: remainingFreshnessSeconds(policy, atMs),
	};
};
