import type {StringValue} from 'ms';
import {durations} from './packages.cjs';

/**
A duration: a number of milliseconds, as in got and Keyv, or a string with a unit, such as `'90s'`, `'15m'`, `'1h'` or `'7 days'`.
*/
export type Duration = number | Exclude<StringValue, `${number}`>;

/** A string without a unit is ambiguous: the caller may have meant seconds, as in other caches, or read it from an environment variable. */
export const lacksUnit = (value: unknown): value is string => typeof value === 'string' && /^\s*(?:\d+\.?|\d*\.\d+)\s*$/v.test(value);

/**
@returns The milliseconds, or `undefined` if `value` is not a duration or is negative.
*/
export const parseDuration = (value: unknown): number | undefined => {
	// `ms` throws on strings of more than 100 characters.
	const milliseconds = typeof value === 'string' && value.trim() !== '' && value.length <= 100 && !lacksUnit(value) ? durations()(value) : value;

	return typeof milliseconds === 'number' && Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : undefined;
};

/** A duration in a message: whole seconds as seconds, anything else in milliseconds. */
export const durationInWords = (milliseconds: number): string => {
	if (milliseconds < 1000 || milliseconds % 1000 !== 0) {
		return `${milliseconds} ms`;
	}

	const seconds = milliseconds / 1000;
	return seconds === 1 ? '1 second' : `${seconds} seconds`;
};
