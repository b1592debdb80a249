import type {HeaderFields} from './message.ts';
import type {Lifetime} from './lifetime.ts';
import type {Candidate} from './storability.ts';

/*
The examination of a response, clause by clause: findings as data, for people who can mend the origin.
*/

export type FindingLevel =
	/** A clause that the response complies with. */
	| 'pass'
	/** A fact that explains what the cache does. */
	| 'note'
	/** A mistake, or a waste. */
	| 'warning'
	/** A clause that keeps the response from being stored. */
	| 'failure';

/** A clause of a standard, and what a response of the origin says to it. */
export type Finding = {
	/** The subject, in lower case: a reason why a response is not stored, a header field, a directive, or `lifetime`, `clock` and the like. */
	readonly about: string;
	/** The weight of the finding: `'pass'`, `'note'`, `'warning'` or `'failure'`. */
	readonly level: FindingLevel;
	/** The finding in a sentence. */
	readonly text: string;
	/** The section of the standard, such as `RFC 9111 §4.2`; `undefined` for a rule of this cache. */
	readonly rfc?: string | undefined;
	/** The advice for the owner of the origin or of the cache, in a sentence; `undefined` if nothing is wrong. */
	readonly mend?: string | undefined;
};

/** A response with all that its examination needs. */
export type Exam = Candidate & {
	readonly lifetime: Lifetime;
	/** The field whose directives count, in lower case; `undefined` if none does. */
	readonly field: string | undefined;
	/** The header fields of the response as received. */
	readonly headers: HeaderFields;
	/** The `Content-Encoding` that the origin sent, before got decoded the content. */
	readonly contentEncoding: string | undefined;
};

export type Check = (exam: Exam) => Finding | undefined;

export const pass = (about: string, text: string, rfc?: string): Finding => ({about, level: 'pass', text, rfc});

export const note = (about: string, text: string, rfc?: string): Finding => ({about, level: 'note', text, rfc});

export const warning = (about: string, text: string, {rfc, mend}: Pick<Finding, 'rfc' | 'mend'>): Finding => ({about, level: 'warning', text, rfc, mend});
