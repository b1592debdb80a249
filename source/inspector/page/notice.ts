import {button, byId, h} from './dom.ts';

const shownMs = 6000;

/** Tells what came of an action, for a while. An error stays until it is closed. */
export const notify = (text: string, kind: 'done' | 'error' = 'done'): void => {
	const notice = h('div', {class: `notice ${kind}`}, h('span', {}, text));
	notice.append(button('×', () => {
		notice.remove();
	}, {class: 'close', 'aria-label': 'Close'}));
	byId('notices').append(notice);
	if (kind === 'done') {
		setTimeout(() => {
			notice.remove();
		}, shownMs);
	}
};

/** Runs an action, and tells its failure. */
export const attempt = async (action: () => Promise<unknown>): Promise<void> => {
	try {
		await action();
	} catch (error) {
		notify(error instanceof Error ? error.message : String(error), 'error');
	}
};
