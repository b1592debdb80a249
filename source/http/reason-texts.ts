import type {Decision} from './decision.ts';
import type {PassReason} from './outcome.ts';

/*
The closed reasons of decisions and refusals in sentences, with the sections of the standards that demand them. `docs/reasons.md` has the same advice for readers, which a test compares.
*/

export type ReasonText = {
	/** A whole sentence. */
	readonly text: string;
	/** The section that the rule is from, such as `RFC 9111 §4.2`; `undefined` for a rule of this cache. */
	readonly rfc?: string;
	/** The way to another result, in a sentence; `undefined` if nothing is wrong. */
	readonly mend?: string;
};

/** Reasons of decisions. */
export const decisionTexts: Readonly<Record<Decision['reason'], ReasonText>> = {
	disabled: {text: 'The cache takes no part: the option `disabled` is set.', mend: 'Leave the option `disabled` out, and `cache: false`.'},
	filtered: {text: 'The cache takes no part: the option `filter` leaves the request out.', mend: 'The function `filter` decides it.'},
	method: {
		text: 'The cache takes no part: the method is not one of the option `methods`.',
		mend: 'Add the method to the option `methods`, if such requests change nothing.',
	},
	'no-store': {
		text: 'The cache takes no part: the request has `Cache-Control: no-store`, or an option sets the lifetime or the mode \'no-store\'.',
		rfc: 'RFC 9111 §5.2.1.5',
		mend: 'Leave `no-store` out of the request and of the options `mode`, `expireAfter` and `urlsExpireAfter`.',
	},
	'unkeyable-body': {
		text: 'The cache takes no part: the content of the request can be read only once.',
		mend: 'Give the content as a string, bytes, `json` or `form`.',
	},
	'other-cache': {text: 'The cache takes no part: got\'s own option `cache` is set.', mend: 'Leave got\'s own option `cache` out.'},
	'changing-request': {
		text: 'The cache takes no part: the request was changed while it was looked up.',
		mend: 'Change the request in a `beforeRequest` hook, and not after it.',
	},
	'bypassed-by-operator': {
		text: 'The cache takes no part: an operator has called `bypass()` for the origin.',
		mend: 'End it with `cache.thaw()` or `got-redis-cache thaw`, or wait for its end.',
	},
	'not-stored': {
		text: 'Nothing is stored that could answer this request.',
		rfc: 'RFC 9111 §4',
		mend: 'Nothing for a first request; later, see why the last response was not stored, whether it was purged, and whether the requests have the same key.',
	},
	'vary-mismatch': {
		text: 'Variants are stored, but none for the values that this request has in the fields that `Vary` names.',
		rfc: 'RFC 9111 §4.1',
		mend: 'Nothing for the first request with these values; if each has its own, send fewer of the fields, or have the origin name fewer in `Vary`.',
	},
	reload: {text: 'The mode \'reload\' asks the origin whatever is stored.', mend: 'Leave the mode \'reload\' out.'},
	'no-validator': {
		text: 'The stored response may not be used as it is, and has neither `ETag` nor `Last-Modified` to validate it with: the origin is asked for the whole.',
		rfc: 'RFC 9111 §4.3.1',
		mend: 'Send an `ETag` or `Last-Modified`, or a longer lifetime.',
	},
	'own-conditional': {
		text: 'The stored response may not be used as it is, and the request has a precondition of its own, such as `If-None-Match`.',
		rfc: 'RFC 9111 §4.3.1',
		mend: 'Leave the precondition to the cache, which adds its own.',
	},
	'range-not-stored': {
		text: 'The request asks for bytes that are not stored.',
		rfc: 'RFC 9111 §3.3',
		mend: 'Ask for the whole once: parts are answered from it.',
	},
	fresh: {text: 'The stored response is fresh.', rfc: 'RFC 9111 §4.2'},
	immutable: {text: 'The stored response is fresh and immutable: a reload would find the same.', rfc: 'RFC 8246 §2'},
	'max-stale': {text: 'The stored response is stale, and the request accepts that with `max-stale`.', rfc: 'RFC 9111 §5.2.1.2'},
	'stale-while-revalidate': {text: 'The stored response is stale, and answers while it is refreshed in the background.', rfc: 'RFC 5861 §3'},
	'force-cache': {text: 'The stored response is stale or must be validated, and the mode \'force-cache\' accepts that.'},
	'only-if-cached': {
		text: 'The origin must not be asked: the request, the option `onlyIfCached` or the mode \'only-if-cached\' forbids it.',
		rfc: 'RFC 9111 §5.2.1.7',
		mend: 'Leave out the one of them that is set, or have the response stored before.',
	},
	frozen: {
		text: 'The origin must not be asked: an operator has called `freeze()` for it. A stored response answers, however stale it is.',
		mend: 'End it with `cache.thaw()` or `got-redis-cache thaw`, or wait for its end.',
	},
	stale: {
		text: 'The stored response is no longer fresh: the origin is asked whether it still holds.',
		rfc: 'RFC 9111 §4.2.4',
		mend: 'Send a longer lifetime, or set one with the option `expireAfter`; `staleWhileRevalidate` answers at once and asks in the background.',
	},
	'no-cache': {
		text: 'The stored response has `no-cache`: the origin is asked whether it still holds before each use.',
		rfc: 'RFC 9111 §5.2.2.4',
		mend: 'Send `max-age` in place of `no-cache`, if the response may be used without asking.',
	},
	invalidated: {
		text: 'The stored response was invalidated, by a soft purge or an unsafe request: the origin is asked whether it still holds.',
		rfc: 'RFC 9111 §4.4',
		mend: 'Nothing: a 304 makes it fresh again.',
	},
	'request-no-cache': {
		text: 'The request or the mode \'no-cache\' demands validation: the origin is asked whether the stored response still holds.',
		rfc: 'RFC 9111 §5.2.1.4',
		mend: 'Leave `no-cache` out of the request, and the mode of that name.',
	},
	'request-max-age': {
		text: 'The stored response is older than the request\'s `max-age`: the origin is asked whether it still holds.',
		rfc: 'RFC 9111 §5.2.1.1',
		mend: 'Leave `max-age` out of the request, or raise it.',
	},
	'request-min-fresh': {
		text: 'The stored response is fresh for less than the request\'s `min-fresh`: the origin is asked whether it still holds.',
		rfc: 'RFC 9111 §5.2.1.3',
		mend: 'Leave `min-fresh` out of the request, or lower it.',
	},
	'always-revalidate': {
		text: 'The option `alwaysRevalidate` is set: the origin is asked whether the stored response still holds.',
		mend: 'Leave the option `alwaysRevalidate` out.',
	},
	'range-incomplete': {text: 'A part is stored, and the origin is asked for the rest.', rfc: 'RFC 9111 §3.3'},
};

