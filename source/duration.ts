import parse, {type StringValue} from 'ms';

/**
A length of time: milliseconds, as in got and Keyv, or a string such as `'90s'`, `'15m'`, `'1h'` or `'7 days'`.
*/
export type Duration = number | StringValue;

/**
@returns Milliseconds, or `undefined` if `value` is no length of time or a negative one.
*/
export const parseDuration = (value: unknown): number | undefined => {
	// `ms` refuses strings of over 100 characters with an exception.
	const milliseconds = typeof value === 'string' && value.trim() !== '' && value.length <= 100 ? parse(value as StringValue) : value;

	return typeof milliseconds === 'number' && Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : undefined;
};
