import type {StoredPolicy} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';

/**
Whether to refresh a fresh response before it expires. Probabilistic early expiration makes a few of many callers refresh, and rarely none. Vattani, Chierichetti and Lowenstein, “Optimal Probabilistic Cache Stampede Prevention”, PVLDB 8(8), 2015 (XFetch), with β = 1.

@param random - Uniformly distributed, greater than 0 and not greater than 1.
@see https://www.vldb.org/pvldb/vol8/p886-vattani.pdf
*/
export const isEarlyRefreshDue = (policy: StoredPolicy, nowMs: number, random: number): boolean => {
	// A response within the same millisecond still takes some time.
	const recomputationTimeMs = Math.max(1, policy.responseTimeMs - policy.requestTimeMs);

	return recomputationTimeMs * -Math.log(random) >= remainingFreshnessSeconds(policy, nowMs) * 1000;
};