/** Why a response is not stored. */
export const refusalTexts: Readonly<Record<PassReason, ReasonText>> = {
	bypassed: {text: 'The cache took no part in the request.', mend: 'See the `reason`.'},
	'read-only': {text: 'The option `readOnly` is set.', mend: 'Leave the option `readOnly` out.'},
	method: {
		text: 'Responses to this method are not stored.',
		rfc: 'RFC 9111 §3',
		mend: 'Add the method to the option `methods`, if such requests change nothing.',
	},
	status: {
		text: 'Responses with this status code are not stored.',
		rfc: 'RFC 9111 §3',
		mend: 'The option `statusCodes` says which status codes are stored.',
	},
	partial: {
		text: 'The response is a part that cannot be placed in a whole, or a part of a whole that is stored.',
		rfc: 'RFC 9110 §14.4',
		mend: 'Send a 206 with one valid `Content-Range`.',
	},
	'request-no-store': {text: 'The request has `no-store`.', rfc: 'RFC 9111 §5.2.1.5', mend: 'Leave `no-store` out of the request.'},
	'must-understand': {
		text: 'The response has `must-understand`, and a status code that the cache does not know.',
		rfc: 'RFC 9111 §5.2.2.3',
		mend: 'Leave `must-understand` out, or send a status code that caches know.',
	},
	'no-store': {
		text: 'The response has `no-store`, or an option gives it the lifetime \'no-store\'.',
		rfc: 'RFC 9111 §5.2.2.5',
		mend: 'If the response may be stored, send `no-cache` or a lifetime in place of `no-store`; `cacheControl: false` with `expireAfter` ignores it.',
	},
	private: {
		text: 'The response has `private`, and the cache is shared.',
		rfc: 'RFC 9111 §5.2.2.7',
		mend: 'Say whose it is with the option `user`, or use `shared: false` if one user alone has the cache; if the response is for everybody, send `public`.',
	},
	authorization: {
		text: 'The request has `Authorization`, and the response does not say that it is for everybody.',
		rfc: 'RFC 9111 §3.5',
		mend: 'Say whose it is with the option `user`, or use `shared: false`; if the response is for everybody, send `public`, `s-maxage` or `must-revalidate`.',
	},
	'vary-star': {
		text: 'The response has `Vary: *`: no other request can be given it.',
		rfc: 'RFC 9111 §4.1',
		mend: 'Name the request header fields that the response depends on in `Vary`.',
	},
	credentials: {
		text: 'The request has a credential, such as `Cookie`, and only an option of this cache says that the response may be reused.',
		mend: 'Add the field to the option `matchHeaders`, say whose the response is with `user` or `key`, or use `shared: false`.',
	},
	'not-explicit': {
		text: 'A response with this status code is stored only if it says how long it is fresh, or has `public`.',
		rfc: 'RFC 9111 §3',
		mend: 'Send `max-age` or `public`, or add the status code to the option `statusCodes`; of a 5xx, mend the origin, and see `staleIfError`.',
	},
	'set-cookie': {
		text: 'The response has `Set-Cookie` and says nothing on caching, and the cache is shared.',
		rfc: 'RFC 9111 §7.3',
		mend: 'Send `Cache-Control` with a lifetime if everybody may have the cookie, else leave `Set-Cookie` out; or say whose the response is with the option `user`, or use `shared: false`.',
	},
	'not-reusable': {
		text: 'The response has no lifetime and no validator, and may not be used stale: it could never be used.',
		rfc: 'RFC 9111 §3',
		mend: 'Send `max-age`, or an `ETag`; or set a lifetime with the option `expireAfter`.',
	},
	'not-modified': {
		text: 'The response is a 304 to a precondition of the request\'s own.',
		rfc: 'RFC 9111 §4.3.3',
		mend: 'Leave the precondition to the cache, which adds its own.',
	},
	head: {
		text: 'The response to HEAD freshens, invalidates or removes the stored response to GET.',
		rfc: 'RFC 9111 §4.3.5',
		mend: 'Ask with GET to have the response stored.',
	},
	filtered: {text: 'The option `filter` leaves the response out.', mend: 'The function `filter` decides it.'},
	invalidated: {
		text: 'While the response was on its way, the stored response was purged, invalidated or replaced by a later one.',
		rfc: 'RFC 9111 §4.4',
		mend: 'Nothing, unless it happens often: then purge less widely.',
	},
	'store-unavailable': {text: 'The store did not answer in time, takes no writes, or is closed.', mend: 'See `cache.health()`.'},
	incomplete: {text: 'The body did not arrive whole.', rfc: 'RFC 9111 §3.3', mend: 'See whether the origin, or something on the way, breaks off.'},
	'too-large': {
		text: 'The response is larger than `maxBodySize` or than the store takes, or has too many tags or too long a head.',
		mend: 'Raise the option `maxBodySize`, or have the response made smaller.',
	},
	'past-time-to-live': {
		text: 'The response would be removed at once: its lifetime and the `ttlOffset` are over.',
		mend: 'Send a longer lifetime, or raise the option `ttlOffset`.',
	},
	error: {text: 'There was no response, or none that arrived whole.', mend: 'See the error of the request.'},
};

const failedMend = 'The origin failed. Until it is mended, a stored response may stand in: see the option `staleIfError`, keep responses longer with `ttlOffset`, or call `freeze()`.';

/** Why a response with this status code was not stored, in words. */
export const refusalTextOf = (reason: PassReason, statusCode: number | undefined): ReasonText => {
	const known = refusalTexts[reason];
	const text = reason === 'not-explicit' && statusCode !== undefined
		? {...known, text: `A response with the status code ${statusCode} is stored only if it says how long it is fresh, or has \`public\`.`}
		: known;

	return statusCode !== undefined && statusCode >= 500 ? {...text, mend: failedMend} : text;
};
