import {createHash, timingSafeEqual} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';

/*
Nothing that an origin has sent may run, leave or change anything. The page has only files of its own, and shows stored bodies as text or as images from memory.
*/

/** The header field of each request of the page. Its value is the token, if there is one. A page of another origin cannot send it. */
export const headerName = 'x-inspector';

/** The header field for parameters that do not belong into a URL. */
export const parametersName = 'x-inspector-parameters';

const contentSecurityPolicy = [
	'default-src \'none\'',
	'script-src \'self\'',
	'style-src \'self\'',
	'img-src \'self\' blob:',
	'connect-src \'self\'',
	'base-uri \'none\'',
	'form-action \'none\'',
	'frame-ancestors \'none\'',
	// No text can become markup or a script by mistake.
	'require-trusted-types-for \'script\'',
	'trusted-types \'none\'',
].join('; ');

const securityHeaders: Readonly<Record<string, string>> = {
	'content-security-policy': contentSecurityPolicy,
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'referrer-policy': 'no-referrer',
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'cache-control': 'no-store',
};

export const setSecurityHeaders = (response: ServerResponse): void => {
	for (const [name, value] of Object.entries(securityHeaders)) {
		response.setHeader(name, value);
	}
};

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
Makes a check of a request's token.

@param token - Without one, the header field has only to be there.
*/
export const createTokenCheck = (token: string | undefined): ((request: IncomingMessage) => boolean) => {
	const expected = token === undefined ? undefined : digest(token);

	return ({headers}) => {
		const given = headers[headerName];
		// Digests have one length, and their comparison takes the same time wherever they differ.
		return typeof given === 'string' && (expected === undefined || timingSafeEqual(digest(given), expected));
	};
};

/** Whether a request comes from the page itself, as far as the browser says. Other programs say nothing. */
export const isSameOrigin = ({headers}: IncomingMessage): boolean => {
	const {origin, host} = headers;
	const site = headers['sec-fetch-site'];
	if (site !== undefined) {
		return site === 'same-origin';
	}

	return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
};
