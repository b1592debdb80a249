import type {WireDone, WireExplained, WireExplanation, WireResponse} from '../api/wire.ts';
import {ask, get, post} from './api.ts';
import {showBody} from './body.ts';
import {confirmed} from './confirm.ts';
import {showDecision} from './decision.ts';
import {button, h, linkTo, type Child} from './dom.ts';
import {keepDraft} from './draft.ts';
import {formatBytes, formatSeconds} from './format.ts';
import {lifeline} from './lifeline.ts';
import {attempt, notify} from './notice.ts';
import {badge, card, empty, facts, failure, foreign, stateBadge, tagLinks} from './parts.ts';
import {isReadOnly} from './settings.ts';
import type {View} from './view.ts';

const tellPurge = ({isConfirmed}: WireDone, what: string): void => {
	notify(isConfirmed ? `${what} The store confirmed it, for every process.` : `${what} The store has not confirmed it: try again.`, isConfirmed ? 'done' : 'error');
};

const purgeButtons = ({storeKey, url}: WireResponse): HTMLElement => h(
	'div',
	{class: 'actions'},
	button('Soft purge', async () => attempt(async () => {
		if (
			!(await confirmed({
				title: 'Soft purge?',
				text: ['Each response to ', foreign(url), ' is kept, but validated before its next use. Until then it may stand in if the origin fails.'],
				action: 'Soft purge',
			}))
		) {
			return;
		}

		tellPurge(await post<WireDone>('purge', {kind: 'url', value: url, soft: '1'}), 'Softly purged.');
		dispatchEvent(new HashChangeEvent('hashchange'));
	})),
	button('Purge', async () => attempt(async () => {
		if (!await confirmed({title: 'Purge?', text: ['The stored response for ', foreign(url), ' is removed with all its variants.'], action: 'Purge', isDangerous: true})) {
			return;
		}

		tellPurge(await post<WireDone>('purge', {kind: 'key', value: storeKey}), 'Purged.');
		location.hash = linkTo('entries');
	}), {class: 'danger'}),
);

/** The end of the time in which a response may answer although it is stale. */
const usableUntil = ({expiresAt, keptUntil, staleForbiddenBy, whileRevalidate, ifError}: WireExplained): string | undefined => {
	if (expiresAt === undefined || staleForbiddenBy !== undefined) {
		return expiresAt;
	}

	const windows = [whileRevalidate.seconds, ifError.seconds];
	return windows.includes('unlimited')
		? keptUntil ?? '9999-01-01T00:00:00.000Z'
		: new Date(Date.parse(expiresAt) + (Math.max(...windows.map(Number)) * 1000)).toISOString();
};

type Window = {
	readonly when: string;
	readonly window: WireExplained['ifError'];
	/** The option and the directive that may allow it. */
	readonly option: string;
	readonly directive: string;
};

const windowText = ({when, window: {seconds, source}, option, directive}: Window): HTMLElement | undefined =>
	seconds === 0
		? undefined
		: h(
			'li',
			{},
			`${when}: ${seconds === 'unlimited' ? 'as long as it is kept' : `for ${formatSeconds(seconds)}`}`,
			...source === 'none' ? [] : [', by the ', source === 'option' ? 'option ' : 'response\'s ', h('code', {}, source === 'option' ? option : directive)],
		);

const staleness = ({staleForbiddenBy, whileRevalidate, ifError, ifDisconnected}: WireExplained): Child => {
	if (staleForbiddenBy !== undefined) {
		return `not usable, because of ${staleForbiddenBy}`;
	}

	const onFailure = {option: 'staleIfError', directive: 'stale-if-error'};
	const windows = [
		windowText({when: 'while it is refreshed', window: whileRevalidate, option: 'staleWhileRevalidate', directive: 'stale-while-revalidate'}),
		windowText({when: 'when the origin answers with an error', window: ifError, ...onFailure}),
		windowText({when: 'while the origin cannot be reached', window: ifDisconnected, ...onFailure}),
	].filter(each => each !== undefined);

	return windows.length === 0 ? 'not usable' : h('ul', {class: 'plain'}, ...windows);
};

