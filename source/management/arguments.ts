import {
	describe,
	describeDuration,
	describeLifetime,
	describeRedacted,
	durationExpected,
	isBoolean,
	isDuration,
	isString,
	validate,
} from '../options/validate.ts';
import {parseDuration} from '../types/duration.ts';
import type {EntriesOptions} from './filters.ts';

/*
Checks of the arguments of a cache's methods. A mistake is to be reported, rather than that nothing was found.
*/

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof URL);

export const isFilled = (value: unknown): value is string => isString(value) && value !== '';

const numerals = ['no argument', 'one argument', 'two arguments'];

/**
Arguments that a method does not take. To pass over them would be to do less than it was told.

@param more - The arguments behind those that the method takes.
@throws {TypeError} If there are any.
*/
export const refuseMore = (more: readonly unknown[], expected: 0 | 1 | 2, where: string, hint?: string): void => {
	if (more.length > 0) {
		throw new TypeError(`Expected ${expected === 0 ? numerals[0] : `at most ${numerals[expected]}`} in ${where}, got ${expected + more.length}${hint === undefined ? '' : `: ${hint}`}`);
	}
};

/**
@returns The milliseconds.
@throws {TypeError} If it is no duration for which a switch can be in force.
*/
export const checkSwitchDuration = (given: unknown, where: string): number => {
	const milliseconds = parseDuration(given);
	if (milliseconds === undefined || milliseconds === 0) {
		throw new TypeError(`Expected \`duration\` in ${where} to be a duration longer than zero: milliseconds, or a string such as '30m', got ${describeDuration(given)}`);
	}

	return milliseconds;
};

/**
A key as the store has it, without the namespace.

@throws {TypeError} If it is none of this cache.
*/
export const checkStoreKey = (given: unknown, where: string, namespace: string): string => {
	const prefix = `${namespace}:`;
	const key = isString(given) && given.startsWith(prefix) ? given.slice(prefix.length) : given;
	if (!isString(key) || !/^\{[^\{\}]+\}(?::.+)?$/sv.test(key)) {
		throw new TypeError(`Expected a key of this cache in ${where}, such as '${prefix}{…}', got ${describeRedacted(given)}`);
	}

	return key;
};

/**
@throws {TypeError} If it is not what `entries()` can be told beside a filter.
*/
export const checkEntriesOptions = (given: unknown, where: 'entries()' | 'export()'): EntriesOptions => {
	if (!isObject(given)) {
		throw new TypeError(`Expected an object with options in ${where}, got ${describeRedacted(given)}`);
	}

	validate(
		given,
		{onUnreadable: [value => typeof value === 'function', 'a function']},
		{
			where,
			noun: 'property',
			hint: () => `one filter has all properties, as in ${where.replace('()', '')}({tag, origin}); the second argument takes \`onUnreadable\``,
		},
	);
	return given;
};

const hourMs = 60 * 60 * 1000;

/** The longest time that the statistics of a fleet go back, in milliseconds. */
export const longestSinceMs = 48 * hourMs;

const isSince = (value: unknown): boolean => {
	const sinceMs = parseDuration(value) ?? 0;
	return sinceMs > 0 && sinceMs <= longestSinceMs;
};

const minuteMs = 60_000;

const isStep = (value: unknown): boolean => {
	const stepMs = parseDuration(value) ?? 0;
	return stepMs > 0 && stepMs <= longestSinceMs && stepMs % minuteMs === 0;
};

/** The time that statistics go back, and the length of the steps of their timeline, in milliseconds. */
export type StatsPeriod = {
	readonly sinceMs: number;
	/** Whole minutes; `undefined` without a timeline. */
	readonly stepMs: number | undefined;
};

/**
@throws {TypeError} If it is not what `fleetStats()` can be told.
*/
export const checkStatsPeriod = (given: unknown = {}): StatsPeriod => {
	validate(given, {
		since: [isSince, `a duration longer than zero, and no longer than two days: ${durationExpected}`, describeDuration],
		step: [isStep, `a duration of whole minutes, and no longer than two days: ${durationExpected}`, describeDuration],
	}, {where: 'fleetStats()', noun: 'property'});
	const {since, step} = given as {readonly since?: unknown; readonly step?: unknown};

	return {sinceMs: parseDuration(since) ?? hourMs, stepMs: parseDuration(step)};
};

const eventNames: ReadonlySet<unknown> = new Set(['error', 'degraded', 'recovered', 'failover', 'closed', 'exchange']);

/**
@throws {TypeError} If there is no such event: nobody would ever hear of it.
*/
export const checkEventName = (given: unknown, where: string): void => {
	if (!eventNames.has(given)) {
		throw new TypeError(`Expected one of ${[...eventNames].join(', ')} in ${where}, got ${describe(given)}`);
	}
};

/**
@throws {TypeError} If it is not what a method can be told.
*/
export const checkFlag = <Name extends string>(given: unknown, name: Name, where: string): Partial<Record<Name, boolean>> => {
	if (given === undefined) {
		return {};
	}

	if (!isObject(given)) {
		throw new TypeError(`Expected an object such as {${name}: true} in ${where}, got ${describe(given)}`);
	}

	validate(given, {[name]: [isBoolean, 'a boolean']}, {where, noun: 'property'});
	return given as unknown as Partial<Record<Name, boolean>>;
};

/**
@throws {TypeError} If it is no lifetime that what is stored can have.
*/
export const checkLifetime = (given: unknown, where: string): void => {
	if (given === 'never' || isDuration(given)) {
		return;
	}

	const hint = given === 'no-store' ? '; delete() removes what is stored' : '';
	throw new TypeError(`Expected \`expireAfter\` in ${where} to be ${durationExpected}; or 'never', got ${describeLifetime(given)}${hint}`);
};
