import type {WireCounts, WireStatistics} from '../api/wire.ts';
import {ApiError, get} from './api.ts';
import {chart} from './chart.ts';
import {button, h, linkTo, type Child} from './dom.ts';
import {formatBytes, formatCount, formatMs, formatSeconds, formatShare, formatTime} from './format.ts';
import {bars, card, empty, failure, foreign} from './parts.ts';
import {showSwitches} from './switches.ts';
import {repeat, type View} from './view.ts';

const periods: ReadonlyArray<readonly [since: string, label: string]> = [['15m', '15 min'], ['1h', '1 hour'], ['6h', '6 hours'], ['1d', '1 day'], ['2d', '2 days']];

const statuses = ['hit', 'stale', 'revalidated', 'miss', 'bypass', 'unavailable'] as const;

const refreshMs = 10_000;

/** Requests that were answered without the origin. */
const hitsOf = ({statuses: {hit = 0, stale = 0}}: Pick<WireCounts, 'statuses'>): number => hit + stale;

const tile = (name: string, value: string, note?: string, kind = ''): HTMLElement =>
	h('div', {class: `tile ${kind}`}, h('span', {class: 'name'}, name), h('strong', {}, value), note !== undefined && h('small', {}, note));

const tiles = (stats: WireStatistics): HTMLElement => {
	const {requests, bytes, lookUps: {p50Ms, p99Ms}, savedMs, errors, refreshes, collapsed} = stats;
	const allBytes = bytes.memory + bytes.store + bytes.origin;

	return h(
		'div',
		{class: 'tiles'},
		tile('Hit ratio', formatShare(hitsOf(stats), requests), `${formatCount(hitsOf(stats))} of ${formatCount(requests)} requests; ${formatCount(stats.statuses.revalidated ?? 0)} revalidated at the origin`, 'main'),
		tile('Time saved', formatSeconds(savedMs / 1000), requests === 0 ? undefined : `${formatMs(savedMs / requests)} per request`),
		tile('Traffic saved', formatBytes(bytes.memory + bytes.store), `${formatShare(bytes.memory + bytes.store, allBytes)} of all bodies`),
		tile('Look-up time', p50Ms === undefined ? '–' : formatMs(p50Ms), p99Ms === undefined ? undefined : `median; 99% within ${formatMs(p99Ms)}`),
		tile('Failed', formatCount(errors), `requests and refreshes; ${formatCount(stats.statuses.unavailable ?? 0)} more got a 504 from the cache`),
		tile('Refreshed', formatCount(refreshes), `in the background; ${formatCount(collapsed)} requests were collapsed into equal ones`),
	);
};

/** The length of a step of the timeline, such as `minute` or `15 min`. */
const stepOf = ([first, second]: WireStatistics['timeline']): string => {
	const seconds = first && second ? (Date.parse(second.from) - Date.parse(first.from)) / 1000 : 60;
	return seconds === 60 ? 'minute' : formatSeconds(seconds);
};

const charts = ({timeline, requests, savedMs}: WireStatistics): HTMLElement[] => {
	const step = stepOf(timeline);
	const labels = timeline.map(({from}) => formatTime(from));
	const series = statuses.map(status => ({name: status, kind: status, values: timeline.map(each => each.statuses[status] ?? 0)})).filter(({values}) => values.some(value => value > 0));

	return [
		card('Requests and hit ratio', chart({
			summary: `${formatCount(requests)} requests by what the cache did, and the hit ratio, over time`,
			labels,
			series,
			line: {name: 'hit ratio', values: timeline.map(each => each.requests === 0 ? undefined : hitsOf(each) / each.requests)},
			format: formatCount,
			unit: `requests per ${step}`,
		})),
		card('Time saved', chart({
			summary: `${formatSeconds(savedMs / 1000)} saved, over time`,
			labels,
			series: [{name: 'time saved', kind: 'saved', values: timeline.map(each => each.savedMs)}],
			format: formatMs,
			unit: `time saved per ${step}`,
		})),
	];
};

const originRows = (origins: WireStatistics['origins']): HTMLElement => h('div', {class: 'scroll', attributes: {tabindex: 0}}, h(
	'table',
	{},
	h('thead', {}, h('tr', {}, h('th', {}, 'Origin'), h('th', {class: 'number'}, 'Requests'), h('th', {class: 'number'}, 'Hit ratio'), h('th', {class: 'number'}, 'Failed'))),
	h('tbody', {}, ...Object.entries(origins).slice(0, 12).map(([origin, counts]) => {
		const {requests = 0, hit = 0, stale = 0, errors = 0} = counts;
		return h(
			'tr',
			{},
			h('td', {class: 'break'}, origin === '*' ? 'all others' : h('a', {attributes: {href: linkTo('entries', {origin})}}, foreign(origin))),
			h('td', {class: 'number'}, formatCount(requests)),
			h('td', {class: 'number'}, formatShare(hit + stale, requests)),
			h('td', {class: 'number'}, formatCount(errors)),
		);
	})),
));

