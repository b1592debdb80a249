/*
Labels of metrics have few values, since each value is a time series for good: a process may meet any number of origins.
*/

/**
Makes a value for each of the first names, and one value for all others.

@param most - The number of names with a value of their own.
@param make - Makes the value of a name; of `undefined` for all others.
*/
export const createBounded = <Value>(most: number, make: (name: string | undefined) => Value): ((name: string) => Value) => {
	const values = new Map<string, Value>();
	let others: {readonly value: Value} | undefined;

	return name => {
		const known = values.get(name);
		if (known !== undefined) {
			return known;
		}

		if (values.size < most) {
			const value = make(name);
			values.set(name, value);
			return value;
		}

		others ??= {value: make(undefined)};
		return others.value;
	};
};

/** The part of an absolute URL before its path: scheme, host and port. */
export const originOf = (url: string): string => {
	const end = url.indexOf('/', url.indexOf('//') + 2);
	return end === -1 ? url : url.slice(0, end);
};

/** The bounds of histograms of durations, in seconds: a look-up in memory takes 0.1 ms, one in Redis 1 ms, and an origin may take seconds. */
export const durationBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000].map(ms => ms / 1000);

/** The number of origins that are counted by themselves. */
export const maxOrigins = 64;

/** The types of errors with time series of their own. */
const maxErrorTypes = 32;

/** A code such as `ECONNREFUSED`, as opposed to a text that somebody put there. */
const isCode = (value: unknown): value is string => typeof value === 'string' && /^\w{1,64}$/v.test(value);

/**
Returns a function that names the type of an error: its `code`, or else its name. After 32 types, all others are `other`.
*/
export const createErrorTypes = (other: string): ((error: Error) => string) => {
	const typeOf = createBounded(maxErrorTypes, name => name ?? other);

	return error => {
		const {code, name} = error as {readonly code?: unknown; readonly name: string};
		return typeOf(isCode(code) ? code : name);
	};
};
