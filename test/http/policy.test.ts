import assert from 'node:assert/strict';
import test from 'node:test';
import {evaluateResponse} from '../../source/http/policy.ts';
import type {Settings} from '../../source/http/settings.ts';
import type {StoredPolicy} from '../../source/types/stored.ts';
import {
	date,
	now,
	privateSettings,
	requestWith,
	responseWith,
	settingsWith,
	type Fields,
} from './helpers.ts';

type Case = {
	readonly settings?: Partial<Settings>;
	readonly statusCode?: number;
};

const policyOf = (fields: Fields, {settings, statusCode = 200}: Case = {}): StoredPolicy => evaluateResponse({
	request: requestWith(),
	response: responseWith(fields, statusCode),
	requestTimeMs: now,
	responseTimeMs: now,
	settings: settingsWith(settings),
}).policy;

const day = 24 * 60 * 60;
const targets: Partial<Settings> = {targets: ['cdn-cache-control', 'surrogate']};

// RFC 9111 §4.2.1, in order of precedence
const lifetimes: ReadonlyArray<readonly [what: string, fields: Fields, seconds: number, more?: Case]> = [
	['nothing', {}, 0],
	['max-age', {'Cache-Control': 'max-age=60'}, 60],
	['max-age on a second line', {'Cache-Control': ['public', 'max-age=60']}, 60],
	['max-age over Expires', {'Cache-Control': 'max-age=60', Expires: date(-1), Date: date()}, 60],
	['max-age=0 over Expires', {'Cache-Control': 'max-age=0', Expires: date(60), Date: date()}, 0],
	['max-age over an invalid Expires', {'Cache-Control': 'max-age=60', Expires: '0'}, 60],
	['s-maxage over max-age, shared', {'Cache-Control': 'max-age=1, s-maxage=60'}, 60],
	['short s-maxage over max-age, shared', {'Cache-Control': ['max-age=60', 's-maxage=1']}, 1],
	['s-maxage is nothing to a private cache', {'Cache-Control': 'max-age=1, s-maxage=60'}, 1, {settings: privateSettings}],
	['Expires minus Date', {Expires: date(100), Date: date(40)}, 60],
	['Expires without Date', {Expires: date(60)}, 60],
	['Expires with an invalid Date', {Expires: date(60), Date: 'foo'}, 60],
	['Expires at Date', {Expires: date(0), Date: date(0)}, 0],
	['Expires before Date, both ahead', {Expires: date(300), Date: date(400)}, 0],
	['Expires that is no date', {Expires: '0', Date: date(), 'Last-Modified': date(-1000)}, 0],
	['two Expires', {Expires: [date(60), date(60)], Date: date()}, 0],
	['Expires in the year 49', {Expires: 'Fri, 01 Jan 0049 00:00:00 GMT', Date: date()}, 0],
	['Expires in the year 9999', {Expires: 'Fri, 31 Dec 9999 23:59:59 GMT', Date: date()}, 2_147_483_648],
	// RFC 9111 §4.2.2
	['heuristic', {'Last-Modified': date(-1000), Date: date()}, 100],
	['heuristic without Date', {'Last-Modified': date(-1000)}, 100],
	['heuristic in another date format', {'Last-Modified': 'Mon Nov 23 11:43:20 2026', Date: date()}, 100],
	['heuristic, of a future Last-Modified', {'Last-Modified': date(1000), Date: date()}, 0],
	['heuristic, not beyond a week', {'Last-Modified': date(-1000 * day), Date: date()}, 7 * day],
	['heuristic, of a status code that has none', {'Last-Modified': date(-1000), Date: date()}, 0, {statusCode: 403}],
	['heuristic, where public allows it', {'Last-Modified': date(-1000), Date: date(), 'Cache-Control': 'public'}, 100, {statusCode: 599}],
	['heuristic beside Set-Cookie and no-cache', {'Last-Modified': date(-1000), Date: date(), 'Cache-Control': 'no-cache'}, 100],
	['no heuristic beside an invalid max-age', {'Last-Modified': date(-1000), Date: date(), 'Cache-Control': 'max-age=x'}, 0],
	// RFC 9213 §2.2
	['a targeted field', {'CDN-Cache-Control': 'max-age=60', 'Cache-Control': 'max-age=1'}, 60, {settings: targets}],
	['a targeted field that no one heeds', {'CDN-Cache-Control': 'max-age=60', 'Cache-Control': 'max-age=1'}, 1],
	['a targeted field hides Expires', {'CDN-Cache-Control': 'foo', Expires: date(60)}, 0, {settings: targets}],
	['the first target that is there', {Surrogate: 'max-age=60', 'Cache-Control': 'max-age=1'}, 60, {settings: targets}],
	['the first of two targets', {Surrogate: 'max-age=2', 'CDN-Cache-Control': 'max-age=60'}, 60, {settings: targets}],
	['an unsound target falls back', {'CDN-Cache-Control': 'max-age=60, &', 'Cache-Control': 'max-age=1'}, 1, {settings: targets}],
	['an empty target falls back', {'CDN-Cache-Control': '', 'Cache-Control': 'max-age=1'}, 1, {settings: targets}],
	['a target of the wrong type is stale', {'CDN-Cache-Control': 'max-age="60"', 'Last-Modified': date(-1000)}, 0, {settings: targets}],
	['a decimal in a target is stale', {'CDN-Cache-Control': 'max-age=60.5', 'Last-Modified': date(-1000)}, 0, {settings: targets}],
	// What the user says
	['expireAfter', {'Cache-Control': 'max-age=60'}, 5, {settings: {lifetimes: {ofCache: () => 5}}}],
	['expireAfter that leaves it to the response', {'Cache-Control': 'max-age=60'}, 60, {settings: {lifetimes: {ofCache: () => undefined}}}],
	['expireAfter that is no number', {'Cache-Control': 'max-age=60'}, 60, {settings: {lifetimes: {ofCache: () => NaN}}}],
	['a negative expireAfter', {'Cache-Control': 'max-age=60'}, 0, {settings: {lifetimes: {ofCache: () => -1}}}],
	['expireAfter of a request', {'Cache-Control': 'max-age=60'}, 1, {settings: {lifetimes: {ofRequest: 1, ofUrl: () => 2, ofCache: 3}}}],
	['expireAfter of a URL', {'Cache-Control': 'max-age=60'}, 2, {settings: {lifetimes: {ofUrl: () => 2, ofCache: 3}}}],
	['expireAfter of the cache, for another URL', {'Cache-Control': 'max-age=60'}, 3, {settings: {lifetimes: {ofUrl: () => undefined, ofCache: 3}}}],
	['expireAfter of a request that leaves it to the response', {'Cache-Control': 'max-age=60'}, 60, {settings: {lifetimes: {ofRequest: () => undefined, ofUrl: () => 2, ofCache: 3}}}],
	['expireAfter of 0', {'Cache-Control': 'max-age=60'}, 0, {settings: {lifetimes: {ofRequest: 0, ofCache: 3}}}],
	['an endless expireAfter', {}, Infinity, {settings: {lifetimes: {ofCache: () => Infinity}}}],
	['Cache-Control ignored', {'Cache-Control': 'max-age=60', 'Last-Modified': date(-1000)}, 0, {settings: {heedsCacheControl: false}}],
	['Expires ignored', {Expires: date(60)}, 0, {settings: {heedsCacheControl: false}}],
];

