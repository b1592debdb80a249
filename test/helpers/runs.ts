import process from 'node:process';

/** How often a property is tried: a fourth of the given number, and all of it with the environment variable `THOROUGH`. */
export const runsOf = (count: number): number => process.env.THOROUGH === undefined ? Math.ceil(count / 4) : count;

/** The tries of a property, for fast-check: always the same ones by default, and others each time with `THOROUGH`. */
export const triesOf = (count: number): {readonly numRuns: number; readonly seed?: number} => ({
	numRuns: runsOf(count),
	...process.env.THOROUGH === undefined && {seed: 9111},
});
