import type {WireDone, WireSwitch, WireSwitches} from '../api/wire.ts';
import {get, post} from './api.ts';
import {confirmed} from './confirm.ts';
import {button, h} from './dom.ts';
import {formatFromNow} from './format.ts';
import {attempt, notify} from './notice.ts';
import {badge, empty, failure, foreign} from './parts.ts';
import {isReadOnly} from './settings.ts';

/*
The origins that are frozen or bypassed, in any process.
*/

/** Looks for the switches in the store: once for each view, since that is a search through its keys. */
const readSwitches = async (signal: AbortSignal): Promise<WireSwitches> => get<WireSwitches>('switches', {}, signal);

const texts = {
	freeze: ['Freeze', 'All processes answer from the cache alone, however stale, and do not ask the origin. Where nothing is stored, they answer 504.'],
	bypass: ['Bypass', 'All processes leave the cache out: every request goes to the origin, and nothing is stored.'],
	thaw: ['Thaw', 'Ends a freeze or a bypass, for all processes.'],
} as const;

export type SwitchKind = keyof typeof texts;

/** A duration with its label. */
export type SwitchDuration = {
	readonly value: string;
	readonly label: string;
};

/** Sets or ends the switch of an origin after a question. Resolves to whether it was tried. */
export const changeSwitch = async (kind: SwitchKind, origin: string, duration?: SwitchDuration): Promise<boolean> => {
	const [name, text] = texts[kind];
	const time = duration ? ` for ${duration.label}` : '';
	const isSure = await confirmed({title: `${name} this origin${time}?`, text: [h('strong', {}, foreign(origin)), h('br'), text], action: name, isDangerous: kind !== 'thaw'});
	if (!isSure) {
		return false;
	}

	const {isConfirmed} = await post<WireDone>('switch', {kind, origin, duration: duration?.value});
	notify(isConfirmed ? `${name}: the store confirmed it, for every process.` : `${name}: the store has not confirmed it. This process heeds it, and tries again.`, isConfirmed ? 'done' : 'error');
	return true;
};

const rowOf = ({origin, kind, until}: WireSwitch, afterwards: (() => Promise<void>) | undefined): HTMLElement =>
	h(
		'tr',
		{},
		h('td', {}, badge(kind)),
		h('td', {class: 'target'}, foreign(origin)),
		h('td', {class: 'number', attributes: {title: until}}, `ends ${formatFromNow(until)}`),
		afterwards && h('td', {class: 'number'}, button('Thaw…', async () => attempt(async () => {
			if (await changeSwitch('thaw', origin)) {
				await afterwards();
			}
		}), {'aria-label': `Thaw ${origin}…`})),
	);

const contentOf = ({switches, why}: WireSwitches, afterwards: (() => Promise<void>) | undefined): HTMLElement[] => [
	...why === undefined ? [] : [failure(new Error(`The switches of other processes are not known. ${why}`))],
	...why === undefined && switches.length === 0 ? [empty('No origin is frozen or bypassed.')] : [],
	...switches.length === 0 ? [] : [h('table', {class: 'switches'}, h('tbody', {}, ...switches.map(each => rowOf(each, afterwards))))],
];

/** Fills an element with the switches in force, each with a way to end it. Resolves to the switches. */
export const showSwitches = async (list: HTMLElement, signal: AbortSignal): Promise<WireSwitches> => {
	const found = await readSwitches(signal);
	const afterwards = await isReadOnly()
		? undefined
		: async () => {
			await showSwitches(list, signal);
		};

	list.replaceChildren(...contentOf(found, afterwards));
	return found;
};
