import type {StoredPolicy} from '../stored.ts';
import {ageValueSeconds, correctedInitialAgeSeconds} from './age.ts';
import {
	directiveSeconds,
	hasUnqualified,
	type CacheControl,
} from './cache-control.ts';
import {parseHttpDate} from './dates.ts';
import {responseDirectives} from './directives.ts';
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

/** What a response says of its own reuse, read once. */
export type Appraisal = {
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	/** Whether the response itself says that, and for how long, it may be reused: RFC 9111 §3. */
	readonly isExplicit: boolean;
	/** The lifetime that the user gave it. */
	readonly ownLifetime: OwnLifetime | undefined;
	readonly policy: StoredPolicy;
};

export const appraise = (reception: Reception): Appraisal => {
	const {request, response, responseTimeMs, settings} = reception;
	const headers = headersOf(response.rawHeaders);
	const {directives, isExpiresHeeded} = responseDirectives(headers, settings);
	const lifetime = lifetimeOf({
		request,
		response,
		lifetimes: settings.lifetimes,
		heedsCacheControl: settings.heedsCacheControl,
		statusCode: response.statusCode,
		headers,
		directives,
		isExpiresHeeded,
		isShared: settings.isShared,
		responseTimeMs,
	});

	return {
		headers,
		directives,
		isExplicit: lifetime.explicitSeconds !== undefined || (!settings.isShared && directives.has('private')),
		ownLifetime: lifetime.own,
		policy: policyOf(reception, {headers, directives, lifetime: lifetime.seconds}),
	};
};

type Reading = {
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
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
