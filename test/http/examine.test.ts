import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {examine} from '../../source/http/examine.ts';
import type {Finding, FindingLevel} from '../../source/http/finding.ts';
import {decisionTexts, refusalTexts} from '../../source/http/reason-texts.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import type {Settings} from '../../source/http/settings.ts';
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
	readonly requestHeaders?: HeaderFields;
	readonly method?: string;
	readonly statusCode?: number;
	readonly settings?: Partial<Settings>;
	readonly contentEncoding?: string;
};

const sound: Fields = {Date: date(), 'Cache-Control': 'max-age=60', ETag: '"1"'};

const examined = (fields: Fields, {requestHeaders = {}, method = 'GET', statusCode = 200, settings, contentEncoding}: Case = {}): readonly Finding[] => examine({
	request: requestWith(requestHeaders, method),
	response: responseWith(fields, statusCode),
	requestTimeMs: now,
	responseTimeMs: now,
	settings: settingsWith(settings),
}, contentEncoding);

const found = (findings: readonly Finding[], level: FindingLevel): string[] => findings.filter(finding => finding.level === level).map(({about}) => about);

/** What is found of a response that is sound but for the fields that are given. */
const cases: ReadonlyArray<readonly [what: string, fields: Fields, expected: Partial<Record<Exclude<FindingLevel, 'pass'>, readonly string[]>>, more?: Case]> = [
	['nothing wrong', {}, {}],
	// Storability
	['a method', {}, {failure: ['method']}, {method: 'POST'}],
	['a status code', {}, {failure: ['status']}, {statusCode: 429}],
	['a request with no-store', {}, {failure: ['request-no-store']}, {requestHeaders: {'cache-control': 'no-store'}}],
	['no-store', {'Cache-Control': 'no-store'}, {failure: ['no-store'], warning: ['lifetime']}],
	['private', {'Cache-Control': 'private, max-age=60'}, {failure: ['private']}],
	['private in a private cache', {'Cache-Control': 'private, max-age=60'}, {note: ['private']}, {settings: privateSettings}],
	['Authorization', {}, {failure: ['authorization'], note: ['authorization']}, {requestHeaders: {authorization: 'a'}}],
	['Authorization and public', {'Cache-Control': 'public, max-age=60'}, {note: ['authorization']}, {requestHeaders: {authorization: 'a'}}],
	['Vary: *', {Vary: '*'}, {failure: ['vary-star']}],
	['Set-Cookie alone', {'Cache-Control': [], 'Set-Cookie': 'a=1'}, {failure: ['set-cookie'], warning: ['lifetime']}],
	['nothing at all', {'Cache-Control': [], ETag: []}, {failure: ['not-reusable'], warning: ['lifetime', 'validators']}],
	['500 without a lifetime', {'Cache-Control': []}, {failure: ['not-explicit'], warning: ['lifetime']}, {statusCode: 500}],
	// Freshness
	['a heuristic', {'Cache-Control': [], 'Last-Modified': date(-1000)}, {warning: ['lifetime']}],
	['max-age=0', {'Cache-Control': 'max-age=0'}, {note: ['lifetime']}],
	['older than its lifetime', {Age: '90'}, {warning: ['lifetime', 'clock'], note: ['age']}],
	['older than its lifetime, with its date', {Age: '90', Date: date(-90)}, {warning: ['lifetime'], note: ['age']}],
	['an option\'s lifetime', {}, {note: ['lifetime']}, {settings: {lifetimes: {ofCache: 3600}}}],
	['an option\'s lifetime alone', {'Cache-Control': []}, {}, {settings: {lifetimes: {ofCache: 3600}}}],
	['Expires beside max-age', {Expires: date(10)}, {note: ['expires']}],
	['Expires that is no date', {'Cache-Control': [], Expires: '0'}, {note: ['lifetime'], warning: ['expires']}],
	['Expires', {'Cache-Control': [], Expires: date(60)}, {}],
	['Age', {Age: '5', Date: date(-5)}, {note: ['age']}],
	['Age that is no number', {Age: 'old'}, {warning: ['age']}],
	['no Date', {Date: []}, {warning: ['date']}],
	['Date that is no date', {Date: 'today'}, {warning: ['date']}],
	['a clock that is ahead', {Date: date(60)}, {warning: ['clock']}],
	['a clock that is behind', {Date: date(-30)}, {warning: ['clock']}],
	['a clock that is nearly right', {Date: date(-3)}, {}],
	['Last-Modified ahead of Date', {'Last-Modified': date(60)}, {warning: ['last-modified']}],
	['Last-Modified that is no date', {'Last-Modified': 'yesterday'}, {warning: ['last-modified']}],
	// Directives
	['a value that is no number', {'Cache-Control': 'max-age=1h'}, {note: ['lifetime'], warning: ['max-age']}],
	['a negative value', {'Cache-Control': 'max-age=60, stale-if-error=-1'}, {warning: ['stale-if-error']}],
	['two values', {'Cache-Control': ['max-age=60', 'max-age=0']}, {note: ['lifetime'], warning: ['max-age']}],
	['the same value twice', {'Cache-Control': ['max-age=60', 'max-age=60']}, {}],
	['a misspelled directive', {'Cache-Control': 'max-age=60, s-max-age=90'}, {warning: ['s-max-age']}],
	['a directive of requests', {'Cache-Control': 'max-age=60, max-stale'}, {warning: ['max-stale']}],
	['an unknown directive', {'Cache-Control': 'max-age=60, community="UCI"'}, {note: ['community']}],
	['no-transform', {'Cache-Control': 'max-age=60, no-transform'}, {}],
	['no-store and max-age', {'Cache-Control': 'no-store, max-age=60'}, {failure: ['no-store'], warning: ['no-store']}],
	['no-store and must-understand', {'Cache-Control': 'no-store, must-understand, max-age=60'}, {}],
	['private and public', {'Cache-Control': 'private, public, max-age=60'}, {failure: ['private'], warning: ['private']}],
	['private and s-maxage', {'Cache-Control': 'private, s-maxage=60'}, {failure: ['private'], warning: ['private']}],
	['no-cache and max-age', {'Cache-Control': 'no-cache, max-age=60'}, {warning: ['no-cache']}],
	['no-cache', {'Cache-Control': 'no-cache'}, {warning: ['lifetime'], note: ['no-cache']}],
	['no-cache of a field', {'Cache-Control': 'no-cache="x-token", max-age=60'}, {note: ['no-cache']}],
	['must-revalidate and stale use', {'Cache-Control': 'max-age=60, must-revalidate, stale-if-error=60'}, {warning: ['stale-while-revalidate']}],
	['s-maxage and stale use, shared', {'Cache-Control': 's-maxage=60, stale-while-revalidate=60'}, {warning: ['stale-while-revalidate']}],
	['s-maxage and stale use, private', {'Cache-Control': 'max-age=60, s-maxage=60, stale-while-revalidate=60'}, {note: ['stale']}, {settings: privateSettings}],
	['stale use', {'Cache-Control': 'max-age=60, stale-while-revalidate=60'}, {note: ['stale']}],
	['immutable without a lifetime', {'Cache-Control': 'immutable'}, {warning: ['lifetime', 'immutable']}],
	['Pragma', {'Cache-Control': [], Pragma: 'no-cache'}, {warning: ['lifetime', 'pragma'], note: ['no-cache']}],
	['a targeted field', {'CDN-Cache-Control': 'max-age=60'}, {note: ['cdn-cache-control']}, {settings: {targets: ['cdn-cache-control']}}],
	['directives that are ignored', {}, {note: ['lifetime', 'cache-control']}, {settings: {heedsCacheControl: false}}],
	// Fields
	['no validator', {ETag: []}, {warning: ['validators']}],
	['a weak tag', {ETag: 'W/"1"'}, {}],
	['a tag without quotes', {ETag: '1'}, {warning: ['etag']}],
	['a date', {ETag: [], 'Last-Modified': date(-1000)}, {}],
	['Vary', {Vary: 'Accept, Accept-Language'}, {}],
	['Vary by clients', {Vary: 'User-Agent, Accept'}, {warning: ['vary']}],
	['Vary by many fields', {Vary: 'a, b, c, d, e'}, {warning: ['vary']}],
	['an encoding without Vary', {}, {warning: ['vary']}, {contentEncoding: 'gzip'}],
	['an encoding with Vary', {Vary: 'Accept-Encoding'}, {}, {contentEncoding: 'gzip'}],
	['a cookie for everybody', {'Set-Cookie': 'a=1'}, {warning: ['set-cookie']}],
	['a cookie of a private cache', {'Set-Cookie': 'a=1'}, {}, {settings: privateSettings}],
	['a cookie that is left out', {'Set-Cookie': 'a=1', 'Cache-Control': 'max-age=60, no-cache="set-cookie"'}, {note: ['no-cache']}],
];

