import process from 'node:process';

/** Whether only the fast tests run: `test/run.ts` says so. */
const isFast = process.env.FAST_TESTS !== undefined;

/** The options of a test that starts processes, or waits for seconds, in a file of fast ones: `npm run test:fast` leaves it out. */
export const unlessFast = {skip: isFast && 'not among the fast tests'};

/** How often a property is tried: a fourth of the given number, all of it with the environment variable `THOROUGH`, and a twentieth among the fast tests. */
export const runsOf = (count: number): number => {
	if (process.env.THOROUGH !== undefined) {
		return count;
	}

	return Math.ceil(count / (isFast ? 20 : 4));
};

/** The tries of a property, for fast-check: always the same ones by default, and others each time with `THOROUGH`. */
export const triesOf = (count: number): {readonly numRuns: number; readonly seed?: number} => ({
	numRuns: runsOf(count),
	...process.env.THOROUGH === undefined && {seed: 9111},
});
