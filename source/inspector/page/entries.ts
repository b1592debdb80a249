import type {WireEntries, WireEntry} from '../api/wire.ts';
import {ApiError, get} from './api.ts';
import {button, h, linkTo} from './dom.ts';
import {formatBytes, formatCount, formatFromNow, formatSeconds} from './format.ts';
import {empty, entryLink, failure, field, foreign, input, select, stateBadge, tagLinks} from './parts.ts';
import {urlOf} from './validity.ts';
import type {View} from './view.ts';

const pageLength = 100;

/** The number of pages that can be turned back to. */
const mostPages = 100;

/** A page that is not full is searched for this many times before it is shown. */
const triesPerPage = 4;

const filterNames = ['search', 'origin', 'tag', 'state', 'sort'] as const;

const orders = [
	['', 'as found'],
	['largest', 'largest first'],
	['newest', 'newest first'],
	['oldest', 'oldest first'],
	['expires', 'first to expire'],
	['gone', 'first to be gone'],
	['url', 'URL'],
	['status', 'status code'],
] as const;

const detailsOf = ({method, vary, tags}: WireEntry): HTMLElement => h(
	'span',
	{class: 'details'},
	method !== 'GET' && h('span', {class: 'method'}, method),
	...Object.entries(vary).map(([name, value]) => h('span', {class: 'vary'}, foreign(`${name}: ${value}`))),
	...tagLinks(tags),
);

const rowOf = (entry: WireEntry): HTMLElement => {
	const {storeKey, url, statusCode, age, size, isFresh, expiresAt, keptUntil} = entry;

	return h(
		'tr',
		{},
		h('td', {}, stateBadge(isFresh)),
		h('td', {class: 'code'}, statusCode),
		h('td', {class: 'target'}, entryLink(storeKey, url), detailsOf(entry)),
		h('td', {class: 'number', attributes: {'data-label': 'age'}}, formatSeconds(age)),
		h('td', {class: 'number', attributes: {'data-label': isFresh ? 'expires' : 'expired'}}, expiresAt === undefined ? 'never' : formatFromNow(expiresAt)),
		h('td', {class: 'number', attributes: {'data-label': 'gone'}}, keptUntil === undefined ? 'never' : formatFromNow(keptUntil)),
		h('td', {class: 'number', attributes: {'data-label': 'size'}}, formatBytes(size)),
	);
};

const tableOf = (entries: readonly WireEntry[]): HTMLElement =>
	h(
		'table',
		{class: 'entries'},
		h(
			'thead',
			{},
			h(
				'tr',
				{},
				h('th', {}, 'State'),
				h('th', {}, 'Code'),
				h('th', {}, 'URL'),
				h('th', {class: 'number'}, 'Age'),
				h('th', {class: 'number'}, 'Expires'),
				h('th', {class: 'number'}, 'Gone'),
				h('th', {class: 'number'}, 'Size'),
			),
		),
		h('tbody', {}, ...entries.map(entry => rowOf(entry))),
	);

const filterForm = (parameters: URLSearchParams): HTMLElement => {
	const search = input({name: 'search', type: 'search', value: parameters.get('search') ?? '', placeholder: 'part of a URL or key'});
	const origin = input({name: 'origin', value: parameters.get('origin') ?? '', placeholder: 'https://api.example.com', inputmode: 'url'});
	const tag = input({name: 'tag', value: parameters.get('tag') ?? ''});
	const state = select([['', 'fresh and stale'], ['fresh', 'fresh'], ['stale', 'stale']], parameters.get('state') ?? '');
	const sort = select(orders, parameters.get('sort') ?? '');
	const go = () => {
		location.hash = linkTo('entries', {search: search.value.trim(), origin: origin.value.trim(), tag: tag.value.trim(), state: state.value, sort: sort.value});
	};

	return h(
		'form',
		{
			class: 'filters',
			attributes: {role: 'search'},
			on: {
				submit(event) {
					event.preventDefault();
					go();
				},
			},
		},
		field('Search', search),
		field('Origin', origin),
		field('Tag', tag),
		field('State', state),
		field('Order', sort),
		h('div', {class: 'actions'}, h('button', {class: 'primary', attributes: {type: 'submit'}}, 'Search'), h('a', {class: 'button', attributes: {href: linkTo('entries')}}, 'Reset')),
	);
};

type Page = {
	readonly entries: readonly WireEntry[];
	readonly lookedAt: number;
	readonly cursor: string | undefined;
	readonly unreadable: Readonly<Record<string, number>>;
};

