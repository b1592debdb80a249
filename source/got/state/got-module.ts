import * as gotModule from 'got';

/*
Got, as this package finds it. A namespace, since an older got does not export by name all that the cache needs, and would fail before anybody could say why.
*/

type Candidate = {
	readonly getInternalHeaders?: unknown;
};

/**
@param options - An `Options` of got's, or its prototype; `undefined` for got 11, which had none.
@throws {TypeError} If it is of got 14 or older.
*/
export const requireCurrentGot = (options: Candidate | undefined): void => {
	if (typeof options?.getInternalHeaders !== 'function') {
		throw new TypeError('got-redis-cache needs got 15 or 16, and this is got 14 or older: npm install got@latest');
	}
};

/** The prototype of its options. */
export const optionsOfGot = (): Candidate | undefined => (gotModule as Partial<typeof gotModule>).Options?.prototype;

export * as gotModule from 'got';
