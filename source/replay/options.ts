import {isCredentialName} from '../http/credentials.ts';
import {describe, isFieldName, isString, validate, type Rule} from '../options/validate.ts';

/** Where responses come from: `'replay'` from the folder alone, `'record'` from the network, `'auto'` from the folder, and from the network if there is no recording. */
export type ReplayMode = 'replay' | 'record' | 'auto';

/** Options of `replay()`: the folder, the mode, and the parts of a request that distinguish recordings. */
export type ReplayOptions = {
	/**
	The folder of the recordings, relative to the current directory. It is made when the first recording is written, and holds nothing else that ends in `.json`.
	*/
	folder: string;

	/**
	Where responses come from.

	- `'replay'`: the folder. A request without a recording fails, and nothing is sent.
	- `'record'`: the network. Each response is written to the folder, in place of what was recorded for the same request before.
	- `'auto'`: the folder, and the network for what is missing there, which is then recorded.

	@default 'replay'

	@example
	```
	replay({folder: 'test/fixtures', mode: process.env.RECORD ? 'record' : 'replay'});
	```
	*/
	mode?: ReplayMode | undefined;

	/**
	Query parameters, and members of a JSON object or fields of a form in the request's body, that do not distinguish requests, such as a timestamp. Upper and lower case are the same. They are not written.

	@default []
	*/
	ignoreParameters?: readonly string[] | undefined;

	/**
	Request header fields that distinguish requests, besides those that the response names in `Vary`, and `Range` and preconditions, such as `If-None-Match`. Their values are written.

	@default []
	*/
	matchHeaders?: readonly string[] | undefined;

	/**
	Request header fields that do not distinguish requests, although they would by default.

	@default []
	*/
	ignoreHeaders?: readonly string[] | undefined;

	/**
	Names of secrets, besides the known ones, such as `Authorization`, `Cookie` and `api_key`: of header fields, query parameters, form fields, and members of JSON in the bodies of requests and responses. Their values are written as `REDACTED`, and do not distinguish requests.

	@default []
	*/
	secrets?: readonly string[] | undefined;
};

const modes: readonly unknown[] = ['replay', 'record', 'auto'] satisfies ReplayMode[];

const isListOf = (isMember: (value: unknown) => boolean) => (value: unknown): boolean => Array.isArray(value) && value.every(each => isMember(each));

const rules: Readonly<Record<keyof ReplayOptions, Rule>> = {
	folder: [value => isString(value) && value !== '', 'the path of a folder, such as \'test/fixtures\''],
	mode: [value => modes.includes(value), '\'replay\', \'record\' or \'auto\''],
	ignoreParameters: [isListOf(isString), 'an array of names'],
	matchHeaders: [isListOf(isFieldName), 'an array of names of header fields'],
	ignoreHeaders: [isListOf(isFieldName), 'an array of names of header fields'],
	secrets: [isListOf(isString), 'an array of names'],
};

/** The options that say which requests are the same, in lower case. */
export type MatchingRules = {
	readonly ignoredParameters: ReadonlySet<string>;
	readonly matchedHeaders: ReadonlySet<string>;
	readonly ignoredHeaders: ReadonlySet<string>;
	/** Whether the value of a header field, parameter or member is a secret. */
	readonly isSecret: (name: string) => boolean;
	/** Whether the user named the secret. */
	readonly isOwnSecret: (name: string) => boolean;
};

export type ReplaySettings = {
	readonly folder: string;
	readonly mode: ReplayMode;
	readonly matching: MatchingRules;
};

const lowerCase = (names: readonly string[] = []): ReadonlySet<string> => new Set(names.map(name => name.toLowerCase()));

/**
@throws {TypeError} If an option is missing, unknown, of the wrong type, or contradicts another.
*/
export const resolveReplayOptions = (options: ReplayOptions, where = 'replay()'): ReplaySettings => {
	validate(options, rules, {where, noun: 'option'});
	const {folder, mode = 'replay', ignoreParameters, matchHeaders, ignoreHeaders, secrets} = options;
	if (folder === undefined) {
		throw new TypeError(`Expected the option \`folder\` in ${where} to be ${rules.folder[1]}, got ${describe(folder)}`);
	}

	const secretNames = lowerCase(secrets);
	const isOwnSecret = (name: string) => secretNames.has(name.toLowerCase());
	const isSecret = (name: string) => isOwnSecret(name) || isCredentialName(name);
	const secretHeader = matchHeaders?.find(name => isSecret(name));
	if (secretHeader !== undefined) {
		throw new TypeError(
			`The option \`matchHeaders\` in ${where} names \`${secretHeader}\`, a secret, which is not written and can't distinguish recordings: leave it out, or use a folder for each user`,
		);
	}

	return {
		folder,
		mode,
		matching: {
			ignoredParameters: lowerCase(ignoreParameters),
			matchedHeaders: lowerCase(matchHeaders),
			ignoredHeaders: lowerCase(ignoreHeaders),
			isSecret,
			isOwnSecret,
		},
	};
};
