import {Buffer} from 'node:buffer';
import type {HeaderFields, RequestHead, ResponseHead} from '../../source/http/message.ts';
import {completed} from '../../source/http/partial.ts';
import {settle} from '../../source/http/settle.ts';
import type {Settings} from '../../source/http/settings.ts';
import type {StoredResponse} from '../../source/types/stored.ts';

/** When the tests' responses were received. */
export const now = Date.UTC(2026, 10, 23, 12, 0, 0);

export const afterSeconds = (seconds: number): number => now + (seconds * 1000);

/** An HTTP-date so many seconds from `now`. */
export const date = (seconds = 0): string => new Date(afterSeconds(seconds)).toUTCString();

/** What the plugin has when its user sets nothing. */
export const defaultSettings: Settings = {
	isShared: true,
	mode: 'default',
	staleIfError: 'disconnected',
	staleWhileRevalidate: false,
	lifetimes: undefined,
	heedsCacheControl: true,
	methods: new Set(['GET', 'HEAD', 'QUERY']),
	statusCodes: undefined,
	alwaysRevalidates: false,
	isReadOnly: false,
	targets: [],
	cacheStatus: false,
	matchHeaders: [],
	hasOwnKey: false,
	ignoredParameters: new Set(),
};

export const privateSettings: Partial<Settings> = {isShared: false};

export const settingsWith = (settings: Partial<Settings> = {}): Settings => ({...defaultSettings, ...settings});

export const url = 'https://example.com/items';

export const requestWith = (headers: HeaderFields = {}, method = 'GET'): RequestHead => ({method, url, headers});

/** Header fields as a table writes them; an array repeats the field. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

export const rawHeadersOf = (fields: Fields): string[] =>
	Object.entries(fields).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).flatMap(line => [name, line]));

export const responseWith = (fields: Fields = {}, statusCode = 200): ResponseHead => ({
	statusCode,
	statusMessage: '',
	httpVersion: '1.1',
	rawHeaders: rawHeadersOf(fields),
});

export type StoreOptions = {
	readonly request?: RequestHead | undefined;
	readonly statusCode?: number | undefined;
	readonly settings?: Partial<Settings> | undefined;
	readonly body?: string | undefined;
	readonly range?: StoredResponse['range'];
};

/** What the cache keeps of a response that it received at `now`. */
export const storedWith = (fields: Fields = {}, {request = requestWith(), statusCode = 200, settings, body = '0123456789'}: StoreOptions = {}): StoredResponse => {
	const outcome = settle({
		request,
		decision: {kind: 'fetch', reason: 'not-stored'},
		response: responseWith({Date: date(), ...fields}, statusCode),
		requestTimeMs: now,
		responseTimeMs: now,
		settings: settingsWith(settings),
	});
	if (outcome.kind !== 'store') {
		throw new Error(`Not stored: ${outcome.reason}`);
	}

	const stored = completed(request, outcome.change.head, Buffer.from(body));
	if (stored === undefined) {
		throw new Error('The body does not fit the head.');
	}

	return stored;
};

export const valueOf = (rawHeaders: readonly string[], name: string): string | undefined => {
	const position = rawHeaders.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name.toLowerCase());

	return position === -1 ? undefined : rawHeaders[position + 1];
};
