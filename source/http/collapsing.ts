import {directiveSeconds} from './cache-control.ts';
import {isConditional} from './conditional.ts';
import type {Decision, MissReason, ValidateReason} from './decision.ts';
import {requestDirectives} from './directives.ts';
import {fieldValue} from './header-fields.ts';
import type {RequestHead} from './message.ts';
import type {Settings} from './settings.ts';
import {selectingHeaders, variantId} from './vary.ts';

/** Safe methods (RFC 9110 §9.2.1) that are cacheable: asking once in place of twice changes nothing at the origin. */
const collapsibleMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

/** What a response to somebody else's request may be the answer to. The other reasons demand that the origin be asked for this one. */
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
What is equal for requests that may be collapsed into one (RFC 9111 §4), beside their primary key; `undefined` for a request that has to be made by itself. Whether the response to the one then is the answer to another is for `decide()` to say.

@param vary - Names of the selecting header fields, as far as they are known.
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

	// RFC 9111 §3.5: what is no answer for others with credentials may be one for those without.
	const hasCredentials = headers.authorization !== undefined;

	return JSON.stringify([method, hasCredentials, fieldValue(headers, 'range'), variantId(selectingHeaders(vary, headers))]);
};
