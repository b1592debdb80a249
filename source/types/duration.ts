import parse, {type StringValue} from 'ms';

/**
A length of time: a number of milliseconds, as in got and Keyv, or a string with a unit, such as `'90s'`, `'15m'`, `'1h'` or `'7 days'`.
*/
export type Duration = number | Exclude<StringValue, `${number}`>;

/** Such a string may have been meant in seconds, as other caches take it, or come from an environment variable. */
export const lacksUnit = (value: unknown): value is string => typeof value === 'string' && /^\s*(?:\d+\.?|\d*\.\d+)\s*$/v.test(value);

/**
@returns Milliseconds, or `undefined` if `value` is no length of time or a negative one.
*/
export const parseDuration = (value: unknown): number | undefined => {
	// `ms` refuses strings of over 100 characters with an exception.
	const milliseconds = typeof value === 'string' && value.trim() !== '' && value.length <= 100 && !lacksUnit(value) ? parse(value) : value;

	return typeof milliseconds === 'number' && Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : undefined;
};
