import type {KeyInputOfAny} from '../cache/exchange.ts';
import type {HeaderFields, RequestHead} from '../http/message.ts';
import type {RequestLike} from './filters.ts';

/*
A request that was described, as got would send it.
*/

/** The content as got sends it, with the media type that got gives it. */
const contentOf = ({body, json, form}: RequestLike): {readonly body: string | Uint8Array | undefined; readonly mediaType?: string} => {
	if (json !== undefined) {
		return {body: JSON.stringify(json), mediaType: 'application/json'};
	}

	return form === undefined ? {body} : {body: new URLSearchParams(form as Record<string, string>).toString(), mediaType: 'application/x-www-form-urlencoded'};
};

/** Got makes a URL of the host `unix` of one that names a Unix socket: `unix:/run/api.sock:/items`. */
export const asSent = (url: string): string => url.replace(/^unix:(?:\/\/)?(?=\/)/iv, 'http://unix');

export const requestHeadOf = (request: RequestLike): RequestHead => {
	const {url, method = 'GET', headers = {}} = request;
	const parsed = new URL(asSent(String(url)));
	Object.assign(parsed, {username: '', password: '', hash: ''});
	const fields: HeaderFields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
	const {mediaType} = contentOf(request);
	return {method: method.toUpperCase(), url: parsed.href, headers: mediaType === undefined ? fields : {...fields, 'content-type': fields['content-type'] ?? mediaType}};
};

/** The input of the key, as far as the description of a request has it. */
export const keyInputOf = (request: RequestLike): KeyInputOfAny => ({body: contentOf(request).body, extra: request.key, user: request.user});
