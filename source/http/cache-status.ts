import type {Decision, MissReason, ValidateReason} from './decision.ts';
import type {Outcome, SharedOutcome} from './outcome.ts';

/** RFC 9211 §2.2. */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';

const forwardReasons: Readonly<Record<MissReason | ValidateReason, ForwardReason>> = {
	'not-stored': 'uri-miss',
	'vary-mismatch': 'vary-miss',
	reload: 'request',
	'no-validator': 'stale',
	'own-conditional': 'request',
	'range-not-stored': 'partial',
	stale: 'stale',
	'no-cache': 'stale',
	invalidated: 'stale',
	'request-no-cache': 'request',
	'request-max-age': 'request',
	'request-min-fresh': 'request',
	// With this option, each request acts as if it had `no-cache`.
	'always-revalidate': 'request',
	'range-incomplete': 'partial',
};

export type CacheStatusInput = {
	/** The cache's name: a token, or any other text. */
	readonly name: string;
	readonly decision: Decision;
	/** The outcome; `undefined` if the origin was not asked. */
	readonly outcome: Pick<Outcome | SharedOutcome, 'reason'> | undefined;
	/** Whether the response was stored, RFC 9211 §2.5. */
	readonly isStored?: boolean | undefined;
	/** The status code of the origin's response. */
	readonly forwardStatus?: number | undefined;
	/** The remaining freshness; negative if stale. */
	readonly ttlSeconds?: number | undefined;
	readonly key?: string | undefined;
	/** Whether this request used the response to an equal request, or waited for it in vain; `undefined` if it did not wait. RFC 9211 §2.6. */
	readonly isCollapsed?: boolean | undefined;
};

/** RFC 9651 §3.3.1. */
const largestInteger = 999_999_999_999_999;

/**
The member to append to `Cache-Status`, RFC 9211. It is serialized by hand for speed, because every response has one.

@example `got-redis-cache;hit;ttl=42;key="…";detail=fresh`
*/
export const cacheStatusMember = ({name, decision, outcome, isStored, forwardStatus, ttlSeconds, key, isCollapsed}: CacheStatusInput): string => {
	const forward = forwardReasonOf(decision);
	let member = serializedName(name);

	// A rate limit kept the request from the origin.
	if (decision.kind === 'reuse' || outcome?.reason === 'rate-limited') {
		member += ';hit';
	} else if (forward !== undefined) {
		member += `;fwd=${forward}`;
		if (forwardStatus !== undefined) {
			member += `;fwd-status=${forwardStatus}`;
		}
	}

	if (ttlSeconds !== undefined && Number.isFinite(ttlSeconds)) {
		// Adding 0 avoids `-0`.
		member += `;ttl=${Math.trunc(Math.max(-largestInteger, Math.min(ttlSeconds, largestInteger))) + 0}`;
	}

	if (isStored) {
		member += ';stored';
	}

	if (isCollapsed !== undefined) {
		member += isCollapsed ? ';collapsed' : ';collapsed=?0';
	}

	if (key !== undefined) {
		member += `;key="${escaped(key)}"`;
	}

	// The reason of a bypass says more than the outcome, which would only say that the cache took no part.
	const reason = decision.kind === 'bypass' ? decision.reason : outcome?.reason ?? decision.reason;

	return `${member};detail=${reason}`;
};

/** The reason why the request was forwarded; `undefined` if it was not. */
const forwardReasonOf = (decision: Decision): ForwardReason | undefined => {
	switch (decision.kind) {
		case 'reuse':
		case 'unavailable': {
			return undefined;
		}

		case 'bypass': {
			return decision.reason === 'method' ? 'method' : 'bypass';
		}

		case 'fetch': {
			return forwardReasons[decision.insteadOf ?? decision.reason];
		}

		case 'validate': {
			return forwardReasons[decision.reason];
		}
	}
};

/** RFC 9651 §3.3.4. */
const tokenSyntax = /^[*A-Za-z][\w!#$%\u{26}'*+\-.\/:^`\|~]*$/v;

const serializedNames = new Map<string, string>();

const serializedName = (name: string): string => {
	const known = serializedNames.get(name);
	if (known !== undefined) {
		return known;
	}

	// The result is remembered: a process has few caches, and each has one name.
	const serialized = tokenSyntax.test(name) ? name : `"${escaped(name.replaceAll(/[\P{ASCII}\p{Control}]/gv, '?'))}"`;
	serializedNames.set(name, serialized);
	return serialized;
};

/** RFC 9651 §4.1.6. */
const escaped = (text: string): string => text.replaceAll(/["\\]/gv, String.raw`\$&`);
