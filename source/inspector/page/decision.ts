import type {WireExplanation} from '../api/wire.ts';
import {h} from './dom.ts';
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

/** Shows what the cache would do with a request, and why. */
export const showDecision = ({decision, lastRefusal, fleetRefusals, text}: WireExplanation): HTMLElement =>
	h(
		'div',
		{class: 'decision'},
		h('p', {class: 'verdict'}, badge(decision.kind), h('strong', {}, names[decision.kind] ?? decision.kind)),
		facts([
			['Reason', h('code', {}, decision.reason), ' ', foreign(decision.text)],
			...(decision.rfc === undefined ? [] : [['Rule', decision.rfc] as const]),
			...(lastRefusal
				? [
					[
						'Not stored',
						h('code', {}, lastRefusal.reason),
						` ${formatFromNow(lastRefusal.at)}: `,
						foreign(lastRefusal.text),
						lastRefusal.mend !== undefined && h('em', {}, ' ', lastRefusal.mend),
					] as const,
				]
				: []),
			...(decision.kind === 'reuse'
				? []
				: fleetRefusals.map(
					({reason, text: why, mend, responses}) =>
						[
							'In the fleet',
							h('code', {}, reason),
							` not stored ${formatCount(responses)} ${responses === 1 ? 'time' : 'times'} in the last hour: `,
							foreign(why),
							mend !== undefined && h('em', {}, ' ', mend),
						] as const,
				)),
		]),
		h('details', {}, h('summary', {}, 'All of the explanation'), h('pre', {class: 'body', attributes: {tabindex: 0}}, text)),
	);
