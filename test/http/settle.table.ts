import type {Decision} from '../../source/http/decision.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import type {Outcome} from '../../source/http/outcome.ts';
import type {Settings} from '../../source/http/settings.ts';
import {
	date,
	privateSettings,
	url,
	type Fields,
	type StoreOptions,
} from './helpers.ts';

export type SettleRow = {
	readonly what: string;
	readonly method?: string;
	readonly request?: HeaderFields;
	/** The header fields that an earlier response was stored with. */
	readonly stored?: Fields;
	readonly storedMore?: StoreOptions;
	readonly after?: number;
	/** What the look-up is expected to have led to. */
	readonly decision?: `${Decision['kind']}: ${Decision['reason']}`;
	readonly settings?: Partial<Settings>;
	/** The status code of the response, or the lack of one. */
	readonly response: number | 'network-error' | 'timeout';
	readonly fields?: Fields;
	readonly expected: `${Outcome['kind']}: ${Outcome['reason']}`;
};

const maxAge = {'Cache-Control': 'max-age=60'};
const ownLifetime: Partial<Settings> = {lifetimes: {ofCache: 60}};
const etag = {ETag: '"1"'};
const lastModified = {'Last-Modified': date(-1000)};
const cacheControl = (value: string): Fields => ({'Cache-Control': value});
const authorization: HeaderFields = {authorization: 'Basic Zm9vOmJhcg=='};
const part: StoreOptions = {statusCode: 206, body: '01234'};
const firstPart = {...maxAge, ...etag, 'Content-Range': 'bytes 0-4/10'};
const lastPart = {...maxAge, ...etag, 'Content-Range': 'bytes 5-9/10'};

