import type {WireCheck, WireHealth, WireNode} from '../api/wire.ts';
import {get, post} from './api.ts';
import {button, h} from './dom.ts';
import {formatCount, formatDate, formatFromNow} from './format.ts';
import {attempt} from './notice.ts';
import {badge, card, empty, facts, failure, foreign} from './parts.ts';
import {isReadOnly} from './settings.ts';
import {storeBadge} from './store-state.ts';
import {showSwitches} from './switches.ts';
import {repeat, type View} from './view.ts';

const refreshMs = 5000;

/** The meaning of each state. */
const meanings: Readonly<Record<string, string>> = {
	unknown: 'The store was not needed yet, or has not answered yet.',
	ok: 'The store is read and written.',
	memory: 'No Redis has answered at the default address yet: responses are kept in the memory of this process.',
	'read-only': 'The store answers but refuses writes: it is full, or a replica.',
	partial: 'The nodes of the cluster are in different states.',
	unavailable: 'The store is not asked until it answers again. Requests go on without it.',
	closed: 'The cache is closed.',
};

const nodeFacts = ({since, lastError, lastErrorAt}: WireNode, place?: WireHealth['place']): HTMLElement => facts([
	...place ? [['Address', h('code', {}, place.address)] as const, ['Namespace', h('code', {}, place.namespace)] as const] : [],
	['Since', `${formatDate(since)} (${formatFromNow(since)})`],
	...lastError === undefined ? [] : [['Last error', foreign(lastError), lastErrorAt !== undefined && ` (${formatFromNow(lastErrorAt)})`] as const],
]);

/** A name in camel case as words. */
const words = (name: string): string => name.replaceAll(/[A-Z]/gv, letter => ` ${letter.toLowerCase()}`);

const noAnswer = 'The store does not answer. Requests go on without it.';

const content = ({state, isAnswering, place, nodes, counters, ...rest}: WireHealth): HTMLElement[] => [
	card(
		'Store',
		h('p', {class: 'verdict'}, storeBadge({state, isAnswering}), h('span', {}, isAnswering || state === 'closed' ? meanings[state] ?? '' : noAnswer)),
		nodeFacts({state, ...rest}, place),
	),
	...(nodes.length === 0
		? []
		: [
			card(
				'Nodes',
				...nodes.map(({address, ...node}) =>
					h('div', {class: 'node'}, h('p', {class: 'verdict'}, badge(node.state), h('code', {}, address)), nodeFacts(node)),
				),
			),
		]),
	card(
		'Reads and writes of this process',
		h('p', {class: 'hint'}, 'Keys of the store since this process made its cache. The inspector reads through the same cache, and is counted too.'),
		facts(Object.entries(counters).map(([name, count]) => [words(name), formatCount(count)])),
	),
];

const checkCard = (): HTMLElement => {
	const result = h('div', {attributes: {'aria-live': 'polite'}});
	const run = button('Check the store', async () => attempt(async () => {
		run.disabled = true;
		result.replaceChildren(empty('Checking…'));
		try {
			const {store, warnings} = await post<WireCheck>('check');
			result.replaceChildren(h('p', {class: 'verdict'}, badge('ok'), h('code', {}, store)), ...warnings.map(warning => h('p', {class: 'failure'}, foreign(warning))));
		} catch (error) {
			result.replaceChildren(failure(error));
		} finally {
			run.disabled = false;
		}
	}));

	return card('Check', h('p', {class: 'hint'}, 'Connects, and tries with a key of its own whether the store can be read and written to.'), h('div', {class: 'actions'}, run), result);
};

export const health: View = {
	title: 'Health',
	async show(root, _parameters, signal) {
		const state = h('div', {class: 'stack'});
		const switches = h('div', {}, empty('Reading…'));
		root.append(state, card('Switches', switches), await isReadOnly() ? '' : checkCard());
		const refresh = async () => {
			const now = await get<WireHealth>('health', {}, signal);
			state.replaceChildren(...content(now));
		};

		await refresh();
		repeat(refresh, refreshMs, signal);
		await showSwitches(switches, signal);
	},
};
