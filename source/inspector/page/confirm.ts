import {byId, button, h, type Child} from './dom.ts';

export type Question = {
	readonly title: string;
	readonly text: readonly Child[];
	/** The label of the button that does it. */
	readonly action: string;
	readonly isDangerous?: boolean;
};

/** Asks in a dialog. Resolves to whether the answer is yes: Escape and Cancel mean no. */
export const confirmed = async ({title, text, action, isDangerous = false}: Question): Promise<boolean> => {
	const dialog = byId('dialog') as HTMLDialogElement;
	const {promise, resolve} = Promise.withResolvers<boolean>();
	const end = (answer: boolean) => {
		resolve(answer);
		dialog.close();
	};

	dialog.replaceChildren(
		h('h2', {attributes: {id: 'dialog-title'}}, title),
		h('div', {class: 'text'}, ...text),
		h(
			'div',
			{class: 'actions'},
			button('Cancel', () => {
				end(false);
			}, {autofocus: true}),
			button(action, () => {
				end(true);
			}, {class: isDangerous ? 'danger' : 'primary'}),
		),
	);
	dialog.addEventListener('close', () => {
		resolve(false);
	}, {once: true});
	dialog.showModal();

	return promise;
};
