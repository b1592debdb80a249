import {isUint8Array} from 'node:util/types';
import type {KeyInput} from '../../cache/exchange.ts';
import type {RequestHead} from '../../http/message.ts';
import type {GotOptions} from './got-options.ts';
import {plainHeaders} from './got-version.ts';

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

/** A copy that no change of the original reaches, not that of a list either. */
const copyOf = (headers: GotOptions['headers']): Record<string, string | string[] | undefined> => {
	const copy = {...headers};
	for (const name in copy) {
		if (Array.isArray(copy[name])) {
			copy[name] = [...copy[name]];
		}
	}

	return copy;
};

/** The head of the request that got is about to send: by the time of `beforeRequest`, cookies, credentials and `accept-encoding` are set. */
export const requestHead = (options: GotOptions): RequestHead => ({
	method: options.method.toUpperCase(),
	url: urlOf(options),
	headers: copyOf(plainHeaders(options)),
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

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

const isSameValue = (first: Fields[string], second: Fields[string]) => first === second || (first !== undefined && second !== undefined && String(first) === String(second));

const hasFieldsOf = (fields: Fields, others: Fields): boolean => {
	for (const name in others) {
		if (!isSameValue(fields[name], others[name])) {
			return false;
		}
	}

	return true;
};

const haveSameFields = (first: Fields, second: Fields): boolean => hasFieldsOf(first, second) && hasFieldsOf(second, first);

/** Whether a hook that ran in between left a request as it was. */
export const isSameRequest = (first: RequestHead, second: RequestHead): boolean => first.method === second.method && first.url === second.url && haveSameFields(first.headers, second.headers);

/** A request as it was looked up. */
export type LookedUpRequest = {
	readonly head: RequestHead;
	/** The option, to be compared by identity. */
	readonly body: unknown;
};

/** Whether got would send a request as it was looked up: other code may change the options while the store is asked. */
export const isUnchanged = ({head, body}: LookedUpRequest, options: GotOptions): boolean =>
	options.body === body && options.method.toUpperCase() === head.method && urlOf(options) === head.url && haveSameFields(head.headers, plainHeaders(options));

/** Got settles these when all hooks have run; they say nothing that the body does not. */
const framingFields = ['content-length', 'transfer-encoding'];

/**
Whether what is sent is what was looked up.

@param headers - The header fields that are sent.
*/
export const isSentAsLookedUp = ({head, body}: LookedUpRequest, options: GotOptions, headers: Fields): boolean => {
	const own: Record<string, Fields[string]> = {...headers};
	for (const name of framingFields) {
		own[name] = head.headers[name];
	}

	return options.body === body && options.method.toUpperCase() === head.method && urlOf(options) === head.url && haveSameFields(head.headers, own);
};
