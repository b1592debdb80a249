/*
Elements are made by functions. Text becomes text nodes, never markup: much of it comes from origins.
*/

export type Child = Node | string | number | undefined | false;

type Properties = {
	readonly class?: string;
	/** Attributes; `true` sets an empty one, `false` and `undefined` none. */
	readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
	readonly on?: Readonly<Partial<Record<'change' | 'click' | 'input' | 'submit' | 'close', (event: Event) => void | Promise<void>>>>;
};

const fill = <Made extends Element>(element: Made, {class: className, attributes = {}, on = {}}: Properties, children: readonly Child[]): Made => {
	if (className !== undefined) {
		element.setAttribute('class', className);
	}

	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false) {
			element.setAttribute(name, value === true ? '' : String(value));
		}
	}

	for (const [type, listener] of Object.entries(on)) {
		element.addEventListener(type, event => {
			void listener(event);
		});
	}

	element.append(...children.filter(child => child !== undefined && child !== false).map(child => typeof child === 'number' ? String(child) : child));
	return element;
};

/** Makes an HTML element. */
export const h = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag, properties: Properties = {}, ...children: readonly Child[]): HTMLElementTagNameMap[Tag] =>
	fill(document.createElement(tag), properties, children);

/** Makes an SVG element. */
export const s = <Tag extends keyof SVGElementTagNameMap>(tag: Tag, attributes: Readonly<Record<string, string | number>> = {}, ...children: readonly Child[]): SVGElementTagNameMap[Tag] =>
	fill(document.createElementNS('http://www.w3.org/2000/svg', tag), {attributes}, children);

/** Finds an element of the page by its id. */
export const byId = (id: string): HTMLElement => {
	const element = document.querySelector<HTMLElement>(`#${id}`);
	if (!element) {
		throw new Error(`There is no element #${id}`);
	}

	return element;
};

/** The address of a view within the page. */
export const linkTo = (view: string, parameters: Readonly<Record<string, string | undefined>> = {}): string => {
	const given = Object.entries(parameters).filter((parameter): parameter is [string, string] => parameter[1] !== undefined && parameter[1] !== '');
	return given.length === 0 ? `#/${view}` : `#/${view}?${new URLSearchParams(given).toString()}`;
};

export const button = (label: string, action: () => void | Promise<void>, {class: className = '', ...attributes}: Readonly<Record<string, string | boolean>> = {}): HTMLButtonElement =>
	h('button', {class: String(className), attributes: {type: 'button', ...attributes}, on: {click: action}}, label);