/** Reads pages one after the other, and keeps those that were read. */
const createPages = (filter: Readonly<Record<string, string>>, signal: AbortSignal, tellLooking: (lookedAt: number) => void) => {
	let pages: Page[] = [];
	/** The number of pages at the beginning that are no longer kept. */
	let dropped = 0;
	const seen = new Set<string>();

	const read = async (): Promise<Page> => {
		const last = pages.at(-1);
		const found: WireEntry[] = [];
		let next: {cursor?: string | undefined; lookedAt: number; unreadable: Readonly<Record<string, number>>} = {cursor: last?.cursor, lookedAt: 0, unreadable: {}};
		let tries = 0;
		while (tries < triesPerPage && found.length < pageLength) {
			const {entries, isLooking = false, ...rest} = await get<WireEntries>('entries', {...filter, limit: String(pageLength - found.length), cursor: next.cursor}, signal); // eslint-disable-line no-await-in-loop -- One after the other.
			// The store may give an entry twice.
			found.push(...entries.filter(({storeKey}) => !seen.has(storeKey)));
			for (const {storeKey} of entries) {
				seen.add(storeKey);
			}

			next = rest;
			// An order is known when all have been looked at.
			if (isLooking) {
				tellLooking(rest.lookedAt);
			} else {
				tries++;
			}

			if (next.cursor === undefined) {
				break;
			}
		}

		return {entries: found, lookedAt: next.lookedAt, cursor: next.cursor, unreadable: next.unreadable};
	};

	return {
		async at(position: number): Promise<Page | undefined> {
			if (position - dropped === pages.length) {
				pages.push(await read());
				if (pages.length > mostPages) {
					pages = pages.slice(-mostPages);
					dropped++;
					seen.clear();
				}
			}

			return pages[position - dropped];
		},
		hasBefore: (position: number) => position > dropped,
		hasAfter: (position: number) => position - dropped < pages.length - 1 || pages.at(-1)?.cursor !== undefined,
	};
};

const summaryOf = ({entries, lookedAt, cursor, unreadable}: Page, position: number): HTMLElement => {
	const first = (position * pageLength) + 1;
	const range = entries.length === 0 ? 'None found' : `${formatCount(first)}–${formatCount(first + entries.length - 1)}`;
	const far = cursor === undefined ? `all ${formatCount(lookedAt)} looked at` : `${formatCount(lookedAt)} looked at so far`;
	const unread = Object.entries(unreadable).map(([reason, count]) => `, ${formatCount(count)} cannot be read (${reason})`).join('');

	return h('span', {class: 'count', attributes: {role: 'status'}}, `${range}, ${far}${unread}`);
};

/** A whole URL that is not stored has an explanation. */
const nothingFound = (filter: Readonly<Record<string, string>>): HTMLElement => {
	const {search = ''} = filter;
	const hasFilter = Object.keys(filter).some(name => name !== 'sort');
	return empty(
		hasFilter ? 'Nothing that is stored matches.' : 'Nothing is stored.',
		...urlOf(search) === undefined ? [' ', h('a', {attributes: {href: linkTo('explain', {url: search})}}, 'Explain this URL')] : [],
	);
};

export const entries: View = {
	title: 'Entries',
	async show(root, parameters, signal) {
		const filter: Record<string, string> = {};
		for (const name of filterNames) {
			const value = parameters.get(name) ?? '';
			if (value !== '') {
				filter[name] = value;
			}
		}

		const list = h('div', {class: 'card list'});
		const form = filterForm(parameters);
		root.append(form, list);
		const pages = createPages(filter, signal, lookedAt => {
			list.replaceChildren(empty(`Looking at everything to sort it: ${formatCount(lookedAt)} so far…`));
		});

		const showPage = async (position: number): Promise<void> => {
			list.setAttribute('aria-busy', 'true');
			try {
				const page = await pages.at(position);
				if (!page) {
					return;
				}

				const turn = (to: number) => async () => {
					await showPage(to);
					list.querySelector<HTMLElement>(':scope .pager button:not([disabled])')?.focus({preventScroll: true});
					list.scrollIntoView({block: 'start'});
				};

				const pager = h(
					'div',
					{class: 'pager'},
					summaryOf(page, position),
					button('← Previous', turn(position - 1), {disabled: !pages.hasBefore(position)}),
					button(page.entries.length === 0 && page.cursor !== undefined ? 'Search on →' : 'Next →', turn(position + 1), {disabled: !pages.hasAfter(position)}),
				);
				list.replaceChildren(pager, page.entries.length > 0 ? tableOf(page.entries) : nothingFound(filter));
			} catch (error) {
				if (!signal.aborted) {
					const again = error instanceof ApiError && error.statusCode === 410;
					list.replaceChildren(failure(error), again ? h('a', {class: 'button', attributes: {href: linkTo('entries', {...filter, again: String(Date.now())})}}, 'Search again') : '');
				}
			} finally {
				list.removeAttribute('aria-busy');
			}
		};

		list.append(empty('Searching…'));
		await showPage(0);
	},
};
