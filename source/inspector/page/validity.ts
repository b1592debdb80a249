/*
The input is checked before anything is asked or sent: each check gives the message for a value that is wrong.
*/

export type Check = (value: string) => string | undefined;

const webUrl = (value: string): URL | undefined => {
	const url = URL.canParse(value) ? new URL(value) : undefined;
	return url && ['http:', 'https:'].includes(url.protocol) ? url : undefined;
};

export const nameOf: Check = value => value === '' ? 'Type a name.' : undefined;

export const urlOf: Check = value => webUrl(value) ? undefined : 'Type an absolute URL, such as https://api.example.com/items.';

export const prefixOf: Check = value =>
	webUrl(value) ? undefined : 'Type the beginning of URLs with the scheme, such as https://api.example.com/items/.';

export const originOf: Check = value => {
	const url = webUrl(value);
	return url?.pathname === '/' && url.search === '' && url.hash === ''
		? undefined
		: 'Type an origin, such as https://api.example.com, without a path.';
};

/** Checks a control at each change, as the browser checks whether it is empty. Returns the function that checks it again. */
export const checkWith = (control: HTMLInputElement, check: Check): (() => void) => {
	const update = () => {
		const value = control.value.trim();
		control.setCustomValidity(control.required && control.value !== '' ? check(value) ?? '' : '');
	};

	control.addEventListener('input', update);
	update();
	return update;
};