const countRows = (counts: Readonly<Record<string, number>>): Array<readonly [Child, number, string]> => Object.entries(counts).map(([name, count]) => [name, count, formatCount(count)]);

const refusedCard = ({notStored}: WireStatistics['hottest']): HTMLElement =>
	card(
		'URLs not stored',
		notStored.length === 0
			? empty('None.')
			: bars(
				notStored.map(({url, reason, responses}) => [
					h('span', {}, h('a', {attributes: {href: linkTo('explain', {url})}}, foreign(url)), ' ', h('code', {}, reason)),
					responses,
					formatCount(responses),
				]),
			),
	);

const details = ({requests, hottest, origins, reasons, notStored}: WireStatistics): HTMLElement =>
	h(
		'div',
		{class: 'columns'},
		h(
			'div',
			{class: 'stack'},
			card(
				'Hottest URLs',
				hottest.urls.length === 0
					? empty('None yet.')
					: bars(
						hottest.urls.map(({url, requests: count}) => [
							h('a', {attributes: {href: linkTo('entries', {search: url})}}, foreign(url)),
							count,
							formatCount(count),
						]),
					),
			),
			refusedCard(hottest),
		),
		h(
			'div',
			{class: 'stack'},
			card('Origins', Object.keys(origins).length === 0 ? empty('None yet.') : originRows(origins)),
			card('Reasons', Object.keys(reasons).length === 0 ? empty('None yet.') : bars(countRows(reasons))),
			card('Not stored', Object.keys(notStored).length === 0 ? empty(requests === 0 ? 'None yet.' : 'Everything that the origins sent was stored.') : bars(countRows(notStored))),
		),
	);

const counted = (stats: WireStatistics): HTMLElement[] => [
	tiles(stats),
	...stats.timeline.length > 0 ? charts(stats) : [],
	details(stats),
];

/** The counts of this process alone say nothing of the others, and a process that only inspects has none. */
const ofProcess = ({isIncomplete = false, requests, why = ''}: WireStatistics): HTMLElement =>
	isIncomplete
		? failure(new Error(`Not known: the counts of all processes cannot be read. ${requests === 0 ? '' : 'These are the requests of this process alone. '}${why}`))
		: h('p', {class: 'hint'}, `These are the requests of this process alone. ${why}`);

const content = (stats: WireStatistics): HTMLElement[] => [
	...stats.isOfFleet ? [] : [ofProcess(stats)],
	...stats.isIncomplete && stats.requests === 0 ? [] : counted(stats),
];

export const overview: View = {
	title: 'Overview',
	async show(root, parameters, signal) {
		const since = periods.find(([each]) => each === parameters.get('since'))?.[0] ?? '1h';
		const body = h('div', {class: 'stack'});
		root.append(
			h('div', {class: 'segments', attributes: {role: 'group', 'aria-label': 'Period'}}, ...periods.map(([each, label]) => button(label, () => {
				location.hash = linkTo('overview', {since: each});
			}, {'aria-pressed': String(each === since)}))),
			body,
		);
		let shown = '';
		const refresh = async () => {
			try {
				const stats = await get<WireStatistics>('statistics', {since}, signal);
				const text = JSON.stringify({...stats, since: ''});
				// Nothing moves away from under a keyboard.
				if (text !== shown && !body.contains(document.activeElement)) {
					shown = text;
					const wasOpen = [...body.querySelectorAll('details')].map(({open}) => open);
					body.replaceChildren(...content(stats));
					for (const [position, each] of body.querySelectorAll('details').entries()) {
						each.open = wasOpen[position] ?? false;
					}
				}
			} catch (error) {
				// Without a token, no other request of this view has an answer either.
				if (error instanceof ApiError && error.statusCode === 401) {
					throw error;
				}

				if (!signal.aborted) {
					body.replaceChildren(failure(error));
				}
			}
		};

		await refresh();
		repeat(refresh, refreshMs, signal);
		const list = h('div');
		const {switches, why} = await showSwitches(list, signal);
		if (why !== undefined || switches.length > 0) {
			body.before(card('Switches in force', list));
		}
	},
};
