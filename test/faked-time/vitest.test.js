import {expect, test, vi} from 'vitest';
import {expectedOutcome, runScenario} from '../got/faked-time-scenario.ts';

/*
For vitest, which has its files run by itself.
*/

test('a cache follows the clock', async () => {
	const outcome = await runScenario({
		fake(toFake) {
			vi.useFakeTimers({now: Date.now(), ...toFake && {toFake}});
		},
		advance(ms) {
			vi.setSystemTime(Date.now() + ms);
		},
		restore() {
			vi.useRealTimers();
		},
	});
	expect(outcome).toEqual(expectedOutcome);
}, 30_000);
