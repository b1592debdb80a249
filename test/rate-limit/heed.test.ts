import assert from 'node:assert/strict';
import type {IncomingHttpHeaders} from 'node:http';
import test from 'node:test';
import {heardIn, policiesIn} from '../../source/rate-limit/heed.ts';

const nowMs = Date.UTC(2026, 10, 30, 12, 0, 0);
const date = new Date(nowMs).toUTCString();
const later = new Date(nowMs + 30_000).toUTCString();
const epochSeconds = (nowMs / 1000) + 60;

type Row = {
	readonly what: string;
	readonly statusCode?: number;
	readonly headers: IncomingHttpHeaders;
	readonly pauseMs?: number;
	/** Name, remaining, milliseconds until the reset, quota, milliseconds of its time. */
	readonly quotas?: ReadonlyArray<readonly [string, number, number, number | undefined, number | undefined]>;
};

const rows: readonly Row[] = [
	{what: 'a response that says nothing', headers: {}},
	{what: '429 with seconds', statusCode: 429, headers: {'retry-after': '30'}, pauseMs: 30_000},
	{what: '429 with a date', statusCode: 429, headers: {date, 'retry-after': later}, pauseMs: 31_000},
	{
		what: '429 with a date, of an origin whose clock is behind',
		statusCode: 429,
		headers: {date: new Date(nowMs - 3_600_000).toUTCString(), 'retry-after': date},
		pauseMs: 3_601_000,
	},
	{what: '503 with seconds', statusCode: 503, headers: {'retry-after': '5'}, pauseMs: 5000},
	{what: '503 without', statusCode: 503, headers: {}},
	{what: '429 without', statusCode: 429, headers: {}, pauseMs: 5000},
	{what: '429 with nonsense', statusCode: 429, headers: {'retry-after': 'soon'}, pauseMs: 5000},
	{what: '429 with a negative number', statusCode: 429, headers: {'retry-after': '-1'}, pauseMs: 5000},
	{what: '301 with `Retry-After`', statusCode: 301, headers: {'retry-after': '30'}},
	{
		what: 'the current draft',
		headers: {'ratelimit-policy': '"default";q=100;w=60', ratelimit: '"default";r=50;t=30'},
		quotas: [['default', 50, 31_000, 100, 60_000]],
	},
	{what: 'the current draft, without a policy', headers: {ratelimit: '"default";r=50;t=30'}, quotas: [['default', 50, 31_000, undefined, undefined]]},
	{
		what: 'the current draft, without a time',
		headers: {'ratelimit-policy': '"a";q=100;w=60', ratelimit: '"a";r=0'},
		quotas: [['a', 0, 61_000, 100, 60_000]],
	},
	{
		what: 'the current draft, with two policies',
		headers: {'ratelimit-policy': '"burst";q=10;w=1, "daily";q=1000;w=86400', ratelimit: '"burst";r=9;t=1, "daily";r=0;t=600'},
		quotas: [
			['burst', 9, 2000, 10, 1000],
			['daily', 0, 601_000, 1000, 86_400_000],
		],
	},
	{what: 'a quota of bytes', headers: {'ratelimit-policy': '"a";q=65535;qu="content-bytes";w=10', ratelimit: '"a";r=100;t=30'}},
	{what: 'a field that does not parse', headers: {ratelimit: '"default;r=50'}},
	{what: 'a member without what is left', headers: {ratelimit: '"default";t=30'}},
	{what: 'a number that is none', headers: {ratelimit: '"default";r=-1;t=30'}},
	{
		what: '429 with nothing left until a time',
		statusCode: 429,
		headers: {ratelimit: '"a";r=0;t=9'},
		quotas: [['a', 0, 10_000, undefined, undefined]],
	},
	{
		what: '`X-RateLimit-*` with seconds',
		headers: {'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '60'},
		quotas: [['x-ratelimit', 7, 61_000, 100, 61_000]],
	},
	{
		what: '`X-RateLimit-*` with a time',
		headers: {date, 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': String(epochSeconds)},
		quotas: [['x-ratelimit', 7, 61_000, undefined, 61_000]],
	},
	{
		what: '`X-RateLimit-*` with a time in milliseconds',
		headers: {'x-ratelimit-remaining': '7', 'x-ratelimit-reset': String(epochSeconds * 1000)},
		quotas: [['x-ratelimit', 7, 61_000, undefined, 61_000]],
	},
	{what: '`X-RateLimit-*` without a reset', headers: {'x-ratelimit-remaining': '7'}},
	{
		what: '`RateLimit-*` of earlier drafts',
		headers: {'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '5', 'ratelimit-reset': '9'},
		quotas: [['ratelimit', 5, 10_000, 100, 10_000]],
	},
	{
		what: 'both: the current draft counts',
		headers: {ratelimit: '"a";r=1;t=1', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '60'},
		quotas: [['a', 1, 2000, undefined, undefined]],
	},
];

for (const {what, statusCode = 200, headers, pauseMs, quotas = []} of rows) {
	test(`limits are read from ${what}`, () => {
		const heard = heardIn({statusCode, headers}, 3, nowMs);
		const expected = {serial: 3, pauseMs, quotas: quotas.map(([name, remaining, resetMs, count, windowMs]) => ({name, remaining, resetMs, count, windowMs}))};

		assert.deepEqual(heard, pauseMs === undefined && quotas.length === 0 ? undefined : expected);
	});
}

test('the policies of an origin are limits in requests', () => {
	const headers = {'ratelimit-policy': '"a";q=10;w=1, "b";q=1000;w=3600, "c";q=5;qu="concurrent-requests", "d";q=0;w=1'};

	assert.deepEqual(policiesIn({statusCode: 200, headers}), [{count: 10, windowMs: 1000}, {count: 1000, windowMs: 3_600_000}]);
});
