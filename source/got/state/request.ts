import {isUint8Array} from 'node:util/types';
import type {KeyInput} from '../../cache/exchange.ts';
import type {RequestHead} from '../../http/message.ts';
import type {GotOptions} from './got-options.ts';

/** Absolute, without userinfo and fragment. */
export const urlOf = (options: GotOptions): string => {
	const {url} = options;
	if (!(url instanceof URL)) {
		return url ?? '';
	}

	const {href} = url;
	if (!href.includes('@') && !href.includes('#')) {
		return href;
	}

	const bare = new URL(url);
	bare.username = '';
	bare.password = '';
	bare.hash = '';

	return bare.href;
};

/** The head of the request that got is about to send: by the time of `beforeRequest`, cookies, credentials and `accept-encoding` are set. */
export const requestHead = (options: GotOptions): RequestHead => ({
	method: options.method.toUpperCase(),
	url: urlOf(options),
	headers: {...options.headers},
});

const bodiless = new Set(['GET', 'HEAD']);

/** The user may write to a stream what no option tells of. */
const isWritable = ({isStream, body, method, allowGetBody}: GotOptions): boolean => isStream && body === undefined && (!bodiless.has(method) || (method === 'GET' && allowGetBody));

/**
@returns The request's content, or `undefined` if it can be read only once.
*/
export const contentOf = (options: GotOptions): Pick<KeyInput, 'body' | 'isEncoded'> | undefined => {
	const {body} = options;
	if (isWritable(options)) {
		return undefined;
	}

	if (body !== undefined && typeof body !== 'string' && !isUint8Array(body)) {
		return undefined;
	}

	return {body, isEncoded: !options.decompress};
};

const isSameValue = (first: unknown, second: unknown) => first === second || String(first) === String(second);

/** Whether a hook that ran in between left a request as it was. */
export const isSameRequest = (first: RequestHead, second: RequestHead): boolean => {
	if (first.method !== second.method || first.url !== second.url) {
		return false;
	}

	const names = new Set([...Object.keys(first.headers), ...Object.keys(second.headers)]);
	return [...names].every(name => isSameValue(first.headers[name], second.headers[name]));
};
