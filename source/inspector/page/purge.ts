import type {WireStatistics} from '../api/wire.ts';
import {ApiError, get} from './api.ts';
import {h} from './dom.ts';
import {card} from './parts.ts';
import {purgeForm} from './purge-form.ts';
import {switchCard} from './switch-form.ts';
import type {View} from './view.ts';

const originOptions = (origins: ReadonlySet<string>): HTMLElement[] => [...origins].map(origin => h('option', {attributes: {value: origin}}));

/** Origins that requests went to in the last day. */
const countedOrigins = async (signal: AbortSignal): Promise<string[]> => {
	try {
		const {origins} = await get<WireStatistics>('statistics', {since: '1d'}, signal);
		return Object.keys(origins).filter(origin => origin !== '*');
	} catch (error) {
		if (error instanceof ApiError && error.statusCode === 401) {
			throw error;
		}

		// Without statistics, the origins of switches alone are suggested.
		return [];
	}
};

export const purge: View = {
	title: 'Purge',
	async show(root, _parameters, signal) {
		const suggestions = h('datalist', {attributes: {id: 'origins'}});
		const {element, refresh} = switchCard(signal);
		root.append(h('div', {class: 'columns'}, card('Purge', purgeForm(), suggestions), element));
		const [counted, {switches}] = await Promise.all([countedOrigins(signal), refresh()]);
		suggestions.replaceChildren(...originOptions(new Set([...counted, ...switches.map(({origin}) => origin)])));
	},
};
