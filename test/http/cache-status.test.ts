import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheStatusMember, type CacheStatusInput} from '../../source/http/cache-status.ts';
import {decide} from '../../source/http/decide.ts';
import type {Decision} from '../../source/http/decision.ts';
import {
	afterSeconds,
	defaultSettings,
	now,
	requestWith,
	storedWith,
} from './helpers.ts';

const stored = storedWith({'Cache-Control': 'max-age=60'});
const reuse: Decision = {kind: 'reuse', reason: 'fresh', stored};
const fetch: Decision = {kind: 'fetch', reason: 'not-stored'};
const validate: Decision = {kind: 'validate', reason: 'stale', stored, headers: {}};
const store = {reason: 'stored'} as const;

// RFC 9211 §2
const table: ReadonlyArray<readonly [input: Omit<CacheStatusInput, 'name'>, expected: string]> = [
	[{decision: reuse, outcome: undefined, ttlSeconds: 42.9}, 'cache;hit;ttl=42;detail=fresh'],
	[{decision: {...reuse, reason: 'max-stale'}, outcome: undefined, ttlSeconds: -42.9}, 'cache;hit;ttl=-42;detail=max-stale'],
	[{decision: reuse, outcome: undefined, ttlSeconds: Infinity, key: 'a"b'}, String.raw`cache;hit;key="a\"b";detail=fresh`],
	[{decision: fetch, outcome: store, isStored: true, forwardStatus: 200}, 'cache;fwd=uri-miss;fwd-status=200;stored;detail=stored'],
	[{decision: fetch, outcome: store, isStored: true, forwardStatus: 200, isCollapsed: true}, 'cache;fwd=uri-miss;fwd-status=200;stored;collapsed;detail=stored'],
	[{decision: fetch, outcome: {reason: 'no-store'}, forwardStatus: 200}, 'cache;fwd=uri-miss;fwd-status=200;detail=no-store'],
	[{decision: {kind: 'fetch', reason: 'vary-mismatch'}, outcome: undefined}, 'cache;fwd=vary-miss;detail=vary-mismatch'],
	[{decision: {kind: 'fetch', reason: 'reload'}, outcome: undefined}, 'cache;fwd=request;detail=reload'],
	[{decision: {kind: 'fetch', reason: 'range-not-stored'}, outcome: undefined}, 'cache;fwd=partial;detail=range-not-stored'],
	[{decision: validate, outcome: {reason: 'not-modified'}, isStored: true, forwardStatus: 304}, 'cache;fwd=stale;fwd-status=304;stored;detail=not-modified'],
	[{decision: validate, outcome: {reason: 'not-modified'}, isStored: false, forwardStatus: 304}, 'cache;fwd=stale;fwd-status=304;detail=not-modified'],
	[{decision: validate, outcome: {reason: 'error-status'}, forwardStatus: 503, ttlSeconds: -5}, 'cache;fwd=stale;fwd-status=503;ttl=-5;detail=error-status'],
	[{decision: validate, outcome: {reason: 'timeout'}}, 'cache;fwd=stale;detail=timeout'],
	[{decision: validate, outcome: {reason: 'rate-limited'}}, 'cache;hit;detail=rate-limited'],
	[{decision: decide(requestWith({'cache-control': 'no-cache'}), stored, now, defaultSettings), outcome: undefined}, 'cache;fwd=request;detail=no-validator'],
	[{decision: decide(requestWith(), stored, afterSeconds(61), defaultSettings), outcome: undefined}, 'cache;fwd=stale;detail=no-validator'],
	[{decision: {...validate, reason: 'always-revalidate'}, outcome: undefined, forwardStatus: 304}, 'cache;fwd=request;fwd-status=304;detail=always-revalidate'],
	[{decision: {kind: 'bypass', reason: 'method'}, outcome: {reason: 'bypassed'}}, 'cache;fwd=method;detail=method'],
	[{decision: {kind: 'bypass', reason: 'no-store'}, outcome: {reason: 'bypassed'}}, 'cache;fwd=bypass;detail=no-store'],
	[{decision: {kind: 'unavailable', reason: 'only-if-cached'}, outcome: undefined}, 'cache;detail=only-if-cached'],
];

for (const [input, expected] of table) {
	test(expected, () => {
		assert.equal(cacheStatusMember({name: 'cache', ...input}), expected);
	});
}

const names: ReadonlyArray<readonly [name: string, expected: string]> = [
	['ExampleCache', 'ExampleCache'],
	['got-redis-cache', 'got-redis-cache'],
	['cache.example:80', 'cache.example:80'],
	['a cache', '"a cache"'],
	['1cache', '"1cache"'],
	['a"b', String.raw`"a\"b"`],
	['Zwischenspeicher für\r\nalle', '"Zwischenspeicher f?r??alle"'],
];

for (const [name, expected] of names) {
	test(`the name ${JSON.stringify(name)}`, () => {
		assert.equal(cacheStatusMember({name, decision: reuse, outcome: undefined}), `${expected};hit;detail=fresh`);
	});
}
