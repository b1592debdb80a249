import type {Asked, ExchangeContext} from '../cache/exchange.ts';
import {decideOutcome} from '../cache/decide-outcome.ts';
import {prepareToStore} from '../cache/storing.ts';
import type {Decision} from '../http/decision.ts';
import {examine} from '../http/examine.ts';
import type {ResponseHead} from '../http/message.ts';
import type {PassReason} from '../http/outcome.ts';
import {completed} from '../http/partial.ts';
import {refusalTextOf} from '../http/reason-texts.ts';
import {readContent} from '../options/user-functions.ts';
import type {StoredResponse} from '../types/stored.ts';
import {explainFreshness, explainStaleness} from './explain-freshness.ts';
import type {OriginJudgement} from './explanation.ts';

/*
The judgement of a response of the origin, of which nothing is stored.
*/

/** The answer of an origin that was asked past the cache. */
export type OriginAnswer = {
	readonly requestTimeMs: number;
	readonly durationMs: number;
} & (
	| {
		readonly response: ResponseHead;
		/** The decoded content. `'too-large'`: more than is ever stored. */
		readonly body: Uint8Array | 'too-large';
		/** The `Content-Encoding` that the origin sent. */
		readonly contentEncoding: string | undefined;
		readonly error?: undefined;
	}
	| {readonly response?: undefined; readonly error: string}
);

type Verdict =
	| {readonly stored: StoredResponse; readonly ttlMs: number | 'unlimited'; readonly reason?: undefined}
	| {readonly stored?: undefined; readonly reason: PassReason};

/** A new response: whatever is stored, the origin was asked without a precondition of the cache. */
const asNew = (decision: Decision): Decision => decision.kind === 'bypass' ? decision : {kind: 'fetch', reason: 'not-stored'};

const evaluate = (context: ExchangeContext, {request, settings}: Asked, decision: Decision, {response, body, requestTimeMs}: Extract<OriginAnswer, {readonly response: ResponseHead}>): Verdict => {
	const bytes = body === 'too-large' ? new Uint8Array() : body;
	const outcome = decideOutcome(context, {request, settings, requestTimeMs, decision: asNew(decision)}, {...response, content: readContent(bytes)});
	if (outcome.kind !== 'store') {
		return {reason: outcome.kind === 'pass' ? outcome.reason : 'error'};
	}

	if (body === 'too-large') {
		return {reason: 'too-large'};
	}

	const stored = completed(request, outcome.change.head, bytes);
	if (!stored) {
		return {reason: 'incomplete'};
	}

	const {refusal, ttl, stored: prepared} = prepareToStore(context, {settings}, stored);

	return refusal === undefined ? {stored: prepared, ttlMs: ttl === 'forever' ? 'unlimited' : ttl} : {reason: refusal};
};

const nothing = {freshness: undefined, staleness: undefined, ttlMs: undefined, tags: [], groups: [], findings: []} as const;

/** The text of a judgement. */
const textOf = (reason: PassReason | undefined, statusCode?: number): Pick<OriginJudgement, 'text' | 'rfc' | 'mend'> => {
	if (reason === undefined) {
		return {text: 'It would be stored.', rfc: 'RFC 9111 §3', mend: undefined};
	}

	const {text, rfc, mend} = refusalTextOf(reason, statusCode);

	return {text, rfc, mend};
};

/** The stored response that would become of it. */
const wouldBe = (context: ExchangeContext, {request, settings: {http}}: Asked, {stored, ttlMs}: Extract<Verdict, {readonly ttlMs: unknown}>) => ({
	freshness: explainFreshness(request, stored, context.now(), http),
	staleness: explainStaleness(stored.policy, http),
	ttlMs,
	tags: stored.tags,
	groups: stored.groups,
});

/** Judges what an origin has answered to a request. */
export const judge = (context: ExchangeContext, asked: Asked, decision: Decision, answer: OriginAnswer): OriginJudgement => {
	const {requestTimeMs, durationMs} = answer;
	if (answer.response === undefined) {
		return {...nothing, ...textOf('error'), statusCode: undefined, error: answer.error, durationMs, isStored: false, reason: 'error'};
	}

	const {request, settings: {http}} = asked;
	const {response, contentEncoding} = answer;
	const verdict = evaluate(context, asked, decision, answer);
	const {reason} = verdict;
	const received = {request, response, requestTimeMs, responseTimeMs: context.now(), settings: http};
	const findings = examine(received, contentEncoding);

	return {
		...nothing,
		...textOf(reason, response.statusCode),
		statusCode: response.statusCode,
		error: undefined,
		durationMs,
		isStored: reason === undefined,
		reason,
		...verdict.reason === undefined && wouldBe(context, asked, verdict),
		findings,
	};
};
