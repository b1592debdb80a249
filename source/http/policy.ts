import type {StoredPolicy} from '../types/stored.ts';
import {ageValueSeconds, correctedInitialAgeSeconds} from './age.ts';
import {directiveSeconds, hasUnqualified, type CacheControl} from './cache-control.ts';
import {parseHttpDate} from './dates.ts';
import {responseDirectives} from './directives.ts';
import {explicitLifetimeSeconds, type FreshnessInput} from './freshness.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {lifetimeOf, type Lifetime, type OwnLifetime} from './lifetime.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {Settings} from './settings.ts';

/** A received response and its request. */
export type ReceivedMessage = {
	/** The caller's request, without the header fields that the decision added. */
	readonly request: RequestHead;
	/** The response; its header fields describe the body to be stored, with `Content-Encoding` and `Content-Length` only if that is not decoded. */
	readonly response: ResponseHead;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
	readonly settings: Settings;
};

/** The statements of a message's header fields about storing a response. */
export type Statement = {
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	/** Whether the fields explicitly allow reuse: RFC 9111 §3. */
	readonly isExplicit: boolean;
};

/** The statements of a response about its own reuse, evaluated once. */
export type EvaluatedResponse = Statement & {
	/** The lifetime that the user set for the response. */
	readonly ownLifetime: OwnLifetime | undefined;
	readonly policy: StoredPolicy;
};

const freshnessOf = ({response, responseTimeMs, settings}: ReceivedMessage): FreshnessInput => {
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

/** Reads a response's own statements about storing, regardless of the user's lifetime. */
export const readStatement = (reception: ReceivedMessage): Statement => {
	const freshness = freshnessOf(reception);

	return statementOf(freshness, explicitLifetimeSeconds(freshness));
};

const lifetimeBy = ({request, response, settings: {lifetimes, heedsCacheControl}}: ReceivedMessage, freshness: FreshnessInput): Lifetime =>
	lifetimeOf({...freshness, request, response, lifetimes, heedsCacheControl});

/** How long a response is fresh, and by what. */
export const lifetimeFor = (received: ReceivedMessage): Lifetime => lifetimeBy(received, freshnessOf(received));

export const evaluateResponse = (reception: ReceivedMessage): EvaluatedResponse => {
	const freshness = freshnessOf(reception);
	const lifetime = lifetimeBy(reception, freshness);
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

/** The policy for later decisions, computed once when a response is stored or freshened. */
const policyOf = ({requestTimeMs, responseTimeMs, settings: {isShared}}: ReceivedMessage, {headers, directives, lifetime}: Reading): StoredPolicy => ({
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
