import * as gotModule from 'got';

/*
Got, as this package finds it. A namespace, since an older got does not export by name all that the cache needs, and would fail before anybody could say why.
*/

type Candidate = {
	/** An option that came with got 14.6. */
	readonly strictContentLength?: unknown;
};

/**
@param options - An `Options` of got's, or its prototype; `undefined` for got 11, which had none.
@throws {TypeError} If it is of a got before 14.6.
*/
export const requireCurrentGot = (options: Candidate | undefined): void => {
	if (!options || !('strictContentLength' in options)) {
		throw new TypeError('got-redis-cache needs got 14.6 or later, and this is an older one: npm install got@latest');
	}
};

/** The prototype of its options. */
export const optionsOfGot = (): Candidate | undefined => (gotModule as Partial<typeof gotModule>).Options?.prototype;

export * as gotModule from 'got';
