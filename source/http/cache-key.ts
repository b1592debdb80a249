import {hash} from 'node:crypto';
import {createHints} from '../types/hints.ts';
import {normalizeBody} from './body-key.ts';
import {fieldValue} from './header-fields.ts';
import type {RequestHead} from './message.ts';
import {simplifiedUrl, type SearchVariance} from './no-vary-search.ts';
import type {Settings} from './settings.ts';
import {normalizeUrl} from './url.ts';

type KeySettings = Pick<Settings, 'ignoredParameters'>;

type KeyOptions = {
	/** The request's content, if it has any. */
	readonly body?: Uint8Array | string | undefined;
	/** The addition of the user's key function. */
	readonly extra?: string | undefined;
	/** The search variance of equivalent URLs. They share one key, which differs from the key of any single URL. */
	readonly searchVariance?: SearchVariance | undefined;
};

/** The parts of a request that its primary key is made of. */
export type KeyParts = {
	/** `GET` for HEAD. */
	readonly method: string;
	/** The normalised URL, without ignored parameters. */
	readonly url: string;
	/** The `Host`, if it is not the URL's. */
	readonly host: string | undefined;
	/** The normalised content, its kind first; empty without content. */
	readonly content: readonly string[];
};

export const keyParts = (request: RequestHead, {ignoredParameters}: KeySettings, body: KeyOptions['body']): KeyParts => ({
	method: request.method === 'HEAD' ? 'GET' : request.method,
	url: normalizeUrl(request.url, ignoredParameters),
	host: request.headers.host === undefined ? undefined : foreignHost(request),
	content: body === undefined ? [] : normalizeBody(body, request.headers, ignoredParameters),
});

/**
The primary key of a request (RFC 9111 §4): equal for requests for the same resource, different for all others. It has 22 characters of base64url (132 bits), after a question mark if it is shared by equivalent URLs.

A HEAD request has the key of the GET request, RFC 9110 §9.3.2. Header fields are not part of the key: they select among the variants under one key (`vary.ts`). The exception is a `Host` that differs from the URL's, since it changes the target.
*/
export const primaryKey = (request: RequestHead, settings: KeySettings, {body, extra, searchVariance}: KeyOptions = {}): string => {
	const {method, url, host, content} = keyParts(request, settings, body);
	const target = searchVariance === undefined ? url : JSON.stringify([searchVariance.field, simplifiedUrl(url, searchVariance)]);
	const isPlain = method === 'GET' && body === undefined && extra === undefined && host === undefined;
	const text = isPlain ? `${method} ${target}` : longForm([...host === undefined ? [] : [`host ${host}`], method, target, extra === undefined ? '' : `extra ${extra}`, ...content]);

	return searchVariance === undefined ? digest(text) : `?${digest(text)}`;
};

/** RFC 9110 §7.1: `Host` determines the target, wherever the request is sent. */
const foreignHost = ({url, headers}: RequestHead): string | undefined => {
	const host = fieldValue(headers, 'host')?.toLowerCase();

	return URL.canParse(url) && new URL(url).host === host ? undefined : host;
};

/** Joins the parts with their lengths, so that no part can be confused with another. The result begins with a digit, unlike the short form. */
const longForm = (parts: readonly string[]): string => parts.map(part => `${part.length} ${part}`).join(' ');

// Hashing takes as long as all the rest of a look-up in memory.
const digests = createHints<string>(1000);

/** Longer texts are not remembered, because a body may have megabytes. */
const longestKnown = 1000;

const digest = (text: string): string => {
	const known = digests.get(text);
	if (known !== undefined) {
		return known;
	}

	const made = hash('sha256', text, 'base64url').slice(0, 22);
	if (text.length <= longestKnown) {
		digests.set(text, made);
	}

	return made;
};
