import type {WireHealth} from '../api/wire.ts';
import {ApiError, get} from './api.ts';
import {byId, h} from './dom.ts';
import {badge, foreign} from './parts.ts';

/*
The store that the page shows, and whether it answers: in the bar at the top, and for every view.
*/

let last: WireHealth | undefined;

/** The address and the namespace, as far as they are known. */
export const placeText = (): string | undefined => last?.place && `${last.place.address} · namespace ${last.place.namespace}`;

/** The badge of a state. A store that does not answer now may be taken for healthy for a few requests more. */
export const storeBadge = ({state, isAnswering}: Pick<WireHealth, 'state' | 'isAnswering'>, prefix = ''): HTMLElement =>
	isAnswering || state === 'closed' || state === 'unavailable' ? badge(`${prefix}${state}`, state) : badge(`${prefix}no answer`, 'unavailable');

const show = (text: HTMLElement, title: string): void => {
	const element = byId('store');
	const place = placeText();
	element.replaceChildren(...place === undefined ? [] : [h('span', {class: 'place', attributes: {title: place}}, foreign(place))], text);
	element.title = title;
};

/** Asks for the state of the store, and shows it. */
export const showStore = async (): Promise<void> => {
	try {
		last = await get<WireHealth>('health');
		show(storeBadge(last, 'store: '), `since ${last.since}`);
	} catch (error) {
		const isLocked = error instanceof ApiError && error.statusCode === 401;
		show(badge(isLocked ? 'no token' : 'no answer', 'unavailable'), error instanceof Error ? error.message : '');
	}
};
