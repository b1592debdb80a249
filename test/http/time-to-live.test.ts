import assert from 'node:assert/strict';
import test from 'node:test';
import type {Settings} from '../../source/http/settings.ts';
import {timeToLiveMs} from '../../source/http/time-to-live.ts';
import {afterSeconds, settingsWith, storedWith, type Fields} from './helpers.ts';

const validator = {ETag: '"a"'};
const cacheControl = (value: string): Fields => ({...validator, 'Cache-Control': value});

const table: ReadonlyArray<readonly [what: string, fields: Fields, seconds: number, settings?: Partial<Settings>]> = [
	['a lifetime', cacheControl('max-age=60'), 60],
	['a lifetime that began elsewhere', {...cacheControl('max-age=60'), Age: '20'}, 40],
	['a lifetime that is over', {...cacheControl('max-age=60'), Age: '100'}, -40],
	['no lifetime', validator, 0],
	['stale-while-revalidate', cacheControl('max-age=60, stale-while-revalidate=10'), 70],
	['stale-if-error', cacheControl('max-age=60, stale-if-error=20'), 80],
	['the longer of both', cacheControl('max-age=60, stale-while-revalidate=10, stale-if-error=20'), 80],
	['both are of no use with must-revalidate', cacheControl('max-age=60, stale-while-revalidate=10, stale-if-error=20, must-revalidate'), 60],
	['both are of no use with no-cache', cacheControl('max-age=60, stale-while-revalidate=10, stale-if-error=20, no-cache'), 60],
	['a window of the user\'s', cacheControl('max-age=60'), 90, {staleIfError: 30}],
	['another window of the user\'s', cacheControl('max-age=60'), 100, {staleWhileRevalidate: 40}],
	['a window without end adds nothing', cacheControl('max-age=60'), 60, {staleIfError: true, staleWhileRevalidate: true}],
	['a window without end takes nothing away', cacheControl('max-age=60, stale-if-error=20'), 80, {staleIfError: true}],
	['a lifetime without end', {}, Infinity, {lifetimes: {ofCache: () => Infinity}}],
];

for (const [what, fields, seconds, settings] of table) {
	test(what, () => {
		const {policy} = storedWith(fields, {settings});

		assert.equal(timeToLiveMs(policy, afterSeconds(0), settingsWith(settings)), seconds * 1000);
		assert.equal(timeToLiveMs(policy, afterSeconds(7), settingsWith(settings)), (seconds - 7) * 1000);
	});
}