for (const [what, fields, {failure = [], warning = [], note = []}, more] of cases) {
	test(`examined: ${what}`, () => {
		const findings = examined({...sound, ...fields}, more);
		assert.deepEqual({failure: found(findings, 'failure'), warning: found(findings, 'warning'), note: found(findings, 'note')}, {failure, warning, note});
	});
}

test('each clause of storability is told, met or not, and each fault with a way to mend it', () => {
	const findings = cases.flatMap(([, fields, , more]) => examined({...sound, ...fields}, more));
	for (const {level, text, mend, about} of findings) {
		assert.match(text, /^[A-Z`].*\.$/v);
		assert.equal(mend !== undefined, level === 'warning' || level === 'failure', about);
		assert.match(mend ?? 'Nothing.', /^[A-Z`].*\.$/v);
	}

	const clauses = examined(sound).slice(0, 13).map(({about}) => about);
	assert.deepEqual(clauses, [
		'method',
		'status',
		'partial',
		'request-no-store',
		'must-understand',
		'no-store',
		'private',
		'authorization',
		'vary-star',
		'credentials',
		'not-explicit',
		'set-cookie',
		'not-reusable',
	]);
});

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/reasons.md'), 'utf8');

const rowsUnder = (heading: string): ReadonlyMap<string, string> =>
	new Map(
		(page.split(/^## /mv).find(each => each.startsWith(`\`${heading}\`\n`)) ?? '')
			.split('\n')
			.filter(line => line.startsWith('| `\''))
			.map(line => [/'(?<name>[^']+)'/v.exec(line)?.groups?.name ?? '', line]),
	);

test('the sections that explain() names are those of docs/reasons.md', () => {
	for (const [heading, texts] of [['reason', decisionTexts], ['notStored', refusalTexts]] as const) {
		const rows = rowsUnder(heading);
		for (const [reason, {text, rfc}] of Object.entries(texts)) {
			assert.match(text, /^[A-Z].*\.$/v);
			const named = /\[?RFC \d+ §[\d.]+/v.exec(rows.get(reason) ?? '')?.[0].replace(/\.$/v, '');
			if (named !== undefined) {
				assert.equal(rfc, named, reason);
			}
		}
	}
});
