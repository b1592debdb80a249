import {takeToken} from './api.ts';
import {byId, h, linkTo} from './dom.ts';
import {entries} from './entries.ts';
import {entry} from './entry.ts';
import {explain} from './explain.ts';
import {health} from './health.ts';
import {live} from './live.ts';
import {overview} from './overview.ts';
import {badge, empty, failure} from './parts.ts';
import {purge} from './purge.ts';
import {isReadOnly} from './settings.ts';
import {showStore} from './store-state.ts';
import {repeat, type View} from './view.ts';

/** The tabs, in their order. */
const allTabs: Readonly<Record<string, View>> = {overview, entries, live, explain, purge, health};

/** A page that can only show has no purges. */
let tabs = allTabs;

/** In place of a view that is not there. */
const missing = (name: string): View => ({
	title: name === 'purge' ? 'Purge' : 'Not found',
	show(root) {
		root.append(empty(name === 'purge' ? 'This inspector is read-only: it purges and freezes nothing.' : 'There is no such view.'));
	},
});

const storeMs = 5000;

let current = new AbortController();

const showTabs = (active: string): void => {
	byId('tabs').replaceChildren(...Object.entries(tabs).map(([tab, {title}]) => h('a', {attributes: {href: linkTo(tab), 'aria-current': tab === active && 'page'}}, title)));
};

const show = (): void => {
	const [name = '', query = ''] = location.hash.replace(/^#\/?/v, '').split('?', 2);
	const [id, view] = Object.entries({...tabs, entry}).find(([each]) => each === name) ?? (name === '' ? ['overview', overview] : ['missing', missing(name)]);
	current.abort();
	current = new AbortController();
	const {signal} = current;
	document.title = `${view.title} · Cache inspector`;
	showTabs(id === 'entry' ? 'entries' : id);
	const root = h('div', {class: `view ${id}`}, h('h1', {}, view.title));
	const main = byId('main');
	main.replaceChildren(root);
	void (async () => {
		try {
			await view.show(root, new URLSearchParams(query), signal);
		} catch (error) {
			if (!signal.aborted) {
				root.append(failure(error));
			}
		}
	})();
};

const applySettings = async (): Promise<void> => {
	if (await isReadOnly()) {
		const {purge: _purge, ...others} = allTabs;
		tabs = others;
		byId('mode').replaceChildren(badge('read-only'));
	}

	show();
};

takeToken();
addEventListener('hashchange', () => {
	// A link to a place within the page, such as the one past the header, names no view.
	if (location.hash.startsWith('#/')) {
		show();
		byId('main').focus({preventScroll: true});
		scrollTo(0, 0);
	} else if (location.hash.startsWith('#token=')) {
		takeToken();
		void applySettings();
		void showStore();
	}
});
void applySettings();
void showStore();
repeat(showStore, storeMs, new AbortController().signal);
