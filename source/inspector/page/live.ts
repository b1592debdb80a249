import type {WireExchange, WireExchanges} from '../api/wire.ts';
import {get} from './api.ts';
import {button, h, linkTo} from './dom.ts';
import {formatBytes, formatMs, formatTimeWithSeconds} from './format.ts';
import {badge, empty, failure, foreign} from './parts.ts';
import {repeat, type View} from './view.ts';

const pollMs = 1000;

const mostRows = 300;

const rowOf = ({
	at,
	method,
	url,
	status,
	reason,
	notStored,
	tier,
	statusCode,
	bytes,
	totalMs,
	lookUpMs,
	originMs,
	kinds,
	error,
}: WireExchange): HTMLElement =>
	h(
		'tr',
		{},
		h('td', {class: 'time'}, formatTimeWithSeconds(at)),
		h('td', {}, badge(status)),
		h('td', {class: 'code'}, statusCode ?? '–'),
		h(
			'td',
			{class: 'target'},
			h('a', {class: 'url', attributes: {href: linkTo('explain', {url, method})}}, method !== 'GET' && `${method} `, foreign(url)),
			h(
				'span',
				{class: 'details'},
				h('span', {}, reason),
				notStored !== undefined && h('span', {}, `not stored: ${notStored}`),
				...kinds.map(kind => h('span', {class: 'tag'}, kind)),
				error !== undefined && h('span', {class: 'error'}, foreign(error)),
			),
		),
		h('td', {attributes: {'data-label': 'from'}}, tier ?? '–'),
		h('td', {class: 'number', attributes: {'data-label': 'size'}}, bytes === undefined ? '–' : formatBytes(bytes)),
		h(
			'td',
			{
				class: 'number',
				attributes: {
					'data-label': 'time',
					title: [lookUpMs === undefined ? '' : `look-up ${formatMs(lookUpMs)}`, originMs === undefined ? '' : `origin ${formatMs(originMs)}`]
						.filter(Boolean)
						.join(', '),
				},
			},
			formatMs(totalMs),
		),
	);

export const live: View = {
	title: 'Live',
	async show(root, _parameters, signal) {
		const rows = h('tbody');
		const table = h(
			'table',
			{class: 'entries', attributes: {hidden: true}},
			h(
				'thead',
				{},
				h(
					'tr',
					{},
					h('th', {}, 'Time'),
					h('th', {}, 'Status'),
					h('th', {}, 'Code'),
					h('th', {}, 'Request'),
					h('th', {}, 'From'),
					h('th', {class: 'number'}, 'Size'),
					h('th', {class: 'number'}, 'Time'),
				),
			),
			rows,
		);
		const nothing = h(
			'div',
			{class: 'stack'},
			empty(h('strong', {}, 'No requests yet.'), ' This view shows the requests of one process, the one that serves this page, as they come.'),
			h(
				'ul',
				{class: 'hint'},
				h('li', {}, 'If this page runs in your server, send a request through its cache.'),
				h('li', {}, 'If you opened this page with ', h('code', {}, 'npx got-redis-cache inspect'), ', that command makes no requests. To see those of your server, call ', h('code', {}, 'startInspector({cache})'), ' or mount ', h('code', {}, 'inspectorHandler({cache})'), ' in it.'),
				h('li', {}, 'The ', h('a', {attributes: {href: linkTo('overview')}}, 'overview'), ' counts the requests of all processes.'),
			),
		);
		nothing.hidden = true;
		const problem = h('div');
		let after: number | undefined;
		let isPaused = false;
		const pause = button('Pause', () => {
			isPaused = !isPaused;
			pause.setAttribute('aria-pressed', String(isPaused));
			pause.textContent = isPaused ? 'Go on' : 'Pause';
		}, {'aria-pressed': 'false'});
		const clear = button('Clear', () => {
			rows.replaceChildren();
		});
		root.append(
			h(
				'div',
				{class: 'row'},
				h('p', {class: 'hint'}, 'The requests of this process, the latest first.'),
				h('div', {class: 'actions'}, pause, clear),
			),
			problem,
			h('div', {class: 'card list'}, nothing, table),
		);

		const poll = async (): Promise<void> => {
			if (isPaused) {
				return;
			}

			try {
				const {exchanges, last} = await get<WireExchanges>('exchanges', {after: after === undefined ? undefined : String(after)}, signal);
				after = last;
				rows.prepend(...exchanges.toReversed().map(exchange => rowOf(exchange)));
				for (const row of [...rows.children].slice(mostRows)) {
					row.remove();
				}

				const hasRows = rows.childElementCount > 0;
				table.hidden = !hasRows;
				nothing.hidden = hasRows;
				problem.replaceChildren();
			} catch (error) {
				if (!signal.aborted) {
					problem.replaceChildren(failure(error));
				}
			}
		};

		await poll();
		repeat(poll, pollMs, signal);
	},
};
