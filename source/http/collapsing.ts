import {directiveSeconds} from './cache-control.ts';
import {isConditional} from './conditional.ts';
import type {Decision, MissReason, ValidateReason} from './decision.ts';
import {requestDirectives} from './directives.ts';
import {fieldValue} from './header-fields.ts';
import type {RequestHead} from './message.ts';
import type {Settings} from './settings.ts';
import {selectingHeaders, variantId} from './vary.ts';

/** Cacheable safe methods (RFC 9110 §9.2.1): asking the origin once instead of twice changes nothing there. */
const collapsibleMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

/** Reasons for which another request's response may be the answer. The other reasons require that the origin be asked for this request. */
const collapsibleReasons: ReadonlySet<string> = new Set<MissReason | ValidateReason>([
	'not-stored',
	'vary-mismatch',
	'no-validator',
	'range-not-stored',
	'stale',
	'invalidated',
	'request-max-age',
	'request-min-fresh',
	'range-incomplete',
]);

/**
Returns a value that is equal for requests with the same primary key that may be collapsed into one (RFC 9111 §4); `undefined` for a request that must be made by itself. Whether the shared response answers a request is up to `decide()`.

@param vary - The names of the selecting header fields, as far as they are known.
*/
export const collapsingKey = (request: RequestHead, decision: Decision, vary: readonly string[], settings: Settings): string | undefined => {
	const {method, headers} = request;
	if (settings.isReadOnly || !collapsibleMethods.has(method) || !collapsibleReasons.has(decision.reason) || isConditional(headers)) {
		return undefined;
	}

	const directives = requestDirectives(headers);
	if (settings.mode === 'no-cache' || directives.has('no-cache') || directiveSeconds(directives, 'max-age') === 0) {
		return undefined;
	}

	// RFC 9111 §3.5: a response that may not be shared with requests with credentials may still be shared with those without.
	const hasCredentials = headers.authorization !== undefined;

	return JSON.stringify([method, hasCredentials, fieldValue(headers, 'range'), variantId(selectingHeaders(vary, headers))]);
};
