import type {StoredPolicy} from '../stored.ts';
import {ageValueSeconds, correctedInitialAgeSeconds} from './age.ts';
import {
	directiveSeconds,
	hasUnqualified,
	type CacheControl,
} from './cache-control.ts';
import {parseHttpDate} from './dates.ts';
import {responseDirectives} from './directives.ts';
import {explicitLifetimeSeconds, heuristicLifetimeSeconds} from './freshness.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {Settings} from './settings.ts';

/** A response, read once. */
export type Appraisal = {
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	/** Whether the response itself says that, and for how long, it may be reused: RFC 9111 §3. */
	readonly isExplicit: boolean;
	/** Whether the user gave it a lifetime. */
	readonly hasOwnLifetime: boolean;
	readonly policy: StoredPolicy;
};

export const appraise = (request: RequestHead, response: ResponseHead, requestTimeMs: number, responseTimeMs: number, settings: Settings): Appraisal => {
	const {isShared} = settings;
	const headers = headersOf(response.rawHeaders);
	const {directives, isExpiresHeeded} = responseDirectives(headers, settings);
	const freshness = {
		statusCode: response.statusCode,
		headers,
		directives,
		isExpiresHeeded,
		isShared,
		responseTimeMs,
	};
	const ownLifetime = expireAfterSeconds(request, response, settings);
	const explicitLifetime = explicitLifetimeSeconds(freshness);

	return {
		headers,
		directives,
		isExplicit: explicitLifetime !== undefined || (!isShared && directives.has('private')),
		hasOwnLifetime: ownLifetime !== undefined,
		policy: {
			isShared,
			// RFC 9111 §4.2.1
			freshnessLifetimeSeconds: ownLifetime ?? explicitLifetime ?? (settings.heedsCacheControl ? heuristicLifetimeSeconds(freshness) : 0),
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
		},
	};
};

/**
What a later decision needs to know of a response, worked out once when it is stored or freshened.
*/
export const storedPolicy = (request: RequestHead, response: ResponseHead, requestTimeMs: number, responseTimeMs: number, settings: Settings): StoredPolicy =>
	appraise(request, response, requestTimeMs, responseTimeMs, settings).policy;

const expireAfterSeconds = ({method, url}: RequestHead, response: ResponseHead, settings: Settings): number | undefined => {
	const seconds = settings.expireAfterSeconds?.({method, url}, response);

	return seconds === undefined || Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};
