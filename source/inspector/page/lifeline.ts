import {h} from './dom.ts';
import {formatDate, formatFromNow} from './format.ts';

/*
The life of a stored response as a line: fresh, then perhaps usable although stale, then kept to be validated, then gone.
*/

export type Life = {
	readonly storedAt: string;
	/** Absent if it is always fresh. */
	readonly expiresAt?: string | undefined;
	/** The time until which it may answer although it is stale; the same as `expiresAt` if never. Absent if it is not known. */
	readonly usableUntil?: string | undefined;
	/** Absent if it is never removed. */
	readonly keptUntil?: string | undefined;
	/** Whether `keptUntil` is known at all. */
	readonly isEndKnown: boolean;
};

type Phase = {
	readonly kind: 'fresh' | 'usable' | 'kept';
	readonly name: string;
	readonly fromMs: number;
	readonly toMs: number;
};

/** The meaning of each phase for a request. */
const meanings: Readonly<Record<Phase['kind'], string>> = {
	fresh: 'fresh: answers, and the origin is not asked',
	usable: 'stale, usable: may answer while it is refreshed, or when the origin fails',
	kept: 'to be validated: the origin is asked whether it is still valid',
};

/** No phase that there is gets lost beside a much longer one. */
const leastShare = 0.14;

const phasesOf = ({storedAt, expiresAt, usableUntil, keptUntil}: Life): Phase[] => {
	const endMs = keptUntil === undefined ? Infinity : Date.parse(keptUntil);
	const storedMs = Date.parse(storedAt);
	const freshMs = Math.min(endMs, expiresAt === undefined ? Infinity : Math.max(storedMs, Date.parse(expiresAt)));
	const usableMs = Math.min(endMs, Math.max(freshMs, usableUntil === undefined ? freshMs : Date.parse(usableUntil)));
	const phases: readonly Phase[] = [
		{kind: 'fresh', name: 'fresh', fromMs: storedMs, toMs: freshMs},
		{kind: 'usable', name: 'stale, usable', fromMs: freshMs, toMs: usableMs},
		{kind: 'kept', name: 'to be validated', fromMs: usableMs, toMs: endMs},
	];

	return phases.filter(({fromMs, toMs}) => toMs > fromMs);
};

const sharesOf = (phases: readonly Phase[]): number[] => {
	const lengths = phases.map(({fromMs, toMs}) => toMs - fromMs);
	const finite = lengths.filter(length => Number.isFinite(length));
	// A phase without an end is as long as all before it.
	const whole = Math.max(1, ...finite);
	const weights = lengths.map(length => Math.max(leastShare, (Number.isFinite(length) ? length : whole) / whole));
	const sum = weights.reduce((total, weight) => total + weight, 0);

	return weights.map(weight => weight / sum);
};

/** The place of now on the line, from 0 to 1. */
const placeOf = (phases: readonly Phase[], shares: readonly number[], nowMs: number): number => {
	let before = 0;
	for (const [index, {fromMs, toMs}] of phases.entries()) {
		const share = shares[index] ?? 0;
		if (nowMs < toMs) {
			const within = Number.isFinite(toMs) ? Math.max(0, (nowMs - fromMs) / (toMs - fromMs)) : 0.5;
			return before + (share * within);
		}

		before += share;
	}

	return 1;
};

/** Draws the life of a response. */
export const lifeline = (life: Life, nowMs = Date.now()): HTMLElement => {
	const phases = phasesOf(life);
	const shares = sharesOf(phases);
	const now = h('span', {class: 'now', attributes: {'aria-hidden': 'true'}}, h('i', {}, 'now'));
	now.style.insetInlineStart = `${placeOf(phases, shares, nowMs) * 100}%`;
	const bar = h('div', {class: 'bar', attributes: {'aria-hidden': 'true'}}, ...phases.map(({kind, name}, index) => {
		const part = h('span', {class: kind}, h('b', {}, name));
		part.style.flexGrow = String(shares[index] ?? 0);
		return part;
	}), now);
	const points: ReadonlyArray<readonly [name: string, at: string | undefined, otherwise: string]> = [
		['stored', life.storedAt, ''],
		['fresh until', life.expiresAt, 'for ever'],
		...life.usableUntil !== undefined && life.usableUntil !== life.expiresAt ? [['stale usable until', life.usableUntil, ''] as const] : [],
		['gone', life.keptUntil, life.isEndKnown ? 'never by time' : 'not known'],
	];

	return h(
		'div',
		{class: 'lifeline'},
		bar,
		h('ul', {class: 'legend'}, ...phases.map(({kind}) => h('li', {}, h('i', {class: `swatch ${kind}`, attributes: {'aria-hidden': 'true'}}), meanings[kind]))),
		h(
			'ol',
			{},
			...points.map(([name, at, otherwise]) =>
				h(
					'li',
					{},
					h('span', {}, name),
					at === undefined ? h('strong', {}, otherwise) : h('strong', {attributes: {title: formatDate(at)}}, formatFromNow(at, nowMs)),
					at !== undefined && h('small', {}, formatDate(at)),
				),
			),
		),
	);
};
