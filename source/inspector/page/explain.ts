import type {WireExplanation} from '../api/wire.ts';
import {ask} from './api.ts';
import {showDecision} from './decision.ts';
import {h, linkTo} from './dom.ts';
import {draftFor, keepDraft, type Draft} from './draft.ts';
import {formatBytes, formatSeconds} from './format.ts';
import {card, empty, entryLink, failure, field, foreign, input, select, stateBadge} from './parts.ts';
import {checkWith, urlOf} from './validity.ts';
import type {View} from './view.ts';

const methods = ['GET', 'HEAD', 'POST', 'QUERY', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const rowOf = ({storeKey, url, vary, statusCode, isFresh, isSelected, size, age}: WireExplanation['stored'][number]): HTMLElement => h(
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
);

const storedList = ({stored, isStoreAnswering}: WireExplanation): HTMLElement =>
	stored.length === 0
		? empty(isStoreAnswering ? 'Nothing is stored for this request.' : 'Not known, because the store does not answer.')
		: h('table', {class: 'entries'}, h('tbody', {}, ...stored.map(each => rowOf(each))));

/** The address has the URL and the method alone, and no URL with credentials: it stays in the history of the browser. */
const addressOf = ({url, method}: Draft, explained: WireExplanation): string => {
	const {username, password} = new URL(url);
	const hasCredentials = username !== '' || password !== '' || (explained.url.includes('REDACTED') && !url.includes('REDACTED'));

	return hasCredentials ? linkTo('explain') : linkTo('explain', {url, method});
};

const formOf = (draft: Draft, run: (draft: Draft) => Promise<void>): HTMLElement => {
	const url = input({name: 'url', type: 'url', required: true, value: draft.url, placeholder: 'https://api.example.com/items'});
	const method = select(methods.map(each => [each, each]), draft.method);
	const headers = h('textarea', {attributes: {name: 'headers', rows: 3, spellcheck: 'false', placeholder: 'accept-language: de'}}, draft.headers);
	const user = input({name: 'user', value: draft.user});
	const key = input({name: 'key', value: draft.key});
	const json = h('textarea', {attributes: {name: 'json', rows: 2, spellcheck: 'false', placeholder: '{"q": "redis"}'}}, draft.json);
	checkWith(url, urlOf);

	return h(
		'form',
		{
			class: 'filters explain',
			on: {
				async submit(event) {
					event.preventDefault();
					await run({url: url.value.trim(), method: method.value, headers: headers.value.trim(), user: user.value, key: key.value, json: json.value.trim()});
				},
			},
		},
		field('URL', url),
		field('Method', method),
		field('Header fields', headers, 'One a line: those that your program sends, where responses vary by them.'),
		h(
			'details',
			{attributes: {open: [draft.user, draft.key, draft.json].some(value => value !== '')}},
			h('summary', {}, 'User, key, content'),
			field('User', user, 'As the option user of the cache returns it.'),
			field('Additional key', key, 'As the option key of the cache returns it.'),
			field('Content, as JSON', json),
		),
		h('div', {class: 'actions'}, h('button', {class: 'primary', attributes: {type: 'submit'}}, 'Explain')),
	);
};

export const explain: View = {
	title: 'Explain',
	async show(root, parameters, signal) {
		const draft = draftFor(parameters.get('url') ?? '', parameters.get('method') ?? 'GET');
		const result = h('div', {class: 'stack', attributes: {'aria-live': 'polite'}});
		const run = async (asked: Draft): Promise<void> => {
			keepDraft(asked);
			result.setAttribute('aria-busy', 'true');
			try {
				const {headers, ...others} = asked;
				const explanation = await ask<WireExplanation>('explain', {...others, header: headers.split('\n')}, signal);
				result.replaceChildren(card('Decision', showDecision(explanation)), card('Stored', storedList(explanation)));
				history.replaceState(undefined, '', addressOf(asked, explanation));
			} catch (error) {
				if (!signal.aborted) {
					result.replaceChildren(failure(error));
				}
			} finally {
				result.removeAttribute('aria-busy');
			}
		};

		root.append(h('p', {class: 'hint'}, 'What would the cache do with this request now, and why? No request is sent.'), formOf(draft, run), result);
		if (draft.url !== '') {
			await run(draft);
		}
	},
};
