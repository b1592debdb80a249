import {StoreError} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';

/*
The failures of the library and of Redis, as a user of the command line can act on them.
*/

/** Redis asks for a password, or refuses one, or a command, or a key. */
const refusals = /NOAUTH|WRONGPASS|NOPERM|invalid password|without any password|ERR AUTH|does not let this user/v;

const outcomeOf = (error: Error): Outcome => refusals.test(error.message) ? 'refused' : 'unreachable';

const storeErrorIn = (error: unknown): StoreError | undefined => {
	for (let each = error; each instanceof Error; each = each.cause) {
		if (each instanceof StoreError) {
			return each;
		}
	}

	return undefined;
};

const noPassword = 'Give the password in the URL, as in --store redis://user:password@host, or better in the environment variable REDIS_URL, which other users of this machine do not see';

const withoutPassword = [/Are user and password right\?.*$/v, noPassword] as const;

/** The advice for programs, in terms of the command line. */
const replacements: ReadonlyArray<readonly [advice: RegExp, replacement: string]> = [
	[/Give what createCluster\(\) of node-redis makes, as in .*$/v, 'Add --cluster'],
	[/: give the address of its master, or what createSentinel\(\) of node-redis makes/v, ': give the address of its master with --store'],
	[/: give it, as in \{store: \{url, socket: \{tls: true, ca\}\}\}, or set NODE_EXTRA_CA_CERTS/v, ': name its file in the environment variable NODE_EXTRA_CA_CERTS'],
	[/The option `timeout` says how long it is waited for/v, '--timeout says how long it is waited for'],
	[/Nothing listens there: is Redis running, and are host and port right\?/v, 'Nothing listens there: start Redis, or give its address with --store or REDIS_URL'],
	[/escape them with encodeURIComponent\(\)/v, 'write special characters as percent escapes, such as %40 for @'],
	[/cluster support disabled.*$/v, 'cluster support disabled. This Redis is no cluster: leave --cluster out'],
	[/^got-redis-cache: /v, ''],
];

export const toCommandLine = (message: string): string => {
	let told = message;
	for (const [advice, replacement] of [...message.includes('NOAUTH') ? [withoutPassword] : [], ...replacements]) {
		told = told.replace(advice, () => replacement);
	}

	return told;
};

/** The failure of a store that did not do what was asked. */
export const storeFailure = (error: Error): Failure => new Failure(outcomeOf(error), toCommandLine(error.message), error);

const optionNames: ReadonlyMap<string, string> = new Map([['olderThan', 'older-than']]);

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

	return error instanceof TypeError && /^(?:Expected|Unknown (?:option|property)|The (?:option|property)) /v.test(error.message) ? usageFailure(error) : undefined;
};
