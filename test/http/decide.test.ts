import assert from 'node:assert/strict';
import test from 'node:test';
import {decide} from '../../source/http/decide.ts';
import {decideTable, storedOf} from './decide.table.ts';
import {afterSeconds, requestWith, settingsWith} from './helpers.ts';

for (const row of decideTable) {
	const {what, after = 0, request = {}, method, settings, expected, added} = row;

	test(`${what}: ${expected}`, () => {
		const stored = storedOf(row);
		const decision = decide(requestWith(request, method), stored, afterSeconds(after), settingsWith(settings));

		assert.equal(`${decision.kind}: ${decision.reason}`, expected);

		if (decision.kind === 'reuse' || decision.kind === 'validate') {
			assert.equal(decision.stored, stored);
		}

		if (added) {
			assert.deepEqual(decision.kind === 'validate' ? decision.headers : decision.kind === 'reuse' && decision.refresh, added);
		}

		if (decision.kind === 'reuse' && decision.reason !== 'stale-while-revalidate') {
			assert.equal(decision.refresh, undefined);
		}
	});
}

test('a stored response that cannot be validated is kept in mind for a failure', () => {
	const row = decideTable.find(({expected}) => expected === 'fetch: no-validator');
	const stored = row && storedOf(row);
	const decision = decide(requestWith(), stored, afterSeconds(61), settingsWith());

	assert.equal(decision.kind === 'fetch' && decision.stored, stored);
});
