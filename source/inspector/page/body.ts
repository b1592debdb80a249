import type {WireResponse} from '../api/wire.ts';
import {getBytes} from './api.ts';
import {button, h} from './dom.ts';
import {formatBytes} from './format.ts';
import {indentJson} from './json.ts';
import {attempt} from './notice.ts';
import {empty} from './parts.ts';

/*
The body of a stored response. Nothing in it runs: it is shown as text, or, if its first bytes are those of a picture, as a picture from memory. An SVG is text.
*/

const firstBytes = 262_144;

/** Colours make an element of each token. */
const mostColoredTokens = 20_000;

const mostHexLines = 64;

const pictures: ReadonlyArray<readonly [type: string, isOne: (start: string) => boolean]> = [
	['image/png', start => start.startsWith('\u{89}PNG\r\n\u{1A}\n')],
	['image/jpeg', start => start.startsWith('\u{FF}\u{D8}\u{FF}')],
	['image/gif', start => start.startsWith('GIF87a') || start.startsWith('GIF89a')],
	['image/webp', start => start.startsWith('RIFF') && start.startsWith('WEBP', 8)],
];

/** The type of a picture by its first bytes, whatever its header fields say. */
const pictureTypeOf = (bytes: Uint8Array): string | undefined => {
	const start = String.fromCodePoint(...bytes.subarray(0, 16));
	return pictures.find(([, isOne]) => isOne(start))?.[0];
};

const headerOf = ({headers}: WireResponse, name: string): string => headers.find(([each]) => each === name)?.[1] ?? '';

/** Control characters other than white space. */
const binary = /[\p{Control}--[\t\n\f\r]]/v;

/** The text of a body; `undefined` if it is none. */
const textOf = (bytes: Uint8Array, contentType: string, isWhole: boolean): string | undefined => {
	const charset = /;\s*charset="?(?<charset>[\w\-]+)/iv.exec(contentType)?.groups?.charset ?? 'utf8';
	try {
		// The last character may be cut in two.
		const text = new TextDecoder(charset, {fatal: true}).decode(bytes, {stream: !isWhole});
		return binary.test(text.slice(0, 2000)) ? undefined : text;
	} catch {
		return undefined;
	}
};

const hexOf = (bytes: Uint8Array): string => Array.from({length: Math.min(mostHexLines, Math.ceil(bytes.length / 16))}, (_, line) => {
	const part = [...bytes.subarray(line * 16, (line + 1) * 16)];
	const codes = part.map(byte => byte.toString(16).padStart(2, '0')).join(' ');
	return `${(line * 16).toString(16).padStart(6, '0')}  ${codes.padEnd(47)}  ${part.map(byte => byte >= 32 && byte < 127 ? String.fromCodePoint(byte) : '.').join('')}`;
}).join('\n');

const code = (...children: ReadonlyArray<string | Node>): HTMLElement => h('pre', {class: 'body', attributes: {tabindex: 0}}, ...children);

const jsonOf = (text: string): HTMLElement | undefined => {
	const tokens = indentJson(text);
	if (!tokens) {
		return undefined;
	}

	return tokens.length > mostColoredTokens
		? code(tokens.map(token => token.text).join(''))
		: code(...tokens.map(token => token.kind === 'space' || token.kind === 'mark' ? token.text : h('span', {class: token.kind}, token.text)));
};

const picture = (bytes: Uint8Array<ArrayBuffer>, type: string, signal: AbortSignal): HTMLElement => {
	const source = URL.createObjectURL(new Blob([bytes], {type}));
	signal.addEventListener('abort', () => {
		URL.revokeObjectURL(source);
	});
	return h('div', {class: 'picture'}, h('img', {attributes: {src: source, alt: 'The stored picture'}}));
};

const download = async (stored: WireResponse): Promise<void> => {
	const source = URL.createObjectURL(new Blob([await getBytes('body', {key: stored.storeKey})], {type: 'application/octet-stream'}));
	const name = URL.canParse(stored.url) ? new URL(stored.url).pathname.split('/').at(-1)?.replaceAll(/[^\w\-.]/gv, '_') : '';
	h('a', {attributes: {href: source, download: name === undefined || name === '' ? 'body' : name}}).click();
	URL.revokeObjectURL(source);
};

/** Shows the beginning of a body, and with a click all of it. */
export const showBody = async (root: HTMLElement, stored: WireResponse, signal: AbortSignal): Promise<void> => {
	const {size, storeKey} = stored;
	const place = h('div', {});
	const tools = h('div', {class: 'tools'});
	root.append(tools, place);
	if (size === 0) {
		place.append(empty('The body is empty.'));
		return;
	}

	const contentType = headerOf(stored, 'content-type');

	const show = async (limit: number): Promise<void> => {
		let bytes = await getBytes('body', {key: storeKey, limit: String(limit)}, signal);
		const type = pictureTypeOf(bytes);
		if (type !== undefined && bytes.length < size) {
			bytes = await getBytes('body', {key: storeKey}, signal);
		}

		const isWhole = bytes.length >= size;
		const rest = isWhole ? [] : [button(`Show all ${formatBytes(size)}`, async () => attempt(async () => show(size)))];
		const others = [...rest, button('Download', async () => attempt(async () => download(stored)))];
		if (type !== undefined) {
			tools.replaceChildren(h('span', {}, `${type}, ${formatBytes(size)}`), ...others);
			place.replaceChildren(picture(bytes, type, signal));
			return;
		}

		const text = textOf(bytes, contentType, isWhole);
		if (text === undefined) {
			tools.replaceChildren(h('span', {}, `${formatBytes(size)} that are no text`), ...others);
			place.replaceChildren(code(hexOf(bytes)));
			return;
		}

		const pretty = isWhole ? jsonOf(text) : undefined;
		const toggle = pretty && button('As it is', () => {
			const isPlain = toggle?.getAttribute('aria-pressed') === 'false';
			toggle?.setAttribute('aria-pressed', String(isPlain));
			place.replaceChildren(isPlain ? code(text) : pretty);
		}, {'aria-pressed': 'false'});
		tools.replaceChildren(h('span', {}, isWhole ? `Text, ${formatBytes(size)}` : `The first ${formatBytes(bytes.length)} of ${formatBytes(size)}`), ...toggle ? [toggle] : [], ...others);
		place.replaceChildren(pretty ?? code(text));
	};

	await show(firstBytes);
};
