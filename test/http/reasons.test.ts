import assert from 'node:assert/strict';
import test from 'node:test';
import type {BypassReason, MissReason, ReuseReason, ValidateReason} from '../../source/http/decision.ts';
import type {PassReason, SharedOutcome, StaleReason} from '../../source/http/outcome.ts';
import {reasonsTable} from '../got/reasons.table.ts';
import {decideTable} from './decide.table.ts';
import {settleTable} from './settle.table.ts';

/** Who comes to a reason: the rules, which the tables cover, or whoever carries them out. The compiler sees to it that none is left out. */
type Origin = 'rules' | 'elsewhere';

const decisionReasons: Readonly<Record<BypassReason | MissReason | ReuseReason | ValidateReason, Origin>> = {
	disabled: 'elsewhere',
	filtered: 'elsewhere',
	'unkeyable-body': 'elsewhere',
	'other-cache': 'elsewhere',
	'changing-request': 'elsewhere',
	'bypassed-by-operator': 'rules',
	method: 'rules',
	'no-store': 'rules',
	'not-stored': 'rules',
	'vary-mismatch': 'rules',
	reload: 'rules',
	'no-validator': 'rules',
	'own-conditional': 'rules',
	'range-not-stored': 'rules',
	fresh: 'rules',
	immutable: 'rules',
	'max-stale': 'rules',
	'stale-while-revalidate': 'rules',
	'force-cache': 'rules',
	'only-if-cached': 'rules',
	frozen: 'rules',
	stale: 'rules',
	'no-cache': 'rules',
	invalidated: 'rules',
	'request-no-cache': 'rules',
	'request-max-age': 'rules',
	'request-min-fresh': 'rules',
	'always-revalidate': 'rules',
	'range-incomplete': 'rules',
};

const outcomeReasons: Readonly<Record<PassReason | StaleReason | SharedOutcome['reason'] | 'stored' | 'combined' | 'not-modified' | 'validator-mismatch', Origin>> = {
	collapsed: 'elsewhere',
	'rate-limited': 'elsewhere',
	filtered: 'elsewhere',
	invalidated: 'elsewhere',
	'store-unavailable': 'elsewhere',
	incomplete: 'elsewhere',
	'too-large': 'elsewhere',
	'past-time-to-live': 'elsewhere',
	bypassed: 'rules',
	'read-only': 'rules',
	method: 'rules',
	status: 'rules',
	'request-no-store': 'rules',
	'no-store': 'rules',
	private: 'rules',
	authorization: 'rules',
	credentials: 'rules',
	'must-understand': 'rules',
	'vary-star': 'rules',
	'set-cookie': 'rules',
	'not-explicit': 'rules',
	'not-reusable': 'rules',
	partial: 'rules',
	'not-modified': 'rules',
	head: 'rules',
	error: 'rules',
	'error-status': 'rules',
	'network-error': 'rules',
	timeout: 'rules',
	stored: 'rules',
	combined: 'rules',
	'validator-mismatch': 'rules',
};

const reasonOf = (expected: string): string => expected.slice(expected.indexOf(': ') + 2);

const uncovered = (reasons: Readonly<Record<string, Origin>>, origin: Origin, covered: ReadonlyArray<string | undefined>): string[] =>
	Object.keys(reasons).filter(reason => reasons[reason] === origin && !covered.includes(reason));

test('the table of decisions has a row for each reason', () => {
	assert.deepEqual(uncovered(decisionReasons, 'rules', decideTable.map(({expected}) => reasonOf(expected))), []);
});

test('the table of outcomes has a row for each reason', () => {
	assert.deepEqual(uncovered(outcomeReasons, 'rules', settleTable.map(({expected}) => reasonOf(expected))), []);
});

test('the table of what happens to real requests has a row for each of the others', () => {
	assert.deepEqual(uncovered(decisionReasons, 'elsewhere', reasonsTable.map(({expected}) => expected.reason)), []);
	assert.deepEqual(uncovered(outcomeReasons, 'elsewhere', reasonsTable.flatMap(({expected}) => [expected.reason, expected.notStored])), []);
});
