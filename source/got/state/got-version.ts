import type {GotOptions} from './got-options.ts';

type Versioned = Pick<GotOptions, 'request'>;

/** By an option that got 16 has no more. */
export const isBeforeGot16 = (options: Versioned): boolean => 'searchParameters' in options;

/** By a method that came with got 15. */
export const isGot14 = (options: Versioned): boolean => !('getInternalHeaders' in options);

/** The header fields of a request as a plain object. From got 15 on, the option `headers` is a proxy of it. */
export const plainHeaders = (options: Pick<GotOptions, 'headers'> & Partial<Pick<GotOptions, 'getInternalHeaders'>>): GotOptions['headers'] => options.getInternalHeaders?.() ?? options.headers;
