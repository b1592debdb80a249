import type {WireExplanation} from '../api/wire.ts';
import {h, type Child} from './dom.ts';
import {formatCount, formatFromNow} from './format.ts';
import {badge, facts, foreign} from './parts.ts';

/** The kinds of decisions, for people. */
const names: Readonly<Record<string, string>> = {
	reuse: 'A stored response answers',
	validate: 'The origin is asked whether the stored response still holds',
	fetch: 'The origin is asked for a response',
	bypass: 'The cache takes no part',
	unavailable: 'Nothing answers: 504',
};

type Row = readonly [name: string, ...value: readonly Child[]];

const mendOf = (mend: string | undefined): Child => mend !== undefined && h('em', {}, ' ', mend);

/** Why responses to the URL were not stored, in this process and in the others. */
const refusalRows = ({decision, lastRefusal, fleetRefusals}: WireExplanation): Row[] => [
	...lastRefusal
		? [['Not stored', h('code', {}, lastRefusal.reason), ` ${formatFromNow(lastRefusal.at)}: `, foreign(lastRefusal.text), mendOf(lastRefusal.mend)] as const]
		: [],
	// A stored response answers: earlier refusals explain nothing.
	...decision.kind === 'reuse'
		? []
		: fleetRefusals.map(({reason, text, mend, responses}): Row => [
			'In the fleet',
			h('code', {}, reason),
			` not stored ${formatCount(responses)} ${responses === 1 ? 'time' : 'times'} in the last hour: `,
			foreign(text),
			mendOf(mend),
		]),
];

/** The fields that tell the variants of the URL apart, with their values in this request. */
const selectingRows = ({selectedBy}: WireExplanation): Row[] =>
	selectedBy.length === 0
		? []
		: [['Selected by', ...selectedBy.flatMap(([name, value], index) => [index > 0 && ', ', foreign(`${name}: ${value ?? '(not in this request)'}`)])]];

const decisionRows = (explanation: WireExplanation): Row[] => {
	const {decision, lastRefusal, fleetRefusals} = explanation;
	const isRefusalKnown = lastRefusal !== undefined || fleetRefusals.length > 0;
	return [
		['Reason', h('code', {}, decision.reason), ' ', foreign(decision.text)],
		...decision.rfc === undefined ? [] : [['Rule', decision.rfc] as const],
		// A refusal comes with what to do about it, which says more.
		...isRefusalKnown || decision.mend === undefined ? [] : [['What to do', foreign(decision.mend)] as const],
		...refusalRows(explanation),
		...selectingRows(explanation),
	];
};

/** The decision of the cache, as far as it is known while the store does not answer. */
const unknownRows = (explanation: WireExplanation): Row[] => [
	['Reason', 'The store does not answer, so it is not known whether a response is stored. Requests go on without it.'],
	...refusalRows(explanation),
];

/** Shows what the cache would do with a request, and why. */
export const showDecision = (explanation: WireExplanation): HTMLElement => {
	const {decision, isStoreAnswering, text} = explanation;
	const isUnknown = !isStoreAnswering && ['fetch', 'unavailable'].includes(decision.kind);
	return h(
		'div',
		{class: 'decision'},
		isUnknown
			? h('p', {class: 'verdict'}, badge('no answer', 'unavailable'), h('strong', {}, 'Not known: the store does not answer'))
			: h('p', {class: 'verdict'}, badge(decision.kind), h('strong', {}, names[decision.kind] ?? decision.kind)),
		facts(isUnknown ? unknownRows(explanation) : decisionRows(explanation)),
		h('details', {}, h('summary', {}, 'All of the explanation'), h('pre', {class: 'body', attributes: {tabindex: 0}}, text)),
	);
};
