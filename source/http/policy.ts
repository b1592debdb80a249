import type {StoredPolicy} from '../types/stored.ts';
import {ageValueSeconds, correctedInitialAgeSeconds} from './age.ts';
import {directiveSeconds, hasUnqualified, type CacheControl} from './cache-control.ts';
import {parseHttpDate} from './dates.ts';
import {responseDirectives} from './directives.ts';
import {explicitLifetimeSeconds, type FreshnessInput} from './freshness.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {lifetimeOf, type OwnLifetime} from './lifetime.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {Settings} from './settings.ts';

/** A response and what it answers, as it was received. */
export type Reception = {
	/** As the caller made it, without the header fields that the decision added. */
	readonly request: RequestHead;
	/** Its header fields describe the body that will be stored: with `Content-Encoding` and `Content-Length` only if that is not decoded. */
	readonly response: ResponseHead;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
	readonly settings: Settings;
};

/** What the header fields of a message say of the storage of a response. */
export type Statement = {
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	/** Whether they say that, and for how long, it may be reused: RFC 9111 §3. */
	readonly isExplicit: boolean;
};

/** What a response says of its own reuse, read once. */
export type Appraisal = Statement & {
	/** The lifetime that the user gave it. */
	readonly ownLifetime: OwnLifetime | undefined;
	readonly policy: StoredPolicy;
};

const freshnessOf = ({response, responseTimeMs, settings}: Reception): FreshnessInput => {
	const headers = headersOf(response.rawHeaders);

	return {
		statusCode: response.statusCode,
		headers,
		...responseDirectives(headers, settings),
		isShared: settings.isShared,
		responseTimeMs,
	};
};

const statementOf = ({headers, directives, isShared}: FreshnessInput, explicitSeconds: number | undefined): Statement => ({
	headers,
	directives,
	isExplicit: explicitSeconds !== undefined || (!isShared && directives.has('private')),
});

/** What a response itself says of storage, whatever lifetime the user gave it. */
export const readStatement = (reception: Reception): Statement => {
	const freshness = freshnessOf(reception);

	return statementOf(freshness, explicitLifetimeSeconds(freshness));
};

export const appraise = (reception: Reception): Appraisal => {
	const {request, response, settings: {lifetimes, heedsCacheControl}} = reception;
	const freshness = freshnessOf(reception);
	const lifetime = lifetimeOf({...freshness, request, response, lifetimes, heedsCacheControl});
	const statement = statementOf(freshness, lifetime.explicitSeconds);

	return {
		...statement,
		ownLifetime: lifetime.own,
		policy: policyOf(reception, {...statement, lifetime: lifetime.seconds}),
	};
};

type Reading = Pick<Statement, 'headers' | 'directives'> & {
	readonly lifetime: number;
};

/** What a later decision needs to know of a response, worked out once when it is stored or freshened. */
const policyOf = ({requestTimeMs, responseTimeMs, settings: {isShared}}: Reception, {headers, directives, lifetime}: Reading): StoredPolicy => ({
	isShared,
	freshnessLifetimeSeconds: lifetime,
	correctedInitialAgeSeconds: correctedInitialAgeSeconds({
		ageSeconds: ageValueSeconds(fieldValue(headers, 'age')),
		dateValueMs: parseHttpDate(fieldValue(headers, 'date'), responseTimeMs),
		requestTimeMs,
		responseTimeMs,
	}),
	requestTimeMs,
	responseTimeMs,
	isNoCache: hasUnqualified(directives, 'no-cache'),
	// RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10
	isMustRevalidate: directives.has('must-revalidate') || (isShared && (directives.has('proxy-revalidate') || directives.has('s-maxage'))),
	isImmutable: directives.has('immutable'),
	staleWhileRevalidateSeconds: directiveSeconds(directives, 'stale-while-revalidate'),
	staleIfErrorSeconds: directiveSeconds(directives, 'stale-if-error'),
	isInvalidated: false,
});
