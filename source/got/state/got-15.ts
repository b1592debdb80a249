import type {GotOptions} from './got-options.ts';

/** By an option that got 16 has no more. */
export const isGot15 = (options: Pick<GotOptions, 'request'>): boolean => 'searchParameters' in options;
