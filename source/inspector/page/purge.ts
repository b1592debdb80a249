import type {WireDone, WireStatistics} from '../api/wire.ts';
import {get, post} from './api.ts';
import {confirmed} from './confirm.ts';
import {button, h} from './dom.ts';
import {attempt, notify} from './notice.ts';
import {card, empty, field, foreign, input, select} from './parts.ts';
import {readSwitches, switchTable} from './switches.ts';
import type {View} from './view.ts';

/** The kinds of purges, each with the label of its value. */
const kinds = {
	tag: ['Tag', 'Tag', 'items'],
	url: ['URL, for all methods and users', 'URL', 'https://api.example.com/items'],
	prefix: ['URLs that begin with', 'Prefix', 'https://api.example.com/items/'],
	pattern: ['URLs that match a pattern', 'Pattern', '*.example.com/items/*'],
	origin: ['Origin', 'Origin', 'https://api.example.com'],
	group: ['Cache group of an origin', 'Group', 'items'],
	stale: ['Everything stale', undefined, undefined],
	all: ['Everything', undefined, undefined],
} as const;

type Kind = keyof typeof kinds;

const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

const purgeForm = (origins: HTMLElement): HTMLElement => {
	const kind = select(Object.entries(kinds).map(([value, [label]]) => [value, label]), 'tag');
	const value = input({name: 'value', required: true});
	const label = h('span', {}, 'Tag');
	const valueField = h('label', {class: 'field'}, label, value);
	const origin = input({name: 'origin', list: 'origins', placeholder: 'https://api.example.com'});
	const originField = field('Origin of the group', origin);
	const soft = h('input', {attributes: {type: 'checkbox'}});
	const softField = h('label', {class: 'check'}, soft, h('span', {}, 'Soft: keep the responses, but validate each before its next use'));

	const update = () => {
		const [, name, example] = kinds[isKind(kind.value) ? kind.value : 'tag'];
		valueField.hidden = name === undefined;
		value.required = name !== undefined;
		value.placeholder = example ?? '';
		value.setAttribute('list', kind.value === 'origin' ? 'origins' : '');
		label.textContent = name ?? '';
		originField.hidden = kind.value !== 'group';
		origin.required = kind.value === 'group';
		softField.hidden = kind.value === 'all';
	};

	kind.addEventListener('change', update);
	update();

	const run = async (): Promise<void> => {
		const isSoft = soft.checked && kind.value !== 'all';
		const what = value.required ? `${kinds[isKind(kind.value) ? kind.value : 'tag'][0]}: ${value.value.trim()}` : kinds[isKind(kind.value) ? kind.value : 'tag'][0];
		const isSure = await confirmed({
			title: isSoft ? 'Soft purge?' : 'Purge?',
			text: [h('strong', {}, foreign(what)), h('br'), isSoft ? 'The responses are kept, but each is validated before its next use.' : 'The responses are removed, for every process.'],
			action: isSoft ? 'Soft purge' : 'Purge',
			isDangerous: !isSoft,
		});
		if (!isSure) {
			return;
		}

		const {isConfirmed} = await post<WireDone>('purge', {
			kind: kind.value,
			value: value.required ? value.value.trim() : undefined,
			origin: origin.required ? origin.value.trim() : undefined,
			soft: isSoft ? '1' : undefined,
		});
		notify(
			isConfirmed
				? `${isSoft ? 'Softly purged' : 'Purged'}. The store confirmed it, for every process.`
				: 'The store has not confirmed the purge: try again.',
			isConfirmed ? 'done' : 'warning',
		);
	};

	return h(
		'form',
		{
			class: 'form',
			on: {
				submit(event) {
					event.preventDefault();
					void attempt(run);
				},
			},
		},
		field('What', kind),
		valueField,
		originField,
		softField,
		origins,
		h('div', {class: 'actions'}, h('button', {class: 'danger', attributes: {type: 'submit'}}, 'Purge…')),
	);
};

const durations: ReadonlyArray<readonly [value: string, label: string]> = [['5m', '5 minutes'], ['10m', '10 minutes'], ['30m', '30 minutes'], ['1h', '1 hour'], ['6h', '6 hours'], ['1d', '1 day']];

const switchTexts = {
	freeze: ['Freeze', 'All processes answer from the cache alone, however stale, and do not ask the origin. Where nothing is stored, they answer 504.'],
	bypass: ['Bypass', 'All processes leave the cache out: every request goes to the origin, and nothing is stored.'],
	thaw: ['Thaw', 'Ends a freeze or a bypass, for all processes.'],
} as const;

const switchForm = (afterwards: () => Promise<void>): HTMLElement => {
	const origin = input({name: 'switch-origin', required: true, list: 'origins', placeholder: 'https://api.example.com', inputmode: 'url'});
	const duration = select(durations, '10m');
	const form = h('form', {
		class: 'form',
		on: {
			submit(event) {
				event.preventDefault();
			},
		},
	});
	const set = (kind: keyof typeof switchTexts) => async () => attempt(async () => {
		if (!form.reportValidity()) {
			return;
		}

		const [name, text] = switchTexts[kind];
		const time = kind === 'thaw' ? '' : ` for ${duration.selectedOptions[0]?.label ?? duration.value}`;
		const isSure = await confirmed({title: `${name} this origin${time}?`, text: [h('strong', {}, foreign(origin.value.trim())), h('br'), text], action: name, isDangerous: kind !== 'thaw'});
		if (!isSure) {
			return;
		}

		const {isConfirmed} = await post<WireDone>('switch', {kind, origin: origin.value.trim(), duration: kind === 'thaw' ? undefined : duration.value});
		notify(isConfirmed ? `${name}: the store confirmed it, for every process.` : 'The store has not confirmed it: this process heeds it, and tries again.', isConfirmed ? 'done' : 'warning');
		await afterwards();
	});

	form.append(
		field('Origin', origin),
		field('For', duration),
		h('div', {class: 'actions'}, button('Freeze…', set('freeze')), button('Bypass…', set('bypass')), button('Thaw…', set('thaw'))),
	);
	return form;
};

export const purge: View = {
	title: 'Purge',
	async show(root, _parameters, signal) {
		const suggestions = h('datalist', {attributes: {id: 'origins'}});
		const list = h('div', {attributes: {'aria-live': 'polite'}}, empty('Reading…'));
		const showSwitches = async () => {
			list.replaceChildren(switchTable(await readSwitches(signal)));
		};

		root.append(h('div', {class: 'columns'}, card('Purge', purgeForm(suggestions)), card('Freeze or bypass an origin', switchForm(showSwitches), list)));
		try {
			const {origins: counted} = await get<WireStatistics>('statistics', {since: '1d'}, signal);
			suggestions.append(...Object.keys(counted).filter(origin => origin !== '*').map(origin => h('option', {attributes: {value: origin}})));
		} catch {
			// Without statistics, nothing is suggested.
		}

		await showSwitches();
	},
};
