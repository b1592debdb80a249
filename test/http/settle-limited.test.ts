import assert from 'node:assert/strict';
import test from 'node:test';
import {decide} from '../../source/http/decide.ts';
import {settleLimited} from '../../source/http/settle.ts';
import type {Settings} from '../../source/http/settings.ts';
import {
	afterSeconds,
	requestWith,
	settingsWith,
	storedWith,
	type Fields,
} from './helpers.ts';

type Row = {
	readonly what: string;
	readonly stored?: Fields;
	readonly request?: Readonly<Record<string, string>>;
	readonly settings?: Partial<Settings>;
	/** Seconds since the response was received; it is fresh for ten. */
	readonly after?: number;
	readonly isServed: boolean;
};

const fields: Fields = {'cache-control': 'max-age=10', etag: '"1"'};

const rows: readonly Row[] = [
	{what: 'stale for as long as allowed', after: 70, isServed: true},
	{what: 'stale for longer', after: 71, isServed: false},
	{what: 'stale, without a validator', stored: {'cache-control': 'max-age=10'}, isServed: true},
	{what: 'nothing stored', stored: {}, after: 0, isServed: false},
	{what: 'must-revalidate', stored: {...fields, 'cache-control': 'max-age=10, must-revalidate'}, isServed: false},
	{what: 'proxy-revalidate', stored: {...fields, 'cache-control': 'max-age=10, proxy-revalidate'}, isServed: false},
	{what: 's-maxage', stored: {...fields, 'cache-control': 's-maxage=10'}, isServed: false},
	{what: 'no-cache', stored: {...fields, 'cache-control': 'max-age=10, no-cache'}, isServed: false},
	{what: 'a request with no-cache', request: {'cache-control': 'no-cache'}, isServed: false},
	{what: 'a request with max-age', request: {'cache-control': 'max-age=5'}, isServed: false},
	{what: 'a request with min-fresh', request: {'cache-control': 'min-fresh=5'}, isServed: false},
	{what: 'a request with max-stale that it exceeds', request: {'cache-control': 'max-stale=5'}, isServed: true},
	{what: 'a request with a precondition', request: {'if-none-match': '"2"'}, isServed: false},
	{what: 'a request for a part of it', request: {range: 'bytes=0-3'}, isServed: true},
	{what: 'the mode `no-cache`', settings: {mode: 'no-cache'}, isServed: false},
	{what: 'the mode `reload`', settings: {mode: 'reload'}, isServed: false},
	{what: 'always validated', settings: {alwaysRevalidates: true}, after: 5, isServed: false},
	{what: '`staleIfError: false`', settings: {staleIfError: false}, isServed: true},
];

for (const {what, stored: given = fields, request: headers = {}, settings: more, after = 20, isServed} of rows) {
	test(`a response ${isServed ? 'may' : 'may not'} answer for now: ${what}`, () => {
		const request = requestWith(headers);
		const settings = settingsWith(more);
		const stored = Object.keys(given).length === 0 ? undefined : storedWith(given);
		const nowMs = afterSeconds(after);
		const outcome = settleLimited({
			request,
			decision: decide(request, stored, nowMs, settings),
			nowMs,
			settings,
			mostStaleSeconds: 60,
		});

		assert.equal(outcome?.reason, isServed ? 'rate-limited' : undefined);
	});
}
