import {StoreError} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {toCommandLine} from './advice.ts';

/*
The failures of the library and of Redis, as a user of the command line can act on them.
*/

/** Redis asks for a password, refuses one, or a command, or a key, or takes no writes. */
const refusals = /MISCONF|NOAUTH|OOM|READONLY|WRONGPASS|NOPERM|invalid password|without any password|ERR AUTH|does not let this user/v;

const outcomeOf = (error: Error): Outcome => refusals.test(error.message) ? 'refused' : 'unreachable';

const storeErrorIn = (error: unknown): StoreError | undefined => {
	for (let each = error; each instanceof Error; each = each.cause) {
		if (each instanceof StoreError) {
			return each;
		}
	}

	return undefined;
};

/** The failure of a store that did not do what was asked. */
export const storeFailure = (error: Error): Failure => new Failure(outcomeOf(error), toCommandLine(error.message), error);

const optionNames: ReadonlyMap<string, string> = new Map([['olderThan', 'older-than']]);

/** An origin with a path, with the origin that it begins with. */
const originWithoutPath = (url: string, consequence: string): string =>
	`'${url}' is no origin, because it has a path: give ${URL.parse(url)?.origin ?? 'one without'} (${consequence.replaceAll(/`(?<name>prefix|url)`/gv, '--$<name>')})`;

/** An argument that the library refuses, by the name that it has on the command line. */
const usageFailure = ({message}: TypeError): Failure =>
	new Failure(
		'wrongUsage',
		message
			.replace(
				/^Expected the (?:option|property) `(?<name>\w+)` in \w+\(\) to be (?<expected>.*), got (?<given>.*)$/sv,
				(_match, name: string, expected: string, given: string) => `--${optionNames.get(name) ?? name} is ${given}: give ${expected}`,
			)
			.replace(
				/^Expected `duration` in \w+\(\) to be (?<expected>.*), got (?<given>.*)$/sv,
				(_match, expected: string, given: string) => `--for is ${given}: give ${expected}`,
			)
			.replace(
				/^The option `store` is (?<given>.*?): expected .*$/sv,
				'--store is $<given>: give a URL such as redis://localhost:6379, rediss://user:password@host:6380, unix:///run/redis.sock or sqlite:./cache.db',
			)
			.replace(
				/^Expected the property `origin` in \w+\(\) without a path, got '(?<url>[^']*)': (?<consequence>.*)$/sv,
				(_match, url: string, consequence: string) => originWithoutPath(url, consequence),
			)
			.replace(/^The option `(?<name>\w+)`/v, '--$<name>')
			.replace(/ in (?:get|delete|explain|getByKey|deleteByKey|has|entries|invalidate|freeze|bypass|thaw)\(\)/v, '')
			.replace(/(?<=write '\w+' for seconds), or the number \d+ for milliseconds/v, '')
			.replace(
				/(?<=a duration longer than zero, and no longer than two days): a duration: milliseconds, or a string such as '(?<example>[^']+)'(?:, and not negative)?/v,
				', such as $<example>',
			)
			.replace(
				/a duration(?<more> longer than zero)?: milliseconds, or a string such as '(?<example>[^']+)'(?:, and not negative)?/v,
				'a duration$<more> such as $<example>',
			)
			.replace(/(?<=write '\w+' for seconds): give /v, ', or give ')
			.replace(/; or a Date$/v, '')
			.replace(/; did you mean `pattern`, as in .*$/v, '; for a pattern, use --pattern'),
	);

/**
Makes a failure of anything that was thrown.

@returns `undefined` for an error of this program.
*/
export const toFailure = (error: unknown): Failure | undefined => {
	if (error instanceof Failure) {
		return error;
	}

	const storeError = storeErrorIn(error);
	if (storeError) {
		return storeFailure(storeError);
	}

	// The store has not given a list or statistics.
	if (error instanceof Error && error.message.startsWith('got-redis-cache: ')) {
		return storeFailure(error);
	}

	return error instanceof TypeError && /^(?:Expected|Unknown (?:option|property)|The (?:option|property)) /v.test(error.message) ? usageFailure(error) : undefined;
};
