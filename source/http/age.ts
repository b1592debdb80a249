import type {StoredPolicy} from '../types/stored.ts';
import {deltaSecondsCeiling} from './cache-control.ts';
import {dateOf} from './dates.ts';
import {listMembers} from './list.ts';

/** RFC 9111 §5.1: of a list the first member counts, and what is not a number is ignored. */
export const ageValueSeconds = (age: string | undefined): number => {
	const [first = ''] = age === undefined ? [] : listMembers(age);

	return /^\d+$/v.test(first) ? Math.min(Number(first), deltaSecondsCeiling) : 0;
};

type InitialAge = {
	/** Of the `Age` field. */
	readonly ageSeconds: number;
	/** What `Date` says; `undefined` if it says nothing. */
	readonly dateValueMs: number | undefined;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
};

/** RFC 9111 §4.2.3, with the RFC's own names. */
export const correctedInitialAgeSeconds = ({ageSeconds, dateValueMs, requestTimeMs, responseTimeMs}: InitialAge): number => {
	// In whole seconds: `Date` does not tell when within its second a response was generated.
	const apparentAge = dateValueMs === undefined ? 0 : Math.max(0, Math.floor((responseTimeMs - dateValueMs) / 1000));
	const responseDelay = Math.max(0, responseTimeMs - requestTimeMs) / 1000;
	const correctedAgeValue = ageSeconds + responseDelay;

	return Math.max(apparentAge, correctedAgeValue);
};

/** RFC 9111 §4.2.3. A response from the future tells of a clock that was set, by how much nobody knows: it is as old as it is young. */
export const currentAgeSeconds = (policy: StoredPolicy, nowMs: number): number => {
	const residentTime = Math.abs(nowMs - policy.responseTimeMs) / 1000;
	const currentAge = policy.correctedInitialAgeSeconds + residentTime;

	// The sum of two numbers of milliseconds is one, but not as fractions of a second.
	return Math.round(currentAge * 1000) / 1000;
};

/** When the response stops, or stopped, being fresh; `undefined` when it never does. */
export const expiryOf = (policy: StoredPolicy): Date | undefined => {
	const expiryMs = policy.responseTimeMs + ((policy.freshnessLifetimeSeconds - policy.correctedInitialAgeSeconds) * 1000);

	return policy.freshnessLifetimeSeconds === Infinity ? undefined : dateOf(expiryMs);
};

/** How long the response stays fresh; negative: for how long it has been stale. */
export const remainingFreshnessSeconds = (policy: StoredPolicy, nowMs: number): number =>
	policy.freshnessLifetimeSeconds - currentAgeSeconds(policy, nowMs);