const factsOf = (stored: WireResponse, explained: WireExplained | undefined): HTMLElement => facts([
	['Key', h('code', {class: 'break'}, stored.storeKey)],
	['Age', formatSeconds(stored.age)],
	['Size', formatBytes(stored.size)],
	...explained
		? [
			['Lifetime', `${explained.lifetimeSeconds === 'unlimited' ? 'unlimited' : formatSeconds(explained.lifetimeSeconds)}, by ${explained.lifetimeSource}`] as const,
			['Usable when stale', staleness(explained)] as const,
			['In memory', explained.isInMemory ? 'yes, also in the memory of this process' : 'no, not in the memory of this process'] as const,
		]
		: [],
	...stored.tags.length > 0 ? [['Tags', ...tagLinks(stored.tags)] as const] : [],
	...stored.groups.length > 0 ? [['Groups', foreign(stored.groups.join(', '))] as const] : [],
	...Object.entries(stored.vary).map(([name, value]) => ['Selected by', foreign(`${name}: ${value}`)] as const),
]);

const headerTable = ({headers}: WireResponse): HTMLElement =>
	h(
		'table',
		{class: 'headers'},
		h('tbody', {}, ...headers.map(([name, value]) => h('tr', {}, h('th', {attributes: {scope: 'row'}}, foreign(name)), h('td', {}, foreign(value))))),
	);

const variantTable = (stored: WireResponse, all: readonly WireExplained[]): HTMLElement => h('table', {}, h('tbody', {}, ...all.map(each => h(
	'tr',
	{},
	h('td', {}, stateBadge(each.isFresh), each.isPurged && badge('purged', 'unavailable')),
	h('td', {class: 'target'}, each.storeKey === stored.storeKey
		? h('strong', {}, foreign(Object.entries(each.vary).map(([name, value]) => `${name}: ${value}`).join(', ') || 'without selecting fields'), ' (this one)')
		: h('a', {attributes: {href: linkTo('entry', {key: each.storeKey})}}, foreign(Object.entries(each.vary).map(([name, value]) => `${name}: ${value}`).join(', ') || 'without selecting fields'))),
	h('td', {class: 'number'}, each.statusCode),
	h('td', {class: 'number'}, formatBytes(each.size)),
))));

/** The explanation of a request that has this response; the failure, if the URL and the header fields alone do not tell it apart. */
const explainOf = async ({url, method, vary}: WireResponse, signal: AbortSignal): Promise<WireExplanation | Error> => {
	try {
		return await ask<WireExplanation>('explain', {url, method, header: Object.entries(vary).map(([name, value]) => `${name}: ${value}`)}, signal);
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
};

/** The way to an explanation of a request that its URL and header fields do not tell apart. */
const toldApart = ({url, method, vary}: WireResponse): HTMLElement => h(
	'p',
	{class: 'hint'},
	'This response is stored for requests with a user, an additional key, a content or credentials of their own. Without them, the same URL comes to another decision. ',
	h('a', {
		attributes: {href: linkTo('explain', {url, method})},
		on: {
			click() {
				keepDraft({url, method, headers: Object.entries(vary).map(([name, value]) => `${name}: ${value}`).join('\n'), user: '', key: '', json: ''});
			},
		},
	}, 'Explain such a request'),
);

export const entry: View = {
	title: 'Stored response',
	async show(root, parameters, signal) {
		const stored = await get<WireResponse>('entry', {key: parameters.get('key') ?? ''}, signal);
		const [explanation, isShowOnly] = await Promise.all([explainOf(stored, signal), isReadOnly()]);
		if (signal.aborted) {
			return;
		}

		const all = explanation instanceof Error ? [] : explanation.stored;
		const explained = all.find(({storeKey}) => storeKey === stored.storeKey);
		const body = card('Body');
		root.replaceChildren(
			h(
				'div',
				{class: 'heading'},
				h('h1', {}, h('span', {class: 'method'}, stored.method), ' ', h('span', {class: 'break'}, foreign(stored.url))),
				h('div', {class: 'row'}, stateBadge(stored.isFresh), badge(String(stored.statusCode), 'code'), !isShowOnly && purgeButtons(stored)),
			),
			card(
				'Life',
				lifeline({
					storedAt: stored.storedAt,
					expiresAt: stored.expiresAt,
					usableUntil: explained && usableUntil(explained),
					keptUntil: explained?.keptUntil,
					isEndKnown: explained !== undefined,
				}),
			),
			h(
				'div',
				{class: 'columns'},
				card('Facts', factsOf(stored, explained)),
				card('Header fields', stored.headers.length === 0 ? empty('None.') : headerTable(stored)),
			),
			...(all.length > 1 ? [card(`Variants of this URL (${all.length})`, variantTable(stored, all))] : []),
			card(
				'The same request now',
				...(explained ? [] : [toldApart(stored)]),
				explanation instanceof Error ? failure(explanation) : showDecision(explanation),
			),
			body,
		);
		await showBody(body, stored, signal);
	},
};

