import {h, linkTo, type Child} from './dom.ts';
import {visible} from './format.ts';

/*
Parts of several views.
*/

export const card = (title: string | undefined, ...children: readonly Child[]): HTMLElement =>
	h('section', {class: 'card'}, title !== undefined && h('h2', {}, title), ...children);

export const badge = (text: string, kind = text): HTMLElement => h('span', {class: `badge ${kind}`}, text);

export const stateBadge = (isFresh: boolean): HTMLElement => badge(isFresh ? 'fresh' : 'stale');

/** Text of an origin: apart from the text around it, and with hidden characters as escapes. */
export const foreign = (text: string): HTMLElement => h('bdi', {}, visible(text));

export const tagLinks = (tags: readonly string[]): HTMLElement[] => tags.map(tag => h('a', {class: 'tag', attributes: {href: linkTo('entries', {tag})}}, '#', foreign(tag)));

export const entryLink = (storeKey: string, url: string): HTMLElement => h('a', {class: 'url', attributes: {href: linkTo('entry', {key: storeKey})}}, foreign(url));

/** Names with their values. */
export const facts = (rows: ReadonlyArray<readonly [name: string, ...value: readonly Child[]]>): HTMLElement =>
	h('dl', {class: 'facts'}, ...rows.flatMap(([name, ...value]) => [h('dt', {}, name), h('dd', {}, ...value)]));

export const empty = (...text: readonly Child[]): HTMLElement => h('p', {class: 'empty'}, ...text);

export const failure = (error: unknown): HTMLElement => h('p', {class: 'failure', attributes: {role: 'alert'}}, error instanceof Error ? error.message : String(error));

/** Counts by name, as bars. */
export const bars = (rows: ReadonlyArray<readonly [label: Child, count: number, text: string]>): HTMLElement => {
	const most = Math.max(1, ...rows.map(([, count]) => count));

	return h('ol', {class: 'bars'}, ...rows.map(([label, count, text]) => {
		const bar = h('span', {class: 'bar', attributes: {'aria-hidden': 'true'}});
		bar.style.inlineSize = `${(count / most) * 100}%`;
		return h('li', {}, h('span', {class: 'label'}, label), h('span', {class: 'value'}, text), bar);
	}));
};

/** A labelled control. */
export const field = (label: string, control: HTMLElement, hint?: string): HTMLElement =>
	h('label', {class: 'field'}, h('span', {}, label), control, hint !== undefined && h('small', {}, hint));

export const select = (options: ReadonlyArray<readonly [value: string, label: string]>, chosen = ''): HTMLSelectElement =>
	h('select', {}, ...options.map(([value, label]) => h('option', {attributes: {value, selected: value === chosen}}, label)));

export const input = (attributes: Readonly<Record<string, string | boolean>> = {}): HTMLInputElement =>
	h('input', {attributes: {type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes}});
