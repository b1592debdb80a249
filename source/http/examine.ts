import {responseDirectives} from './directives.ts';
import {examineDirectives} from './examine-directives.ts';
import {examineFields} from './examine-fields.ts';
import {examineFreshness} from './examine-freshness.ts';
import type {Finding} from './finding.ts';
import {headersOf} from './header-fields.ts';
import {evaluateResponse, lifetimeFor, type ReceivedMessage} from './policy.ts';
import {refusalTexts} from './reason-texts.ts';
import {storabilityClauses, type Candidate, type StorabilityReason} from './storability.ts';

/** A clause of storability that a response complies with. */
const metTexts: Readonly<Record<StorabilityReason, string>> = {
	method: 'Responses to the method are stored.',
	status: 'Responses with the status code are stored.',
	partial: 'It is a whole, or a part with a place.',
	'request-no-store': 'The request lets its response be stored.',
	'must-understand': 'It demands no understanding of a status code that the cache does not know.',
	'no-store': 'It has no `no-store` that counts.',
	private: 'It has no `private`, or the cache is that of one user.',
	authorization: 'The request has no `Authorization`, or the response may be stored all the same.',
	'vary-star': 'It has no `Vary: *`.',
	credentials: 'No credential of the request is disregarded.',
	'not-explicit': 'Its status code, or the response itself, allows storing.',
	'set-cookie': 'It has no `Set-Cookie`, or says that it may be stored.',
	'not-reusable': 'It could be used again: fresh, stale, or after validation.',
};

const examineStorability = (candidate: Candidate): readonly Finding[] => storabilityClauses(candidate).map(({reason, isMet}): Finding => {
	const {text, rfc, mend} = refusalTexts[reason];

	return isMet ? {about: reason, level: 'pass', text: metTexts[reason], rfc} : {about: reason, level: 'failure', text, rfc, mend};
});

/**
Examines a response as a new one to its request: each clause that decides about storing it, and all that its owner might mend.

@param contentEncoding - The `Content-Encoding` that the origin sent, before got decoded the content.
*/
export const examine = (received: ReceivedMessage, contentEncoding: string | undefined): readonly Finding[] => {
	const candidate: Candidate = {...received, appraisal: evaluateResponse(received)};
	const headers = headersOf(received.response.rawHeaders);
	const exam = {...candidate, lifetime: lifetimeFor(received), field: responseDirectives(headers, received.settings).field, headers, contentEncoding};

	return [...examineStorability(candidate), ...examineFreshness(exam), ...examineDirectives(exam), ...examineFields(exam)];
};
