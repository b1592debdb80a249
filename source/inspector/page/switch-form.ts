import type {WireSwitches} from '../api/wire.ts';
import {button, h} from './dom.ts';
import {attempt, notify} from './notice.ts';
import {card, empty, field, input, select} from './parts.ts';
import {changeSwitch, showSwitches, type SwitchKind} from './switches.ts';
import {checkWith, originOf} from './validity.ts';

const durations = [['5m', '5 minutes'], ['10m', '10 minutes'], ['30m', '30 minutes'], ['1h', '1 hour'], ['6h', '6 hours'], ['1d', '1 day']] as const;

/** As `got-redis-cache freeze` has it. */
const defaultDuration = '30m';

const isInForce = ({switches, why}: WireSwitches, url: string): boolean => why !== undefined || switches.some(({origin}) => origin === new URL(url).origin);

const switchForm = (refresh: () => Promise<WireSwitches>): HTMLElement => {
	const origin = input({name: 'switch-origin', required: true, list: 'origins', placeholder: 'https://api.example.com', inputmode: 'url'});
	const duration = select(durations, defaultDuration);
	const form = h('form', {
		class: 'form',
		on: {
			submit(event) {
				event.preventDefault();
			},
		},
	});
	checkWith(origin, originOf);
	const set = (kind: SwitchKind) => async () => attempt(async () => {
		if (!form.reportValidity()) {
			return;
		}

		if (kind === 'thaw' && !isInForce(await refresh(), origin.value.trim())) {
			notify(`${origin.value.trim()} is neither frozen nor bypassed.`);
			return;
		}

		const label = duration.selectedOptions[0]?.label ?? duration.value;
		if (await changeSwitch(kind, origin.value.trim(), kind === 'thaw' ? undefined : {value: duration.value, label})) {
			await refresh();
		}
	});

	form.append(
		field('Origin', origin),
		field('For', duration),
		h('div', {class: 'actions'}, button('Freeze…', set('freeze')), button('Bypass…', set('bypass')), button('Thaw…', set('thaw'))),
	);
	return form;
};

/** The card with the form, and below it the switches in force; and the function that reads these. */
export const switchCard = (signal: AbortSignal): {readonly element: HTMLElement; readonly refresh: () => Promise<WireSwitches>} => {
	const list = h('div', {attributes: {'aria-live': 'polite'}}, empty('Reading…'));
	const refresh = async () => showSwitches(list, signal);

	return {element: card('Freeze or bypass an origin', switchForm(refresh), list), refresh};
};
