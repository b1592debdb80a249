import {byId, button, h, type Child} from './dom.ts';
import {field, input} from './parts.ts';

export type Question = {
	readonly title: string;
	readonly text: readonly Child[];
	/** The label of the button that does it. */
	readonly action: string;
	readonly isDangerous?: boolean;
	/** A word that has to be typed before. */
	readonly typed?: string;
};

/** Asks in a dialog. Resolves to whether the answer is yes: Escape and Cancel mean no. */
export const confirmed = async ({title, text, action, isDangerous = false, typed}: Question): Promise<boolean> => {
	const dialog = byId('dialog') as HTMLDialogElement;
	const {promise, resolve} = Promise.withResolvers<boolean>();
	const end = (answer: boolean) => {
		resolve(answer);
		dialog.close();
	};

	const yes = button(action, () => {
		end(true);
	}, {class: isDangerous ? 'danger' : 'primary', disabled: typed !== undefined});
	const word = input({name: 'typed'});
	word.addEventListener('input', () => {
		yes.disabled = word.value.trim().toLowerCase() !== typed;
	});
	dialog.replaceChildren(
		h('h2', {attributes: {id: 'dialog-title'}}, title),
		h('div', {class: 'text'}, ...text),
		typed === undefined ? '' : field(`Type “${typed}” to go on`, word),
		h(
			'div',
			{class: 'actions'},
			button('Cancel', () => {
				end(false);
			}, {autofocus: true}),
			yes,
		),
	);
	dialog.addEventListener('close', () => {
		resolve(false);
	}, {once: true});
	dialog.showModal();

	return promise;
};
