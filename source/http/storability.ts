import {hasUnqualified} from './cache-control.ts';
import {isCredentialName} from './credentials.ts';
import {requestDirectives} from './directives.ts';
import {fieldValue} from './header-fields.ts';
import type {PassReason} from './outcome.ts';
import type {EvaluatedResponse, ReceivedMessage} from './policy.ts';
import {contentRangeOf} from './range.ts';
import type {Settings} from './settings.ts';
import {canEverBeStale} from './stale.ts';
import {heuristicallyCacheable, notStored, requestSpecific, understood} from './status-codes.ts';
import {hasValidator, validatorsOf} from './validators.ts';
import {selectingFieldNames} from './vary.ts';

export type Candidate = ReceivedMessage & {
	readonly appraisal: EvaluatedResponse;
};

/**
Returns the reason why a response must not, or need not, be stored; `undefined` if it may.
*/
export const whyNotStorable = (candidate: Candidate): PassReason | undefined => rules.find(([, isForbidden]) => isForbidden(candidate))?.[0];

/** The reasons that a response and its request give by themselves. */
export type StorabilityReason = Extract<
	PassReason,
	| 'method'
	| 'status'
	| 'partial'
	| 'request-no-store'
	| 'must-understand'
	| 'no-store'
	| 'private'
	| 'authorization'
	| 'vary-star'
	| 'credentials'
	| 'not-explicit'
	| 'set-cookie'
	| 'not-reusable'
>;

/** A rule that forbids storing, by the reason that it gives, and whether a response complies with it. */
export type Clause = {
	readonly reason: StorabilityReason;
	readonly isMet: boolean;
};

/** Applies all rules to a response, in the order in which they count. */
export const storabilityClauses = (candidate: Candidate): readonly Clause[] => rules.map(([reason, isForbidden]) => ({reason, isMet: !isForbidden(candidate)}));

/** The rules that forbid storing a 304's header fields. With `Authorization`, the 304 must allow storing itself: it has the `Cache-Control` that a 200 would have, RFC 9110 §15.4.5. */
const updateRules: ReadonlySet<PassReason> = new Set(['must-understand', 'no-store', 'private', 'authorization', 'vary-star', 'set-cookie']);

/**
Returns the reason why the header fields of a response without content must not be stored with the response they update; `undefined` if these fields allow it.

@param update - The update, with the status code of the response that it updates.
*/
export const whyNotUpdating = (update: Candidate): PassReason | undefined => rules.find(([reason, isForbidden]) => updateRules.has(reason) && isForbidden(update))?.[0];

type Rule = readonly [reason: StorabilityReason, isForbidden: (candidate: Candidate) => boolean];

/** The rules of RFC 9111 §3, clause by clause; the first that forbids storing counts. */
const rules: readonly Rule[] = [
	['method', ({request, settings}) => !settings.methods.has(request.method)],

	[
		'status',
		({response: {statusCode}, settings}) =>
			!Number.isSafeInteger(statusCode)
			|| statusCode < 200
			|| requestSpecific.has(statusCode)
			|| !(settings.statusCodes?.has(statusCode) ?? !notStored.has(statusCode)),
	],

	['partial', ({response, appraisal}) => response.statusCode === 206 && contentRangeOf(appraisal.headers) === undefined],

	['request-no-store', ({request}) => requestDirectives(request.headers).has('no-store')],

	['must-understand', ({response, appraisal: {directives}}) => directives.has('must-understand') && !understood.has(response.statusCode)],

	// RFC 9111 §5.2.2.3: a cache that understands the status code may ignore `no-store` beside `must-understand`.
	[
		'no-store',
		({appraisal: {directives, ownLifetime}}) => ownLifetime === 'no-store' || (directives.has('no-store') && !directives.has('must-understand')),
	],

	['private', ({appraisal: {directives}, settings}) => settings.isShared && hasUnqualified(directives, 'private')],

	[
		'authorization',
		({request, appraisal, settings}) =>
			settings.isShared && fieldValue(request.headers, 'authorization') !== undefined && !isAuthenticatedReuseAllowed(appraisal),
	],

	['vary-star', ({appraisal: {headers}, settings}) => selectingFieldNames(headers, settings.matchHeaders) === '*'],

	['credentials', candidate => isReusedAtRisk(candidate) && hasUnselectedCredential(candidate)],

	[
		'not-explicit',
		({response: {statusCode}, appraisal, settings}) =>
			!isMeantToBeStored(appraisal) && !heuristicallyCacheable.has(statusCode) && settings.statusCodes === undefined,
	],

	// RFC 9111 §7.3: `Set-Cookie` does not forbid storing, but an origin that sends it without caching directives probably did not consider other users.
	[
		'set-cookie',
		({appraisal, settings}) =>
			settings.isShared
			&& appraisal.headers['set-cookie'] !== undefined
			&& !isMeantToBeStored(appraisal)
			&& (appraisal.ownLifetime === undefined || !settings.hasOwnKey),
	],

	['not-reusable', ({appraisal, settings}) => !isEverUsable(appraisal, settings)],
];

/** RFC 9111 §3.5. */
const isAuthenticatedReuseAllowed = ({directives}: EvaluatedResponse): boolean => directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate');

const isMeantToBeStored = ({isExplicit, directives}: EvaluatedResponse): boolean => isExplicit || directives.has('public');

/** Whether the user alone says that it is reused, and nothing tells one user from another. */
const isReusedAtRisk = ({appraisal, settings}: Candidate): boolean => settings.isShared && appraisal.ownLifetime !== undefined && !settings.hasOwnKey && !isMeantToBeStored(appraisal);

/** Whether the request has a credential that does not select the response. `Authorization` has a rule of its own. */
const hasUnselectedCredential = ({request, appraisal: {headers}, settings}: Candidate): boolean => {
	const selecting = selectingFieldNames(headers, settings.matchHeaders) ?? [];

	return Object.keys(request.headers).some(name => name !== 'authorization' && isCredentialName(name) && fieldValue(request.headers, name) !== undefined && !selecting.includes(name));
};

/** Whether the response can be reused while fresh, reused when stale, or validated. */
const isEverUsable = ({headers, policy}: EvaluatedResponse, settings: Settings): boolean =>
	hasValidator(validatorsOf(headers))
	|| (policy.freshnessLifetimeSeconds > 0 && !policy.isNoCache)
	|| canEverBeStale(policy, settings);
