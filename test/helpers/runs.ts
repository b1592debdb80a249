import process from 'node:process';

/** How often a property of requests is tried: a fourth of the given number, and all of it with the environment variable `THOROUGH`. Each run of the tests tries others. */
export const runsOf = (count: number): number => process.env.THOROUGH === undefined ? Math.ceil(count / 4) : count;
