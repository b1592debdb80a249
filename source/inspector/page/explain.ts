import type {WireExplanation} from '../api/wire.ts';
import {get} from './api.ts';
import {showDecision} from './decision.ts';
import {h, linkTo} from './dom.ts';
import {formatBytes, formatSeconds} from './format.ts';
import {card, empty, entryLink, failure, field, foreign, input, select, stateBadge} from './parts.ts';
import type {View} from './view.ts';

const methods = ['GET', 'HEAD', 'POST', 'QUERY', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const storedList = ({stored}: WireExplanation): HTMLElement =>
	stored.length === 0
		? empty('Nothing is stored for this request.')
		: h(
			'table',
			{class: 'entries'},
			h(
				'tbody',
				{},
				...stored.map(({storeKey, url, vary, statusCode, isFresh, isSelected, size, age}) =>
					h(
						'tr',
						{},
						h('td', {}, stateBadge(isFresh)),
						h('td', {class: 'code'}, statusCode),
						h(
							'td',
							{class: 'target'},
							entryLink(storeKey, url),
							h(
								'span',
								{class: 'details'},
								isSelected && h('strong', {}, 'selected'),
								...Object.entries(vary).map(([name, value]) => h('span', {class: 'vary'}, foreign(`${name}: ${value}`))),
							),
						),
						h('td', {class: 'number', attributes: {'data-label': 'age'}}, formatSeconds(age)),
						h('td', {class: 'number', attributes: {'data-label': 'size'}}, formatBytes(size)),
					),
				),
			),
		);

export const explain: View = {
	title: 'Explain',
	async show(root, parameters, signal) {
		const url = input({name: 'url', type: 'url', required: true, value: parameters.get('url') ?? '', placeholder: 'https://api.example.com/items'});
		const method = select(methods.map(each => [each, each]), parameters.get('method') ?? 'GET');
		const headers = h('textarea', {attributes: {name: 'headers', rows: 3, spellcheck: 'false', placeholder: 'accept-language: de'}}, parameters.get('headers') ?? '');
		const [user, key] = ['user', 'key'].map(name => input({name, value: parameters.get(name) ?? ''})) as [HTMLInputElement, HTMLInputElement];
		const json = h('textarea', {attributes: {name: 'json', rows: 2, spellcheck: 'false', placeholder: '{"q": "redis"}'}}, parameters.get('json') ?? '');
		const more = h(
			'details',
			{attributes: {open: [user.value, key.value, json.value].some(value => value !== '')}},
			h('summary', {}, 'User, key, content'),
			field('User', user, 'As the option `user` of the cache returns it.'),
			field('Additional key', key, 'As the option `key` of the cache returns it.'),
			field('Content, as JSON', json),
		);
		const form = h(
			'form',
			{
				class: 'filters explain',
				on: {
					submit(event) {
						event.preventDefault();
						location.hash = linkTo('explain', {url: url.value.trim(), method: method.value, headers: headers.value.trim(), user: user.value, key: key.value, json: json.value.trim()});
					},
				},
			},
			field('URL', url),
			field('Method', method),
			field('Header fields', headers, 'One a line: those that your program sends, where responses vary by them.'),
			more,
			h('div', {class: 'actions'}, h('button', {class: 'primary', attributes: {type: 'submit'}}, 'Explain')),
		);
		root.append(h('p', {class: 'hint'}, 'What would the cache do with this request now, and why? No request is sent.'), form);
		const given = parameters.get('url');
		if (given === null || given === '') {
			return;
		}

		const result = h('div', {class: 'stack', attributes: {'aria-live': 'polite'}});
		root.append(result);
		try {
			const explanation = await get<WireExplanation>(
				'explain',
				{url: given, method: method.value, header: headers.value.split('\n'), user: user.value, key: key.value, json: json.value.trim()},
				signal,
			);
			result.append(card('Decision', showDecision(explanation)), card('Stored', storedList(explanation)));
		} catch (error) {
			result.append(failure(error));
		}
	},
};