for (const [what, fields, seconds, more] of lifetimes) {
	test(`freshness lifetime: ${what}`, () => {
		assert.equal(policyOf(fields, more).freshnessLifetimeSeconds, seconds);
	});
}

test('without Date, the second of receipt is counted as a whole', () => {
	const {policy} = evaluateResponse({
		request: requestWith(),
		response: responseWith({Expires: date(1)}),
		requestTimeMs: now,
		responseTimeMs: now + 900,
		settings: settingsWith(),
	});

	assert.equal(policy.freshnessLifetimeSeconds, 0);
});

const flags: ReadonlyArray<readonly [cacheControl: string, expected: Partial<StoredPolicy>, settings?: Partial<Settings>]> = [
	['', {isNoCache: false, isMustRevalidate: false, isImmutable: false, isInvalidated: false, isShared: true}],
	['', {isShared: false}, privateSettings],
	['no-cache', {isNoCache: true}],
	['no-cache="a"', {isNoCache: false}],
	['must-revalidate', {isMustRevalidate: true}],
	['proxy-revalidate', {isMustRevalidate: true}],
	['proxy-revalidate', {isMustRevalidate: false}, privateSettings],
	['s-maxage=5', {isMustRevalidate: true}],
	['s-maxage=5', {isMustRevalidate: false}, privateSettings],
	['immutable', {isImmutable: true}],
	['stale-while-revalidate=5', {staleWhileRevalidateSeconds: 5, staleIfErrorSeconds: undefined}],
	['stale-if-error=5', {staleIfErrorSeconds: 5, staleWhileRevalidateSeconds: undefined}],
	['stale-if-error=x', {staleIfErrorSeconds: 0}],
	['no-cache, must-revalidate, stale-if-error=5', {isNoCache: false, isMustRevalidate: false, staleIfErrorSeconds: undefined}, {heedsCacheControl: false}],
];

for (const [cacheControl, expected, settings] of flags) {
	test(`policy: \`${cacheControl}\`${settings ? ` with ${JSON.stringify(settings)}` : ''}`, () => {
		const policy = policyOf(cacheControl === '' ? {} : {'Cache-Control': cacheControl}, {settings});

		assert.deepEqual({...policy, ...expected}, policy);
	});
}

test('Pragma speaks where Cache-Control is silent', () => {
	assert.equal(policyOf({Pragma: 'no-cache'}).isNoCache, true);
	assert.equal(policyOf({Pragma: 'other, No-Cache'}).isNoCache, true);
	assert.equal(policyOf({Pragma: 'no-cache', 'Cache-Control': 'max-age=60'}).isNoCache, false);
	assert.equal(policyOf({Pragma: 'no-cached'}).isNoCache, false);
});
