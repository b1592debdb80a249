import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {describe} from '../../source/observe/info.ts';
import type {Decision} from '../../source/http/decision.ts';
import {decisionTexts, refusalTexts} from '../../source/http/reason-texts.ts';
import type {Outcome, SharedOutcome} from '../../source/http/outcome.ts';
import type {CacheInfo} from '../../source/index.ts';
import {now, storedWith} from '../http/helpers.ts';

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/reasons.md'), 'utf8');

/** The cells of a section's table, the first of them without what makes it code. */
const rowsOf = (heading: string): string[][] => {
	const section = page.split(/^## /mv).find(each => each.startsWith(`${heading}\n`)) ?? '';
	const rows = section.split('\n').filter(line => line.startsWith('| `\''));
	return rows.map(row => row.split('|').slice(1, -1).map(cell => cell.replaceAll(/[\s'`]/gv, '')));
};

const namesIn = (heading: string): string[] => rowsOf(heading).map(([name = '']) => name).toSorted();

// The compiler sees to it that none is left out of these.
const statuses: Readonly<Record<CacheInfo['status'], true>> = {
	hit: true,
	stale: true,
	revalidated: true,
	miss: true,
	bypass: true,
	unavailable: true,
};

type Kind = Decision['kind'] | Outcome['kind'] | SharedOutcome['kind'];

const kinds: Readonly<Record<CacheInfo['reason'], readonly Kind[]>> = {
	disabled: ['bypass'],
	filtered: ['bypass'],
	method: ['bypass'],
	'no-store': ['bypass'],
	'unkeyable-body': ['bypass'],
	'other-cache': ['bypass'],
	'changing-request': ['bypass'],
	'bypassed-by-operator': ['bypass'],
	'not-stored': ['fetch'],
	'vary-mismatch': ['fetch'],
	reload: ['fetch'],
	'no-validator': ['fetch'],
	'own-conditional': ['fetch'],
	'range-not-stored': ['fetch'],
	fresh: ['reuse'],
	immutable: ['reuse'],
	'max-stale': ['reuse'],
	'stale-while-revalidate': ['reuse'],
	'force-cache': ['reuse'],
	'only-if-cached': ['reuse', 'unavailable'],
	frozen: ['reuse', 'unavailable'],
	stale: ['validate'],
	'no-cache': ['validate'],
	invalidated: ['validate'],
	'request-no-cache': ['validate'],
	'request-max-age': ['validate'],
	'request-min-fresh': ['validate'],
	'always-revalidate': ['validate'],
	'range-incomplete': ['validate'],
	combined: ['combine'],
	'not-modified': ['freshen'],
	'error-status': ['reuse-stale'],
	'network-error': ['reuse-stale'],
	timeout: ['reuse-stale'],
	'rate-limited': ['reuse-stale'],
	'validator-mismatch': ['refetch'],
	collapsed: ['share'],
};

const notStored: Readonly<Record<NonNullable<CacheInfo['notStored']>, true>> = {
	bypassed: true,
	'read-only': true,
	method: true,
	status: true,
	'request-no-store': true,
	'no-store': true,
	private: true,
	authorization: true,
	credentials: true,
	'must-understand': true,
	'vary-star': true,
	'set-cookie': true,
	'not-explicit': true,
	'not-reusable': true,
	partial: true,
	'not-modified': true,
	head: true,
	filtered: true,
	invalidated: true,
	'store-unavailable': true,
	incomplete: true,
	'too-large': true,
	'past-time-to-live': true,
	error: true,
};

const decisionKinds: ReadonlySet<Kind> = new Set(['bypass', 'fetch', 'reuse', 'validate', 'unavailable'] satisfies Array<Decision['kind']>);

const statusFor = (kind: Kind, reason: string): string => {
	const stored = storedWith({'Cache-Control': 'max-age=60'});
	const isDecision = decisionKinds.has(kind);
	const decision = isDecision ? {kind, reason, stored} : {kind: 'validate', reason: 'stale', stored};
	const settlement = isDecision ? undefined : {outcome: {kind, reason, stored}};
	const {status, reason: told} = describe({exchange: {decision, key: ''}, settlement} as never, now);
	assert.equal(told, reason);
	return status;
};

test('docs/reasons.md has every status, and no other', () => {
	assert.deepEqual(namesIn('Status'), Object.keys(statuses).toSorted());
});

test('docs/reasons.md has every reason, and no other, with the statuses that it comes with', () => {
	const told = rowsOf('Reason').map(([reason = '', status]) => [reason, status] as const);
	assert.deepEqual(Object.fromEntries(told), Object.fromEntries(Object.entries(kinds).map(([reason, its]) => [reason, its.map(kind => statusFor(kind, reason)).join(',')])));
	assert.equal(told.length, Object.keys(kinds).length);
});

/** The last cell of each row of a section's table: what to do. */
const adviceIn = (heading: string): Map<string, string> =>
	new Map(
		(page.split(/^## /mv).find(each => each.startsWith(`${heading}\n`)) ?? '')
			.split('\n')
			.filter(line => line.startsWith('| `\''))
			.map(row => {
				const cells = row
					.split('|')
					.slice(1, -1)
					.map(cell => cell.trim());
				return [cells[0]?.replaceAll(/['`]/gv, '') ?? '', cells.at(-1) ?? ''];
			}),
	);

const toCell = (mend: string | undefined): string => mend ?? '–';

test('docs/reasons.md says what to do about each reason, as explain() does', () => {
	const advice = adviceIn('Reason');
	for (const [reason, {mend}] of Object.entries(decisionTexts)) {
		assert.equal(advice.get(reason), toCell(mend), reason);
	}

	assert.ok(advice.values().every(cell => cell !== ''));
});

test('docs/reasons.md says how to have a response stored, as explain() does', () => {
	assert.deepEqual(Object.fromEntries(adviceIn('Not stored')), Object.fromEntries(Object.entries(refusalTexts).map(([reason, {mend}]) => [reason, toCell(mend)])));
});

test('docs/reasons.md has every reason why a response is not stored, and no other', () => {
	assert.deepEqual(namesIn('Not stored'), Object.keys(notStored).toSorted());
});
