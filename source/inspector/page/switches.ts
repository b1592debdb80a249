import type {WireSwitch} from '../api/wire.ts';
import {get} from './api.ts';
import {h} from './dom.ts';
import {formatFromNow} from './format.ts';
import {badge, empty, foreign} from './parts.ts';

/*
The origins that are frozen or bypassed, in any process.
*/

/** Looks for the switches in the store: once for each view, since that is a search through its keys. */
export const readSwitches = async (signal: AbortSignal): Promise<readonly WireSwitch[]> => get<readonly WireSwitch[]>('switches', {}, signal);

export const switchTable = (switches: readonly WireSwitch[]): HTMLElement =>
	switches.length === 0
		? empty('No origin is frozen or bypassed.')
		: h(
			'table',
			{class: 'switches'},
			h(
				'tbody',
				{},
				...switches.map(({origin, kind, until}) =>
					h(
						'tr',
						{},
						h('td', {}, badge(kind)),
						h('td', {class: 'target'}, foreign(origin)),
						h('td', {class: 'number', attributes: {title: until}}, `ends ${formatFromNow(until)}`),
					),
				),
			),
		);
