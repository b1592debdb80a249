import {hash} from 'node:crypto';
import {LRUCache} from 'lru-cache';
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
	/** Whatever the user's own key function adds. */
	readonly extra?: string | undefined;
	/** What makes URLs equivalent: they have one key then, which is none of a URL alone. */
	readonly searchVariance?: SearchVariance | undefined;
};

/**
The primary key of a request (RFC 9111 §4): equal for requests that ask for the same resource, different for all others; 22 characters of base64url, 132 bits, after a question mark where it stands for equivalent URLs.

A HEAD request has the key of the GET request, RFC 9110 §9.3.2. Header fields have no part in it: they select among the variants under one key (`vary.ts`). Only a `Host` that is not the URL's has: it is part of what is asked for.
*/
export const primaryKey = (request: RequestHead, settings: KeySettings, {body, extra, searchVariance}: KeyOptions = {}): string => {
	const method = request.method === 'HEAD' ? 'GET' : request.method;
	const url = normalizeUrl(request.url, settings.ignoredParameters);
	const target = searchVariance === undefined ? url : JSON.stringify([searchVariance.field, simplifiedUrl(url, searchVariance)]);
	const content = body === undefined ? [] : normalizeBody(body, request.headers, settings.ignoredParameters);
	const host = request.headers.host === undefined ? undefined : foreignHost(request);
	const isPlain = method === 'GET' && body === undefined && extra === undefined && host === undefined;
	const text = isPlain ? `${method} ${target}` : longForm([...host === undefined ? [] : [`host ${host}`], method, target, extra === undefined ? '' : `extra ${extra}`, ...content]);

	return searchVariance === undefined ? digest(text) : `?${digest(text)}`;
};

/** RFC 9110 §7.1: what a request asks for is told by its `Host`, wherever it is sent. */
const foreignHost = ({url, headers}: RequestHead): string | undefined => {
	const host = fieldValue(headers, 'host')?.toLowerCase();

	return URL.canParse(url) && new URL(url).host === host ? undefined : host;
};

/** Each part with its length: no part can pass for another. Begins with a digit, unlike the short form. */
const longForm = (parts: readonly string[]): string => parts.map(part => `${part.length} ${part}`).join(' ');

// Hashing takes as long as all the rest of a look-up in memory.
const digests = new LRUCache<string, string>({max: 1000});

/** A body may be megabytes. */
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
