import type {WireDone, WirePreview} from '../api/wire.ts';
import {ApiError, get, post} from './api.ts';
import {confirmed} from './confirm.ts';
import {h} from './dom.ts';
import {formatBytes, formatCount} from './format.ts';
import {attempt, notify} from './notice.ts';
import {field, foreign, input, select} from './parts.ts';
import {placeText} from './store-state.ts';
import {checkWith, nameOf, originOf, prefixOf, urlOf, type Check} from './validity.ts';

type Kind = {
	readonly label: string;
	/** The name of its value, with an example and what is checked of it. */
	readonly value?: readonly [name: string, example: string, check: Check];
};

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
	['tag', {label: 'Tag', value: ['Tag', 'items', nameOf]}],
	['url', {label: 'URL, for all methods and users', value: ['URL', 'https://api.example.com/items', urlOf]}],
	['prefix', {label: 'URLs that begin with', value: ['Prefix', 'https://api.example.com/items/', prefixOf]}],
	['pattern', {label: 'URLs that match a pattern', value: ['Pattern', '*.example.com/items/*', nameOf]}],
	['origin', {label: 'Origin', value: ['Origin', 'https://api.example.com', originOf]}],
	['group', {label: 'Cache group of an origin', value: ['Group', 'items', nameOf]}],
	['stale', {label: 'Everything stale'}],
	['all', {label: 'Everything'}],
]);

const responses = (count: number): string => `${formatCount(count)} ${count === 1 ? 'response' : 'responses'}`;

/** The number of responses that a purge would find, in words. */
const found = (previewed: WirePreview | Error): string => {
	if (previewed instanceof Error) {
		return `How many responses it is about is not known: ${previewed.message}`;
	}

	const {count, bytes, isComplete} = previewed;
	if (isComplete) {
		return count === 0 ? 'Nothing that is stored now matches.' : `${responses(count)} now, ${formatBytes(bytes)}.`;
	}

	return `${responses(count)} so far: not everything that is stored has been looked at.`;
};

type Purge = {
	readonly kind: string;
	readonly value: string | undefined;
	readonly origin: string | undefined;
	readonly soft: '1' | undefined;
};

const preview = async ({kind, value, origin}: Purge): Promise<WirePreview | Error> => {
	try {
		return await get<WirePreview>('preview', {kind, value, origin});
	} catch (error) {
		// An input that is refused now would be refused after the question.
		if (error instanceof ApiError && error.statusCode === 400) {
			throw error;
		}

		return error instanceof Error ? error : new Error(String(error));
	}
};

const outcomeOf = ({soft}: Purge, previewed: WirePreview | Error): string => {
	const isNone = !(previewed instanceof Error) && previewed.isComplete && previewed.count === 0;
	return `${soft === undefined ? 'Purged' : 'Softly purged'}${isNone ? ', though nothing was stored that matched' : ''}. The store confirmed it, for every process.`;
};

/** Asks with the number of responses at hand; everything has to be typed, since nothing brings it back. */
const isSure = async (purge: Purge, previewed: WirePreview | Error): Promise<boolean> => {
	const {kind, value, origin, soft} = purge;
	const {label} = kinds.get(kind) ?? {label: kind};
	const isSoft = soft !== undefined;
	const place = placeText();
	const what = [value === undefined ? label : `${label}: ${value}`, ...origin === undefined ? [] : [`of ${origin}`]].join(' ');

	return confirmed({
		title: kind === 'all' ? 'Purge everything?' : (isSoft ? 'Soft purge?' : 'Purge?'),
		text: [
			h('strong', {}, foreign(what)),
			h('p', {class: 'preview'}, found(previewed)),
			h('p', {}, isSoft ? 'The responses are kept, but each is validated before its next use.' : 'The responses are removed, for every process.'),
			place !== undefined && h('p', {class: 'hint'}, foreign(place)),
		],
		action: isSoft ? 'Soft purge' : 'Purge',
		isDangerous: !isSoft,
		...kind === 'all' && {typed: 'everything'},
	});
};

const run = async (purge: Purge): Promise<void> => {
	const previewed = await preview(purge);
	if (!await isSure(purge, previewed)) {
		return;
	}

	const {isConfirmed} = await post<WireDone>('purge', purge);
	notify(
		isConfirmed
			? outcomeOf(purge, previewed)
			: 'The store has not confirmed the purge: try again.',
		isConfirmed ? 'done' : 'error',
	);
};

export const purgeForm = (): HTMLElement => {
	const kind = select([...kinds].map(([value, {label}]) => [value, label]), 'tag');
	const value = input({name: 'value', required: true});
	const label = h('span', {}, 'Tag');
	const valueField = h('label', {class: 'field'}, label, value);
	const origin = input({name: 'origin', list: 'origins', placeholder: 'https://api.example.com'});
	const originField = field('Origin of the group', origin);
	const soft = h('input', {attributes: {type: 'checkbox'}});
	const softField = h('label', {class: 'check'}, soft, h('span', {}, 'Soft: keep the responses, but validate each before its next use'));
	const recheck = checkWith(value, typed => kinds.get(kind.value)?.value?.[2](typed));
	const recheckOrigin = checkWith(origin, originOf);

	const update = () => {
		const [name, example] = kinds.get(kind.value)?.value ?? [];
		valueField.hidden = name === undefined;
		value.required = name !== undefined;
		value.placeholder = example ?? '';
		value.setAttribute('list', kind.value === 'origin' ? 'origins' : '');
		label.textContent = name ?? '';
		originField.hidden = kind.value !== 'group';
		origin.required = kind.value === 'group';
		softField.hidden = kind.value === 'all';
		recheck();
		recheckOrigin();
	};

	kind.addEventListener('change', update);
	update();

	return h(
		'form',
		{
			class: 'form',
			on: {
				submit(event) {
					event.preventDefault();
					void attempt(async () => run({
						kind: kind.value,
						value: value.required ? value.value.trim() : undefined,
						origin: origin.required ? origin.value.trim() : undefined,
						soft: soft.checked && kind.value !== 'all' ? '1' : undefined,
					}));
				},
			},
		},
		field('What', kind),
		valueField,
		originField,
		softField,
		h('div', {class: 'actions'}, h('button', {class: 'danger', attributes: {type: 'submit'}}, 'Purge…')),
	);
};
