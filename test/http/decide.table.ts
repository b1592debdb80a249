import type {Decision} from '../../source/http/decision.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import type {Settings} from '../../source/http/settings.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
import {
	date,
	privateSettings,
	requestWith,
	storedWith,
	type Fields,
	type StoreOptions,
} from './helpers.ts';

export type DecideRow = {
	readonly what: string;
	/** The header fields that the response was stored with. */
	readonly stored?: Fields;
	readonly storedMore?: StoreOptions;
	readonly storedPolicy?: Partial<StoredResponse['policy']>;
	readonly after?: number;
	readonly request?: HeaderFields;
	readonly method?: string;
	readonly settings?: Partial<Settings>;
	readonly expected: `${Decision['kind']}: ${Decision['reason']}`;
	/** The header fields that are added to the request. */
	readonly added?: HeaderFields;
};

const etag = {ETag: '"1"'};
const lastModified = {'Last-Modified': date(-1000)};
const maxAge = {'Cache-Control': 'max-age=60'};
const cacheControl = (value: string): HeaderFields => ({'cache-control': value});
const part: StoreOptions = {statusCode: 206, body: '01234'};

export const decideTable: readonly DecideRow[] = [
	// RFC 9111 §4: what is stored
	{what: 'nothing', expected: 'fetch: not-stored'},
	{what: 'fresh', stored: maxAge, after: 59, expected: 'reuse: fresh'},
	{what: 'no longer fresh, at the very second', stored: {...maxAge, ...etag}, after: 60, expected: 'validate: stale', added: {'if-none-match': '"1"'}},
	{what: 'stale, with a date', stored: {...maxAge, ...lastModified}, after: 61, expected: 'validate: stale', added: {'if-modified-since': date(-1000)}},
	{what: 'stale, with both', stored: {...maxAge, ...etag, ...lastModified}, after: 61, expected: 'validate: stale', added: {'if-none-match': '"1"', 'if-modified-since': date(-1000)}},
	{what: 'stale, with a weak entity tag', stored: {...maxAge, ETag: 'W/"1"'}, after: 61, expected: 'validate: stale', added: {'if-none-match': 'W/"1"'}},
	{what: 'stale, with a date that is none', stored: {...maxAge, 'Last-Modified': 'yesterday'}, after: 61, expected: 'fetch: no-validator'},
	{what: 'stale, without a validator', stored: maxAge, after: 61, expected: 'fetch: no-validator'},
	{what: 'stale on arrival, by Age', stored: {...maxAge, ...etag, Age: '60'}, expected: 'validate: stale'},
	{what: 'stored by a private cache', stored: maxAge, storedMore: {settings: privateSettings}, expected: 'fetch: not-stored'},
	{what: 'stored by a shared cache', stored: maxAge, settings: privateSettings, expected: 'fetch: not-stored'},

	// Methods
	{what: 'HEAD of a stored GET', stored: maxAge, method: 'HEAD', expected: 'reuse: fresh'},
	{what: 'HEAD of a stored HEAD', stored: maxAge, storedMore: {request: requestWith({}, 'HEAD'), body: ''}, method: 'HEAD', expected: 'reuse: fresh'},
	{what: 'GET of a stored HEAD', stored: maxAge, storedMore: {request: requestWith({}, 'HEAD'), body: ''}, expected: 'fetch: not-stored'},
	{what: 'QUERY of a stored QUERY', stored: maxAge, storedMore: {request: requestWith({}, 'QUERY')}, method: 'QUERY', expected: 'reuse: fresh'},
	{what: 'QUERY of a stored GET', stored: maxAge, method: 'QUERY', expected: 'fetch: not-stored'},
	{what: 'POST', stored: maxAge, method: 'POST', expected: 'bypass: method'},
	{what: 'OPTIONS', stored: maxAge, method: 'OPTIONS', expected: 'bypass: method'},
	{what: 'a method that the user left out', stored: maxAge, method: 'HEAD', settings: {methods: new Set(['GET'])}, expected: 'bypass: method'},
	{what: 'POST, only from the cache', stored: maxAge, method: 'POST', request: cacheControl('only-if-cached'), expected: 'unavailable: only-if-cached'},
	{what: 'a method that the user put in', method: 'POST', settings: {methods: new Set(['POST'])}, expected: 'fetch: not-stored'},

	// RFC 9111 §4.1
	{what: 'the same variant', stored: {...maxAge, Vary: 'Foo'}, storedMore: {request: requestWith({foo: '1'})}, request: {foo: '1'}, expected: 'reuse: fresh'},
	{what: 'another variant', stored: {...maxAge, Vary: 'Foo'}, storedMore: {request: requestWith({foo: '1'})}, request: {foo: '2'}, expected: 'fetch: vary-mismatch'},
	{what: 'a variant whose field is absent', stored: {...maxAge, Vary: 'Foo'}, storedMore: {request: requestWith({foo: '1'})}, expected: 'fetch: vary-mismatch'},
	{what: 'a variant that had no such field', stored: {...maxAge, Vary: 'Foo'}, request: {foo: ''}, expected: 'fetch: vary-mismatch'},
	{what: 'a field that the user selects by', stored: maxAge, storedMore: {request: requestWith({foo: '1'}), settings: {matchHeaders: ['foo']}}, request: {foo: '2'}, settings: {matchHeaders: ['foo']}, expected: 'fetch: not-stored'},
	{what: 'a field that the user selects by, of a response that varies by another', stored: {...maxAge, Vary: 'Bar'}, storedMore: {request: requestWith({foo: '1', bar: '1'}), settings: {matchHeaders: ['foo']}}, request: {foo: '2', bar: '1'}, settings: {matchHeaders: ['foo']}, expected: 'fetch: not-stored'},
	{what: 'another variant, beside a field that the user selects by', stored: {...maxAge, Vary: 'Bar'}, storedMore: {request: requestWith({foo: '1', bar: '1'}), settings: {matchHeaders: ['foo']}}, request: {foo: '1', bar: '2'}, settings: {matchHeaders: ['foo']}, expected: 'fetch: vary-mismatch'},

	// RFC 9111 §5.2.2
	{what: 'no-cache', stored: {'Cache-Control': 'max-age=60, no-cache', ...etag}, expected: 'validate: no-cache', added: {'if-none-match': '"1"'}},
	{what: 'no-cache of one field', stored: {'Cache-Control': 'max-age=60, no-cache="a"'}, expected: 'reuse: fresh'},
	{what: 'must-revalidate, fresh', stored: {'Cache-Control': 'max-age=60, must-revalidate'}, expected: 'reuse: fresh'},
	{what: 'must-revalidate, stale', stored: {'Cache-Control': 'max-age=60, must-revalidate, stale-while-revalidate=60', ...etag}, after: 61, request: cacheControl('max-stale'), expected: 'validate: stale'},
	{what: 's-maxage, stale', stored: {'Cache-Control': 's-maxage=60', ...etag}, after: 61, request: cacheControl('max-stale'), expected: 'validate: stale'},
	{what: 'Pragma in the response', stored: {Pragma: 'no-cache', ...etag, ...lastModified}, expected: 'validate: no-cache'},

	// RFC 9111 §4.4
	{what: 'invalidated, though fresh', stored: {...maxAge, ...etag}, storedPolicy: {isInvalidated: true}, expected: 'validate: invalidated'},
	{what: 'invalidated, whatever the mode', stored: {...maxAge, ...etag}, storedPolicy: {isInvalidated: true}, settings: {mode: 'force-cache'}, expected: 'validate: invalidated'},

	// RFC 9111 §5.2.1
	{what: 'request no-store', stored: maxAge, request: cacheControl('no-store'), expected: 'bypass: no-store'},
	{what: 'request no-cache', stored: {...maxAge, ...etag}, request: cacheControl('No-Cache'), expected: 'validate: request-no-cache'},
	{what: 'request no-cache, of an immutable response', stored: {'Cache-Control': 'max-age=60, immutable', ...etag}, request: cacheControl('no-cache'), expected: 'validate: request-no-cache'},
	{what: 'Pragma in the request', stored: {...maxAge, ...etag}, request: {pragma: 'no-cache'}, expected: 'validate: request-no-cache'},
	{what: 'Pragma beside Cache-Control', stored: {...maxAge, ...etag}, request: {pragma: 'no-cache', 'cache-control': 'foo'}, expected: 'reuse: fresh'},
	{what: 'request max-age, too old', stored: {...maxAge, ...etag}, after: 11, request: cacheControl('max-age=10'), expected: 'validate: request-max-age'},
	{what: 'request max-age, by Age', stored: {'Cache-Control': 'max-age=3600', ...etag, Age: '1800'}, request: cacheControl('max-age=600'), expected: 'validate: request-max-age'},
	{what: 'request max-age, young enough', stored: maxAge, after: 10, request: cacheControl('max-age=10'), expected: 'reuse: fresh'},
	{what: 'request max-age=0', stored: {...maxAge, ...etag}, after: 1, request: cacheControl('max-age=0'), expected: 'validate: request-max-age'},
	{what: 'request max-age that is no number', stored: {...maxAge, ...etag}, after: 1, request: cacheControl('max-age=x'), expected: 'validate: request-max-age'},
	{what: 'request min-fresh, not met', stored: {...maxAge, ...etag}, after: 31, request: cacheControl('min-fresh=30'), expected: 'validate: request-min-fresh'},
	{what: 'request min-fresh, met', stored: maxAge, after: 30, request: cacheControl('min-fresh=30'), expected: 'reuse: fresh'},
	{what: 'request max-stale', stored: maxAge, after: 1000, request: cacheControl('max-stale'), expected: 'reuse: max-stale'},
	{what: 'request max-stale, just within', stored: maxAge, after: 70, request: cacheControl('max-stale=10'), expected: 'reuse: max-stale'},
	{what: 'request max-stale, beyond', stored: {...maxAge, ...etag}, after: 71, request: cacheControl('max-stale=10'), expected: 'validate: stale'},
	{what: 'request max-stale that is no number', stored: {...maxAge, ...etag}, after: 61, request: cacheControl('max-stale=x'), expected: 'validate: stale'},
	{what: 'request max-stale with max-age', stored: maxAge, after: 70, request: cacheControl('max-stale=10, max-age=80'), expected: 'reuse: max-stale'},
	{what: 'request only-if-cached, fresh', stored: maxAge, request: cacheControl('only-if-cached'), expected: 'reuse: fresh'},
	{what: 'request only-if-cached, stale', stored: {...maxAge, ...etag}, after: 61, request: cacheControl('only-if-cached'), expected: 'unavailable: only-if-cached'},
	{what: 'request only-if-cached, nothing stored', request: cacheControl('only-if-cached'), expected: 'unavailable: only-if-cached'},
	{what: 'request only-if-cached and max-stale', stored: maxAge, after: 61, request: cacheControl('only-if-cached, max-stale'), expected: 'reuse: max-stale'},

	// RFC 5861 §3
	{what: 'stale-while-revalidate', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=30', ...etag}, after: 89, expected: 'reuse: stale-while-revalidate', added: {'if-none-match': '"1"'}},
	{what: 'stale-while-revalidate, without a validator', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=30'}, after: 61, expected: 'reuse: stale-while-revalidate', added: {}},
	{what: 'stale-while-revalidate, over', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=30', ...etag}, after: 90, expected: 'validate: stale'},
	{what: 'stale-while-revalidate, but the request sets max-age', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=30', ...etag}, after: 61, request: cacheControl('max-age=100'), expected: 'validate: stale'},
	{what: 'stale-while-revalidate, by the user\'s word', stored: {...maxAge, ...etag}, after: 9999, settings: {staleWhileRevalidate: true}, expected: 'reuse: stale-while-revalidate'},
	{what: 'stale-while-revalidate, for as long as the user says', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=99', ...etag}, after: 71, settings: {staleWhileRevalidate: 10}, expected: 'validate: stale'},

	// RFC 8246
	{what: 'immutable, of a reload', stored: {'Cache-Control': 'max-age=60, immutable', ...etag}, after: 1, request: cacheControl('max-age=0'), expected: 'reuse: immutable'},
	{what: 'immutable, of the mode no-cache', stored: {'Cache-Control': 'max-age=60, immutable', ...etag}, settings: {mode: 'no-cache'}, expected: 'reuse: immutable'},
	{what: 'immutable, stale', stored: {'Cache-Control': 'max-age=60, immutable', ...etag}, after: 61, request: cacheControl('max-age=0'), expected: 'validate: request-max-age'},

	// Modes, https://fetch.spec.whatwg.org/#concept-request-cache-mode
	{what: 'request no-store, only from the cache', stored: maxAge, request: cacheControl('no-store, only-if-cached'), expected: 'unavailable: only-if-cached'},
	{what: 'lifetime no-store', stored: maxAge, settings: {lifetimes: {ofCache: 'no-store', hasNoStore: true}}, expected: 'bypass: no-store'},
	{what: 'lifetime no-store of the URL', stored: maxAge, settings: {lifetimes: {ofUrl: () => 'no-store', ofCache: 60, hasNoStore: true}}, expected: 'bypass: no-store'},
	{what: 'lifetime of the request, no-store of the URL', stored: maxAge, settings: {lifetimes: {ofRequest: 60, ofUrl: () => 'no-store', hasNoStore: true}}, expected: 'reuse: fresh'},
	{what: 'lifetime no-store, mode force-cache', stored: maxAge, settings: {mode: 'force-cache', lifetimes: {ofCache: 'no-store', hasNoStore: true}}, expected: 'bypass: no-store'},
	{what: 'lifetime no-store, only from the cache', stored: maxAge, request: cacheControl('only-if-cached'), settings: {lifetimes: {ofCache: 'no-store', hasNoStore: true}}, expected: 'unavailable: only-if-cached'},
	{what: 'lifetime no-store by a function', stored: maxAge, settings: {lifetimes: {ofCache: () => 'no-store'}}, expected: 'reuse: fresh'},
	{what: 'mode no-store', stored: maxAge, settings: {mode: 'no-store'}, expected: 'bypass: no-store'},
	{what: 'mode reload', stored: {...maxAge, ...etag}, settings: {mode: 'reload'}, expected: 'fetch: reload'},
	{what: 'mode no-cache', stored: {...maxAge, ...etag}, settings: {mode: 'no-cache'}, expected: 'validate: request-no-cache'},
	{what: 'mode force-cache, fresh', stored: maxAge, settings: {mode: 'force-cache'}, expected: 'reuse: fresh'},
	{what: 'mode force-cache, stale', stored: {'Cache-Control': 'max-age=60, must-revalidate'}, after: 61, settings: {mode: 'force-cache'}, expected: 'reuse: force-cache'},
	{what: 'mode force-cache, nothing stored', settings: {mode: 'force-cache'}, expected: 'fetch: not-stored'},
	{what: 'mode only-if-cached, stale', stored: maxAge, after: 61, settings: {mode: 'only-if-cached'}, expected: 'reuse: only-if-cached'},
	{what: 'mode only-if-cached, nothing stored', settings: {mode: 'only-if-cached'}, expected: 'unavailable: only-if-cached'},
	// Switches of an operator
	{what: 'frozen, fresh', stored: maxAge, settings: {originSwitch: 'freeze'}, expected: 'reuse: fresh'},
	{what: 'frozen, stale', stored: {...maxAge, ...etag}, after: 61, settings: {originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, softly purged', stored: {...maxAge, ...etag}, storedPolicy: {isInvalidated: true}, settings: {originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, within stale-while-revalidate', stored: {'Cache-Control': 'max-age=60, stale-while-revalidate=60'}, after: 61, settings: {originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, must-revalidate that was once fresh for all', stored: {'Cache-Control': 'max-age=60, must-revalidate'}, after: 61, settings: {originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, must-revalidate that was never fresh', stored: {'Cache-Control': 'max-age=0, must-revalidate', ...etag}, settings: {originSwitch: 'freeze'}, expected: 'unavailable: frozen'},
	{what: 'frozen, no-cache', stored: {'Cache-Control': 'max-age=60, no-cache', ...etag}, settings: {originSwitch: 'freeze'}, expected: 'unavailable: frozen'},
	{what: 'frozen, no-cache, of a private cache', stored: {'Cache-Control': 'max-age=60, no-cache', ...etag}, storedMore: {settings: privateSettings}, settings: {...privateSettings, originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, no-cache, mode force-cache', stored: {'Cache-Control': 'max-age=60, no-cache', ...etag}, settings: {mode: 'force-cache', originSwitch: 'freeze'}, expected: 'reuse: force-cache'},
	{what: 'frozen, nothing stored', settings: {originSwitch: 'freeze'}, expected: 'unavailable: frozen'},
	{what: 'frozen, another variant stored', stored: {...maxAge, Vary: 'accept-language'}, storedMore: {request: requestWith({'accept-language': 'de'})}, request: {'accept-language': 'en'}, settings: {originSwitch: 'freeze'}, expected: 'unavailable: frozen'},
	{what: 'frozen, a range that is not stored', stored: maxAge, request: {range: 'bytes=0-1, 4-5'}, settings: {originSwitch: 'freeze'}, expected: 'unavailable: frozen'},
	{what: 'frozen, mode reload', stored: maxAge, settings: {mode: 'reload', originSwitch: 'freeze'}, expected: 'reuse: fresh'},
	{what: 'frozen, request no-cache', stored: maxAge, after: 61, request: cacheControl('no-cache'), settings: {originSwitch: 'freeze'}, expected: 'reuse: frozen'},
	{what: 'frozen, request only-if-cached, nothing stored', request: cacheControl('only-if-cached'), settings: {originSwitch: 'freeze'}, expected: 'unavailable: only-if-cached'},
	{what: 'frozen, another method', method: 'POST', settings: {originSwitch: 'freeze'}, expected: 'bypass: method'},
	{what: 'frozen, request no-store', stored: maxAge, request: cacheControl('no-store'), settings: {originSwitch: 'freeze'}, expected: 'bypass: no-store'},
	{what: 'bypassed', stored: maxAge, settings: {originSwitch: 'bypass'}, expected: 'bypass: bypassed-by-operator'},
	{what: 'bypassed, nothing stored', settings: {originSwitch: 'bypass'}, expected: 'bypass: bypassed-by-operator'},
	{what: 'bypassed, request only-if-cached', stored: maxAge, request: cacheControl('only-if-cached'), settings: {originSwitch: 'bypass'}, expected: 'unavailable: only-if-cached'},
	{what: 'alwaysRevalidate', stored: {...maxAge, ...etag}, settings: {alwaysRevalidates: true}, expected: 'validate: always-revalidate'},

	// Preconditions of the caller's own, RFC 9111 §4.3.2
	{what: 'If-None-Match, fresh', stored: {...maxAge, ...etag}, request: {'if-none-match': '"1"'}, expected: 'reuse: fresh'},
	{what: 'If-None-Match, stale', stored: {...maxAge, ...etag}, after: 61, request: {'if-none-match': '"0"'}, expected: 'fetch: own-conditional'},
	{what: 'If-Modified-Since, stale', stored: {...maxAge, ...lastModified}, after: 61, request: {'if-modified-since': date(-1000)}, expected: 'fetch: own-conditional'},
	{what: 'If-None-Match, nothing stored', request: {'if-none-match': '"1"'}, expected: 'fetch: not-stored'},

	// Ranges, RFC 9110 §14
	{what: 'a range of the whole', stored: maxAge, request: {range: 'bytes=0-1'}, expected: 'reuse: fresh'},
	{what: 'a range beyond the whole', stored: maxAge, request: {range: 'bytes=100-'}, expected: 'reuse: fresh'},
	{what: 'a range beyond the whole, stale', stored: {...maxAge, ...etag}, after: 61, request: {range: 'bytes=100-'}, expected: 'validate: stale'},
	{what: 'several ranges', stored: maxAge, request: {range: 'bytes=0-1, 4-5'}, expected: 'fetch: range-not-stored'},
	{what: 'a range of a part', stored: {...maxAge, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, request: {range: 'bytes=1-3'}, expected: 'reuse: fresh'},
	{what: 'a range of a part, stale', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, after: 61, request: {range: 'bytes=1-3'}, expected: 'validate: stale', added: {'if-none-match': '"1"'}},
	{what: 'a range that reaches beyond a part', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, request: {range: 'bytes=3-7'}, expected: 'fetch: range-not-stored'},
	{what: 'the whole of a first part', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, expected: 'validate: range-incomplete', added: {range: 'bytes=5-', 'if-range': '"1"'}},
	{what: 'the whole of a last part', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 5-9/10'}, storedMore: part, expected: 'validate: range-incomplete', added: {range: 'bytes=0-4', 'if-range': '"1"'}},
	{what: 'the whole of a part by its date', stored: {...maxAge, ...lastModified, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, expected: 'validate: range-incomplete', added: {range: 'bytes=5-', 'if-range': date(-1000)}},
	{what: 'the whole of a middle part', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 2-6/10'}, storedMore: part, expected: 'fetch: range-not-stored'},
	{what: 'the whole of a part without a strong validator', stored: {...maxAge, ETag: 'W/"1"', 'Content-Range': 'bytes 0-4/10'}, storedMore: part, expected: 'fetch: range-not-stored'},
	{what: 'HEAD of a part', stored: {...maxAge, ...etag, 'Content-Range': 'bytes 0-4/10'}, storedMore: part, method: 'HEAD', expected: 'fetch: range-not-stored'},
	{what: 'a range that is not read for HEAD', stored: maxAge, method: 'HEAD', request: {range: 'bytes=0-1'}, expected: 'reuse: fresh'},
];

export const storedOf = ({stored, storedMore, storedPolicy}: DecideRow): StoredResponse | undefined => {
	if (stored === undefined) {
		return undefined;
	}

	const response = storedWith(stored, storedMore);

	return {...response, policy: {...response.policy, ...storedPolicy}};
};
