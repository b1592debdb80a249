import type {GotOptions} from './context.ts';

/** By an option that got 16 has no more. */
export const isGot15 = (options: Pick<GotOptions, 'request'>): boolean => 'searchParameters' in options;