/** RFC 9111 §3. */
const storing: readonly SettleRow[] = [
	{what: 'explicit freshness', response: 200, fields: maxAge, expected: 'store: stored'},
	{what: 'Expires', response: 200, fields: {Expires: date(60)}, expected: 'store: stored'},
	{what: 'an entity tag alone', response: 200, fields: etag, expected: 'store: stored'},
	{what: 'a date alone', response: 200, fields: lastModified, expected: 'store: stored'},
	{what: 'a stale window alone', response: 200, fields: cacheControl('max-age=0, stale-while-revalidate=60'), expected: 'store: stored'},
	{what: 'a user who allows stale responses', response: 200, settings: {staleIfError: 60}, expected: 'store: stored'},
	{what: 'nothing to go by', response: 200, expected: 'pass: not-reusable'},
	{what: 'max-age=0 alone', response: 200, fields: cacheControl('max-age=0'), expected: 'pass: not-reusable'},
	{what: 'no-cache without a validator', response: 200, fields: cacheControl('max-age=60, no-cache'), expected: 'pass: not-reusable'},
	{what: 'a date that is none', response: 200, fields: {'Last-Modified': 'yesterday'}, expected: 'pass: not-reusable'},
	{what: 'a lifetime of the user\'s own', response: 200, settings: {lifetimes: {ofCache: () => 60}}, expected: 'store: stored'},
	{what: 'HEAD', method: 'HEAD', response: 200, fields: maxAge, expected: 'store: stored'},
	{what: 'QUERY', method: 'QUERY', response: 200, fields: maxAge, expected: 'store: stored'},
	{what: 'read-only', response: 200, fields: maxAge, settings: {isReadOnly: true}, expected: 'pass: read-only'},
	{what: 'no part taken', method: 'PUT', response: 200, fields: maxAge, decision: 'bypass: method', expected: 'pass: bypassed'},
	{what: 'request no-store', request: {'cache-control': 'no-store'}, response: 200, fields: maxAge, decision: 'bypass: no-store', expected: 'pass: bypassed'},

	// Status codes
	...[200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map((response): SettleRow => ({what: `${response}, heuristically`, response, fields: lastModified, expected: 'store: stored'})),
	...[201, 202, 302, 303, 307, 400, 403, 499, 500, 502, 503, 504, 599].map((response): SettleRow => ({what: `${response}, heuristically`, response, fields: lastModified, expected: 'pass: not-explicit'})),
	...[201, 299, 302, 303, 307, 400, 403, 499, 500, 502, 503, 504, 599].map((response): SettleRow => ({what: `${response}, explicitly`, response, fields: maxAge, expected: 'store: stored'})),
	...[401, 407, 412, 416, 428, 429, 431, 511].map((response): SettleRow => ({what: `${response}, explicitly`, response, fields: maxAge, expected: 'pass: status'})),
	{what: '599 with public', response: 599, fields: {...cacheControl('public'), ...lastModified}, expected: 'store: stored'},
	{what: 'no-store as a lifetime of the user\'s own', response: 200, fields: cacheControl('max-age=60'), settings: {lifetimes: {ofCache: () => 'no-store'}}, expected: 'pass: no-store'},
	{what: 'no-store as a lifetime, of a user who ignores Cache-Control', response: 200, settings: {heedsCacheControl: false, lifetimes: {ofUrl: () => () => 'no-store', ofCache: 60}}, expected: 'pass: no-store'},
	{what: 'a failure and a lifetime of the user\'s own', response: 500, settings: {lifetimes: {ofCache: () => 60}}, expected: 'pass: not-explicit'},
	{what: 'a status code that the user left out', response: 404, fields: maxAge, settings: {statusCodes: new Set([200])}, expected: 'pass: status'},
	{what: 'a status code that the user put in', response: 429, settings: {statusCodes: new Set([429]), lifetimes: {ofCache: () => 60}}, expected: 'store: stored'},
	{what: '416 stays out, whoever puts it in', response: 416, fields: maxAge, settings: {statusCodes: new Set([416])}, expected: 'pass: status'},

	// RFC 9111 §5.2.2
	{what: 'no-store', response: 200, fields: cacheControl('max-age=60, No-Store'), expected: 'pass: no-store'},
	{what: 'no-store, of a user who ignores it', response: 200, fields: cacheControl('no-store'), settings: {heedsCacheControl: false, lifetimes: {ofCache: () => 60}}, expected: 'store: stored'},
	{what: 'must-understand and no-store, understood', response: 200, fields: cacheControl('max-age=60, no-store, must-understand'), expected: 'store: stored'},
	{what: 'must-understand, not understood', response: 599, fields: cacheControl('max-age=60, must-understand'), expected: 'pass: must-understand'},
	{what: 'private, shared', response: 200, fields: cacheControl('max-age=60, private'), expected: 'pass: private'},
	{what: 'private, private', response: 200, fields: cacheControl('max-age=60, private'), settings: privateSettings, expected: 'store: stored'},
	{what: 'private of one field', response: 200, fields: cacheControl('max-age=60, private="set-cookie"'), expected: 'store: stored'},
	{what: 'a targeted no-store', response: 200, fields: {...maxAge, 'CDN-Cache-Control': 'no-store'}, settings: {targets: ['cdn-cache-control']}, expected: 'pass: no-store'},
	{what: 'a targeted private', response: 200, fields: {...maxAge, 'CDN-Cache-Control': 'private'}, settings: {targets: ['cdn-cache-control']}, expected: 'pass: private'},
	{what: 'a targeted max-age over no-store', response: 200, fields: {...cacheControl('no-store'), 'CDN-Cache-Control': 'max-age=60'}, settings: {targets: ['cdn-cache-control']}, expected: 'store: stored'},

	// RFC 9111 §3.5
	{what: 'Authorization, shared', request: authorization, response: 200, fields: maxAge, expected: 'pass: authorization'},
	{what: 'Authorization, private', request: authorization, response: 200, fields: maxAge, settings: privateSettings, expected: 'store: stored'},
	...['public', 's-maxage=60', 'must-revalidate'].map((directive): SettleRow => ({what: `Authorization and ${directive}`, request: authorization, response: 200, fields: cacheControl(`max-age=60, ${directive}`), expected: 'store: stored'})),
	{what: 'Authorization of a user who ignores Cache-Control', request: authorization, response: 200, fields: cacheControl('public'), settings: {heedsCacheControl: false, lifetimes: {ofCache: () => 60}}, expected: 'pass: authorization'},

	// RFC 9111 §4.1
	...['*', '*, *', ', *', '*, Foo', 'Foo, *'].map((vary): SettleRow => ({what: `Vary: ${vary}`, response: 200, fields: {...maxAge, Vary: vary}, expected: 'pass: vary-star'})),
	{what: 'Vary: * on a second line', response: 200, fields: {...maxAge, Vary: ['', '*']}, expected: 'pass: vary-star'},

	// RFC 9111 §7.3
	{what: 'Set-Cookie and max-age', response: 200, fields: {...maxAge, 'Set-Cookie': 'a=b'}, expected: 'store: stored'},
	{what: 'Set-Cookie and a guess', response: 200, fields: {...lastModified, 'Set-Cookie': 'a=b'}, expected: 'pass: set-cookie'},
	{what: 'Set-Cookie and a lifetime of the user\'s own', response: 200, fields: {'Set-Cookie': 'a=b'}, settings: ownLifetime, expected: 'pass: set-cookie'},
	{what: 'Set-Cookie, a lifetime of the user\'s own and public', response: 200, fields: {...cacheControl('public'), 'Set-Cookie': 'a=b'}, settings: ownLifetime, expected: 'store: stored'},
	{what: 'Set-Cookie, a lifetime of the user\'s own, and a max-age that the user ignores', response: 200, fields: {...maxAge, 'Set-Cookie': 'a=b'}, settings: {...ownLifetime, heedsCacheControl: false}, expected: 'pass: set-cookie'},
	{what: 'Set-Cookie, and a lifetime and a key of the user\'s own', response: 200, fields: {'Set-Cookie': 'a=b'}, settings: {...ownLifetime, hasOwnKey: true}, expected: 'store: stored'},
	{what: 'Set-Cookie and a key of the user\'s own', response: 200, fields: {...lastModified, 'Set-Cookie': 'a=b'}, settings: {hasOwnKey: true}, expected: 'pass: set-cookie'},
	{what: 'Set-Cookie and a lifetime of the user\'s own, private', response: 200, fields: {'Set-Cookie': 'a=b'}, settings: {...ownLifetime, ...privateSettings}, expected: 'store: stored'},
	{what: 'Set-Cookie and a guess, private', response: 200, fields: {...lastModified, 'Set-Cookie': 'a=b'}, settings: privateSettings, expected: 'store: stored'},

	// Credentials beside `Authorization`, and a lifetime that the user alone gives.
	...['cookie', 'x-api-key', 'proxy-authorization', 'x-auth-token'].flatMap((name): SettleRow[] => [
		{what: `${name} and max-age`, request: {[name]: 'a'}, response: 200, fields: maxAge, expected: 'store: stored'},
		{what: `${name} and a guess`, request: {[name]: 'a'}, response: 200, fields: lastModified, expected: 'store: stored'},
		{what: `${name} and a lifetime of the user's own`, request: {[name]: 'a'}, response: 200, settings: ownLifetime, expected: 'pass: credentials'},
		{what: `${name}, a lifetime of the user's own and Vary that names it`, request: {[name]: 'a'}, response: 200, fields: {Vary: `Accept, ${name}`}, settings: ownLifetime, expected: 'store: stored'},
		{what: `${name} that the user matches, and a lifetime of the user's own`, request: {[name]: 'a'}, response: 200, settings: {...ownLifetime, matchHeaders: [name]}, expected: 'store: stored'},
	]),
	{what: 'two credentials of which one selects, and a lifetime of the user\'s own', request: {cookie: 'a', 'x-api-key': 'b'}, response: 200, fields: {Vary: 'Cookie'}, settings: ownLifetime, expected: 'pass: credentials'},
	{what: 'Cookie, a lifetime of the user\'s own and public', request: {cookie: 'a'}, response: 200, fields: cacheControl('public'), settings: ownLifetime, expected: 'store: stored'},
	{what: 'Cookie, a lifetime of the user\'s own and a longer one', request: {cookie: 'a'}, response: 200, fields: maxAge, settings: ownLifetime, expected: 'store: stored'},
	{what: 'Cookie, a lifetime of the user\'s own, and public that the user ignores', request: {cookie: 'a'}, response: 200, fields: cacheControl('public, max-age=60'), settings: {...ownLifetime, heedsCacheControl: false}, expected: 'pass: credentials'},
	{what: 'Cookie, and a lifetime and a key of the user\'s own', request: {cookie: 'a'}, response: 200, settings: {...ownLifetime, hasOwnKey: true}, expected: 'store: stored'},
	{what: 'Cookie and a lifetime of the user\'s own, private', request: {cookie: 'a'}, response: 200, settings: {...ownLifetime, ...privateSettings}, expected: 'store: stored'},
	{what: 'a field that is no credential, and a lifetime of the user\'s own', request: {accept: 'a', 'x-key': 'b'}, response: 200, settings: ownLifetime, expected: 'store: stored'},

	// RFC 9110 §9.3.3
	{what: 'POST of its own representation', method: 'POST', response: 200, fields: {...maxAge, 'Content-Location': url}, decision: 'bypass: method', expected: 'store: stored'},
	{what: 'POST of its own representation, relative', method: 'POST', response: 200, fields: {...maxAge, 'Content-Location': '/items'}, decision: 'bypass: method', expected: 'store: stored'},
	{what: 'POST of another representation', method: 'POST', response: 200, fields: {...maxAge, 'Content-Location': '/items/1'}, decision: 'bypass: method', expected: 'pass: bypassed'},
	{what: 'POST without explicit freshness', method: 'POST', response: 200, fields: {...lastModified, 'Content-Location': url}, decision: 'bypass: method', expected: 'pass: bypassed'},
	{what: 'POST that failed', method: 'POST', response: 500, fields: {...maxAge, 'Content-Location': url}, decision: 'bypass: method', expected: 'pass: bypassed'},
	{what: 'POST of a user who stores it', method: 'POST', response: 200, fields: maxAge, settings: {methods: new Set(['POST'])}, expected: 'store: stored'},
];

/** RFC 9111 §4.3.3, §4.3.4, §4.3.5. */
const validating: readonly SettleRow[] = [
	{what: '304 with the same entity tag', stored: {...maxAge, ...etag}, after: 61, decision: 'validate: stale', response: 304, fields: etag, expected: 'freshen: not-modified'},
	{what: '304 without a validator', stored: {...maxAge, ...etag}, after: 61, response: 304, expected: 'freshen: not-modified'},
	{what: '304 with the same date', stored: {...maxAge, ...lastModified}, after: 61, response: 304, fields: lastModified, expected: 'freshen: not-modified'},
	{what: '304 with another entity tag', stored: {...maxAge, ...etag}, after: 61, response: 304, fields: {ETag: '"2"'}, expected: 'refetch: validator-mismatch'},
	{what: '304 with another date', stored: {...maxAge, ...lastModified}, after: 61, response: 304, fields: {'Last-Modified': date(-5)}, expected: 'refetch: validator-mismatch'},
	{what: '304 that weakens the entity tag', stored: {...maxAge, ...etag}, after: 61, response: 304, fields: {ETag: 'W/"1"'}, expected: 'freshen: not-modified'},
	{what: '304 that strengthens the entity tag', stored: {...maxAge, ETag: 'W/"1"'}, after: 61, response: 304, fields: etag, expected: 'freshen: not-modified'},
	{what: '304 that strengthens the entity tag, to a refresh in the background', stored: {...cacheControl('max-age=60, stale-while-revalidate=60'), ETag: 'W/"1"'}, after: 61, decision: 'reuse: stale-while-revalidate', response: 304, fields: etag, expected: 'freshen: not-modified'},
	{what: '304 with another entity tag than the weak one', stored: {...maxAge, ETag: 'W/"1"'}, after: 61, response: 304, fields: {ETag: '"2"'}, expected: 'refetch: validator-mismatch'},
	{what: '304 to a question about the missing part, with the same entity tag but weak', stored: firstPart, storedMore: part, response: 304, fields: {ETag: '"2"'}, decision: 'validate: range-incomplete', expected: 'refetch: validator-mismatch'},
	{what: '304 to a refresh in the background', stored: {...cacheControl('max-age=60, stale-while-revalidate=60'), ...etag}, after: 61, decision: 'reuse: stale-while-revalidate', response: 304, fields: etag, expected: 'freshen: not-modified'},
	{what: '304 to HEAD', method: 'HEAD', stored: {...maxAge, ...etag}, after: 61, response: 304, fields: etag, expected: 'freshen: not-modified'},
	{what: '304 though read-only', stored: {...maxAge, ...etag}, after: 61, response: 304, settings: {isReadOnly: true}, expected: 'freshen: not-modified'},
	{what: '304 to the caller', request: {'if-none-match': '"1"'}, stored: {...maxAge, ...etag}, after: 61, decision: 'fetch: own-conditional', response: 304, fields: etag, expected: 'pass: not-modified'},
	{what: '304 to the caller, nothing stored', request: {'if-none-match': '"1"'}, response: 304, fields: etag, expected: 'pass: not-modified'},
	{what: '200 to a validation', stored: {...maxAge, ...etag}, after: 61, response: 200, fields: {...maxAge, ETag: '"2"'}, expected: 'store: stored'},
	{what: '200 to a validation, not to be stored', stored: {...maxAge, ...etag}, after: 61, response: 200, fields: cacheControl('no-store'), expected: 'pass: no-store'},
	{what: '404 to a validation', stored: {...maxAge, ...etag}, after: 61, response: 404, fields: maxAge, expected: 'store: stored'},
	{what: '200 to HEAD', method: 'HEAD', stored: {...maxAge}, after: 61, response: 200, fields: maxAge, expected: 'pass: head'},
	{what: '410 to HEAD', method: 'HEAD', stored: {...maxAge}, after: 61, response: 410, fields: maxAge, expected: 'pass: head'},
];

/** RFC 9111 §4.2.4, RFC 5861 §4. */
const failing: readonly SettleRow[] = [
	...[500, 502, 503, 504].map((response): SettleRow => ({what: `${response} within stale-if-error`, stored: cacheControl('max-age=60, stale-if-error=60'), after: 120, response, expected: 'reuse-stale: error-status'})),
	{what: '503 beyond stale-if-error', stored: cacheControl('max-age=60, stale-if-error=60'), after: 121, response: 503, expected: 'pass: not-explicit'},
	{what: '501 within stale-if-error', stored: cacheControl('max-age=60, stale-if-error=60'), after: 61, response: 501, expected: 'pass: not-reusable'},
	{what: '503 without stale-if-error', stored: maxAge, after: 61, response: 503, expected: 'pass: not-explicit'},
	{what: '503 to a validation', stored: {...cacheControl('max-age=60, stale-if-error=60'), ...etag}, after: 61, decision: 'validate: stale', response: 503, expected: 'reuse-stale: error-status'},
	{what: '503, by the user\'s word', stored: maxAge, after: 9999, settings: {staleIfError: true}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '429', stored: maxAge, after: 61, settings: {staleIfError: true}, response: 429, expected: 'pass: status'},
	{what: '429, among the user\'s failures', stored: maxAge, after: 160, settings: {staleIfError: 100, failureStatusCodes: new Set([429])}, response: 429, fields: {'Retry-After': '60'}, expected: 'reuse-stale: error-status'},
	{what: '429, among the user\'s failures, too late', stored: maxAge, after: 161, settings: {staleIfError: 100, failureStatusCodes: new Set([429])}, response: 429, expected: 'pass: status'},
	{what: '503, not among the user\'s failures', stored: {...cacheControl('max-age=60, stale-if-error=60')}, after: 61, settings: {staleIfError: true, failureStatusCodes: new Set([429])}, response: 503, expected: 'pass: not-explicit'},
	{what: '429 for a stored 429, among the user\'s failures', stored: maxAge, storedMore: {statusCode: 429, settings: {statusCodes: new Set([429])}}, after: 61, settings: {statusCodes: new Set([429]), staleIfError: true, failureStatusCodes: new Set([429])}, response: 429, fields: maxAge, expected: 'store: stored'},
	{what: '503, for as long as the user says', stored: maxAge, after: 160, settings: {staleIfError: 100}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503, for longer than the user says', stored: cacheControl('max-age=60, stale-if-error=9999'), after: 161, settings: {staleIfError: 100}, response: 503, expected: 'pass: not-explicit'},
	{what: '503, by the request\'s word', stored: maxAge, after: 100, request: {'cache-control': 'stale-if-error=60'}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503, by the request\'s word, though it sets max-age', stored: {...maxAge, ...etag}, after: 61, request: {'cache-control': 'max-age=10, stale-if-error=60'}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503, against the request\'s word', stored: cacheControl('max-age=60, stale-if-error=60'), after: 61, request: {'cache-control': 'stale-if-error=0'}, response: 503, expected: 'pass: not-explicit'},
	{what: '503 that may itself be stored', stored: maxAge, after: 61, response: 503, fields: maxAge, expected: 'store: stored'},
	{what: 'a stored failure is no better', stored: maxAge, storedMore: {statusCode: 500}, after: 61, settings: {staleIfError: true}, response: 503, expected: 'pass: not-explicit'},
	{what: 'a stored 404 is', stored: maxAge, storedMore: {statusCode: 404}, after: 61, settings: {staleIfError: true}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503 when revalidation is always asked for', stored: {...maxAge, ...etag}, settings: {staleIfError: true, alwaysRevalidates: true}, response: 503, expected: 'reuse-stale: error-status'},
	...['no-cache', 'max-age=10', 'min-fresh=100'].map((directive): SettleRow => ({what: `503 to request ${directive}`, stored: {...maxAge, ...etag}, after: 61, request: {'cache-control': directive}, settings: {staleIfError: true}, response: 503, expected: 'pass: not-explicit'})),
	{what: '503 to request max-age and max-stale', stored: {...maxAge, ...etag}, after: 161, request: {'cache-control': 'max-age=9999, max-stale=100'}, settings: {staleIfError: true}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503 in mode no-cache', stored: {...maxAge, ...etag}, after: 61, settings: {staleIfError: true, mode: 'no-cache'}, response: 503, expected: 'pass: not-explicit'},
	{what: '503 to the caller\'s precondition', request: {'if-none-match': '"0"'}, stored: {...maxAge, ...etag}, after: 61, settings: {staleIfError: true}, response: 503, expected: 'reuse-stale: error-status'},
	{what: '503, of bytes that are not stored', request: {range: 'bytes=5-9'}, stored: firstPart, storedMore: part, settings: {staleIfError: true}, response: 503, expected: 'pass: not-explicit'},

	...(['network-error', 'timeout'] as const).flatMap((response): SettleRow[] => [
		{what: response, stored: maxAge, after: 9999, response, expected: `reuse-stale: ${response}`},
		{what: `${response}, of what could be validated`, stored: {...maxAge, ...etag}, after: 9999, response, expected: `reuse-stale: ${response}`},
		{what: `${response}, nothing stored`, response, expected: 'pass: error'},
		{what: `${response}, no part taken`, method: 'POST', stored: maxAge, decision: 'bypass: method', response, expected: 'pass: error'},
		{what: `${response} in mode reload`, stored: maxAge, settings: {mode: 'reload'}, response, expected: 'pass: error'},
		{what: `${response}, of a user who goes by the response`, stored: maxAge, after: 61, settings: {staleIfError: false}, response, expected: 'pass: error'},
		{what: `${response} within stale-if-error, of a user who goes by the response`, stored: cacheControl('max-age=60, stale-if-error=60'), after: 61, settings: {staleIfError: false}, response, expected: `reuse-stale: ${response}`},
		...['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'].map((directive): SettleRow => ({what: `${response} and ${directive}`, stored: {...cacheControl(`max-age=60, stale-if-error=9999, ${directive}`), ...etag}, after: 61, settings: {staleIfError: true}, response, expected: 'pass: error'})),
		...['proxy-revalidate', 's-maxage=60'].map((directive): SettleRow => ({what: `${response} and ${directive}, private`, stored: cacheControl(`max-age=60, ${directive}`), storedMore: {settings: privateSettings}, after: 61, settings: privateSettings, response, expected: `reuse-stale: ${response}`})),
	]),
];

/** RFC 9111 §3.3, §3.4. */
const partial: readonly SettleRow[] = [
	{what: '206', request: {range: 'bytes=0-4'}, response: 206, fields: firstPart, expected: 'store: stored'},
	{what: '206 without a validator', request: {range: 'bytes=0-4'}, response: 206, fields: {...maxAge, 'Content-Range': 'bytes 0-4/10'}, expected: 'store: stored'},
	{what: '206 of several parts', request: {range: 'bytes=0-1, 4-5'}, response: 206, fields: {...maxAge, 'Content-Type': 'multipart/byteranges; boundary=x'}, expected: 'pass: partial'},
	...['bytes 0-4/*', 'bytes */10', 'bytes 4-0/10', 'bytes 0-10/10', 'items 0-4/10', 'bytes 0-4'].map((contentRange): SettleRow => ({what: `206 with Content-Range: ${contentRange}`, request: {range: 'bytes=0-4'}, response: 206, fields: {...maxAge, 'Content-Range': contentRange}, expected: 'pass: partial'})),
	{what: 'the rest of what is stored', stored: firstPart, storedMore: part, decision: 'validate: range-incomplete', response: 206, fields: lastPart, expected: 'combine: combined'},
	{what: 'the rest, of another entity tag', stored: firstPart, storedMore: part, response: 206, fields: {...lastPart, ETag: '"2"'}, expected: 'refetch: validator-mismatch'},
	{what: 'the rest, without an entity tag', stored: firstPart, storedMore: part, response: 206, fields: {...maxAge, 'Content-Range': 'bytes 5-9/10'}, expected: 'refetch: validator-mismatch'},
	{what: 'the rest, of another length', stored: firstPart, storedMore: part, response: 206, fields: {...lastPart, 'Content-Range': 'bytes 5-19/20'}, expected: 'refetch: validator-mismatch'},
	{what: 'the rest, with a gap', stored: firstPart, storedMore: part, response: 206, fields: {...lastPart, 'Content-Range': 'bytes 6-9/10'}, expected: 'refetch: validator-mismatch'},
	{what: 'no rest', stored: firstPart, storedMore: part, response: 416, expected: 'refetch: validator-mismatch'},
	{what: 'the whole instead of the rest', stored: firstPart, storedMore: part, response: 200, fields: {...maxAge, ...etag}, expected: 'store: stored'},
	{what: 'a failure instead of the rest', stored: firstPart, storedMore: part, response: 503, expected: 'pass: not-explicit'},
	{what: 'another part', request: {range: 'bytes=5-9'}, stored: firstPart, storedMore: part, decision: 'fetch: range-not-stored', response: 206, fields: lastPart, expected: 'combine: combined'},
	{what: 'another part, of another state', request: {range: 'bytes=5-9'}, stored: firstPart, storedMore: part, response: 206, fields: {...lastPart, ETag: '"2"'}, expected: 'store: stored'},
	{what: 'a part of a whole that is stored, strongly', request: {range: 'bytes=5-9'}, stored: {...maxAge, ...etag}, after: 61, response: 206, fields: lastPart, expected: 'combine: combined'},
	{what: 'a part of a whole that is stored, weakly', request: {range: 'bytes=5-9'}, stored: {...maxAge, ETag: 'W/"1"'}, after: 61, response: 206, fields: {...lastPart, ETag: 'W/"1"'}, expected: 'pass: partial'},
	{what: 'a part of another whole', request: {range: 'bytes=5-9'}, stored: {...maxAge, ETag: 'W/"1"'}, after: 61, response: 206, fields: {...lastPart, ETag: 'W/"2"'}, expected: 'store: stored'},
];

/** What only a caller that did not heed the decision brings about: the rules hold all the same. */
const unheeded: readonly SettleRow[] = [
	{what: 'a response to a method that is not stored', method: 'PATCH', decision: 'fetch: not-stored', response: 200, fields: maxAge, expected: 'pass: method'},
	{what: 'a response to a request that must not be stored', request: {'cache-control': 'no-store'}, decision: 'fetch: not-stored', response: 200, fields: maxAge, expected: 'pass: request-no-store'},
];

export const settleTable: readonly SettleRow[] = [...storing, ...validating, ...failing, ...partial, ...unheeded];
