import type {StoredPolicy} from '../types/stored.ts';
import {deltaSecondsCeiling} from './cache-control.ts';
import {dateOf} from './dates.ts';
import {listMembers} from './list.ts';

/** RFC 9111 §5.1: the first member of a list counts, and a value that is not a number is ignored. */
export const ageValueSeconds = (age: string | undefined): number => {
	const [first = ''] = age === undefined ? [] : listMembers(age);

	return /^\d+$/v.test(first) ? Math.min(Number(first), deltaSecondsCeiling) : 0;
};

type InitialAge = {
	/** The value of the `Age` field. */
	readonly ageSeconds: number;
	/** The time in `Date`; `undefined` if it is absent or invalid. */
	readonly dateValueMs: number | undefined;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
};

/** RFC 9111 §4.2.3, with the RFC's own names. */
export const correctedInitialAgeSeconds = ({ageSeconds, dateValueMs, requestTimeMs, responseTimeMs}: InitialAge): number => {
	// The apparent age is in whole seconds, because `Date` does not tell when within its second a response was generated.
	const apparentAge = dateValueMs === undefined ? 0 : Math.max(0, Math.floor((responseTimeMs - dateValueMs) / 1000));
	const responseDelay = Math.max(0, responseTimeMs - requestTimeMs) / 1000;
	const correctedAgeValue = ageSeconds + responseDelay;

	return Math.max(apparentAge, correctedAgeValue);
};

/** RFC 9111 §4.2.3. A response time in the future means that the clock was changed by an unknown amount; the absolute difference is then used as the age. */
export const currentAgeSeconds = (policy: StoredPolicy, nowMs: number): number => {
	const residentTime = Math.abs(nowMs - policy.responseTimeMs) / 1000;
	const currentAge = policy.correctedInitialAgeSeconds + residentTime;

	// Rounding to milliseconds removes floating-point errors: both terms are whole milliseconds.
	return Math.round(currentAge * 1000) / 1000;
};

/** The time at which the response becomes, or became, stale; `undefined` if never. */
export const expiryOf = (policy: StoredPolicy): Date | undefined => {
	const expiryMs = policy.responseTimeMs + ((policy.freshnessLifetimeSeconds - policy.correctedInitialAgeSeconds) * 1000);

	return policy.freshnessLifetimeSeconds === Infinity ? undefined : dateOf(expiryMs);
};

/** The remaining time of freshness; negative if the response is stale. */
export const remainingFreshnessSeconds = (policy: StoredPolicy, nowMs: number): number =>
	policy.freshnessLifetimeSeconds - currentAgeSeconds(policy, nowMs);
