import {parseArgs, type ParseArgsConfig} from 'node:util';
import type {Command} from './commands/command.ts';
import {createGiven, type Given} from './commands/given.ts';
import type {OptionRows} from './commands/options.ts';
import {globalOptions} from './global-options.ts';
import {Failure} from './terminal/failure.ts';

const toConfig = (options: OptionRows): NonNullable<ParseArgsConfig['options']> =>
	Object.fromEntries(
		Object.entries(options).map(([name, {type, short, multiple = false}]) => [name, {type, multiple, ...(short !== undefined && {short})}]),
	);

/** An option before the command, where only those of every command may stand: the value of any other would be taken for the command. */
const unknownBeforeCommand = ({name, rawName}: {readonly name: string; readonly rawName: string}): Failure =>
	new Failure('wrongUsage', `There is no option ${rawName} before a command: ${suggestion(suggestedOption(name), 'write the options of a command behind it; see got-redis-cache --help')}`);

/** Finds the command's name, which may stand behind options that every command takes. */
export const splitCommand = (arguments_: readonly string[]): {readonly name: string | undefined; readonly others: readonly string[]} => {
	const {tokens} = parseArgs({args: [...arguments_], options: toConfig(globalOptions), strict: false, allowPositionals: true, tokens: true});
	const token = tokens.find(({kind}) => kind === 'positional');
	const unknown = tokens.find(each => each.kind === 'option' && !Object.hasOwn(globalOptions, each.name) && each.index < (token?.index ?? Infinity));
	if (unknown?.kind === 'option') {
		throw unknownBeforeCommand(unknown);
	}

	return token?.kind === 'positional' ? {name: token.value, others: arguments_.toSpliced(token.index, 1)} : {name: undefined, others: arguments_};
};

/** The number of letters to change, add or remove. */
const distance = (one: string, other: string): number => {
	let row = Array.from({length: other.length + 1}, (_, position) => position);
	for (const [index, letter] of [...one].entries()) {
		const next = [index + 1];
		for (const [position, otherLetter] of [...other].entries()) {
			next.push(Math.min((row[position] ?? 0) + Number(letter !== otherLetter), (row[position + 1] ?? 0) + 1, (next[position] ?? 0) + 1));
		}

		row = next;
	}

	return row.at(-1) ?? 0;
};

/** The name that a misspelt one was likely meant to be. */
const nearest = (name: string, names: readonly string[]): string | undefined => {
	const [best] = names.map(each => ({each, difference: each.startsWith(name) ? 0 : distance(name, each)})).toSorted((one, other) => one.difference - other.difference);
	return best && best.difference <= Math.max(1, Math.round(name.length / 3)) ? best.each : undefined;
};

const suggestion = (nearestName: string | undefined, otherwise: string): string => nearestName === undefined ? otherwise : `did you mean ${nearestName}?`;

/** `-v` is what many programs call it. */
const suggestedOption = (name: string): string | undefined => {
	const near = name === 'v' || name === 'V' ? 'version' : nearest(name, Object.keys(globalOptions));
	return near && `--${near}`;
};

export const unknownCommand = (name: string, names: readonly string[]): Failure =>
	new Failure('wrongUsage', `There is no command '${name}': ${suggestion(nearest(name, names), `give one of ${names.join(', ')}`)}`);

const codeOf = (error: unknown): unknown => error instanceof Error && 'code' in error ? error.code : undefined;

/** Values that are never negative. */
const amounts: ReadonlySet<string | undefined> = new Set(['COUNT', 'DURATION', 'NUMBER', 'SECONDS']);

/** The negative number, or duration, that stands behind an option for an amount. */
const negativeValueOf = (option: string, row: OptionRows[string] | undefined, arguments_: readonly string[]): string | undefined => {
	const names = new Set([option, `-${row?.short ?? ''}`]);
	return amounts.has(row?.value) ? arguments_.find((argument, position) => /^-\.?\d/v.test(argument) && names.has(arguments_[position - 1] ?? '')) : undefined;
};

/** An error of `parseArgs()`, with what to do. */
const parseFailure = (error: Error, {name}: Command, options: OptionRows, arguments_: readonly string[]): Failure => {
	const seeHelp = `see got-redis-cache ${name} --help`;
	const unknown = /^Unknown option '(?<option>-[^']+)'/v.exec(error.message)?.groups?.option;
	if (unknown !== undefined) {
		const near = nearest(unknown.replace(/^-+/v, ''), Object.keys(options));
		return new Failure('wrongUsage', `There is no option ${unknown} of the command ${name}: ${suggestion(near && `--${near}`, seeHelp)}`);
	}

	const option = /--[\w\-]+/v.exec(error.message)?.[0] ?? '';
	if (error.message.includes('argument missing')) {
		return new Failure('wrongUsage', `The option ${option} of the command ${name} lacks its value: ${seeHelp}`);
	}

	const negative = negativeValueOf(option, options[option.slice(2)], arguments_);
	if (negative !== undefined && error.message.includes('argument is ambiguous')) {
		return new Failure('wrongUsage', `${option} is '${negative}': give a value that is not negative`);
	}

	if (error.message.includes('argument is ambiguous')) {
		return new Failure(
			'wrongUsage',
			`The option ${option} of the command ${name} is followed by an option in place of its value: give it one; a value that begins with a hyphen needs an equals sign, as in ${option}=-x`,
		);
	}

	return new Failure('wrongUsage', `${error.message.split('\n', 1)[0]?.replace(/\.$/v, '') ?? ''}: ${seeHelp}`);
};

/**
@throws {Failure} If an option is unknown or lacks its value, or there are too few or too many arguments.
*/
export const parseCommand = (command: Command, arguments_: readonly string[]): Given => {
	const options = {...command.options, ...globalOptions};
	try {
		const {values, positionals} = parseArgs({args: [...arguments_], options: toConfig(options), allowPositionals: true});
		const [least, most] = command.arguments;
		if (values.help !== true && (positionals.length < least || positionals.length > most)) {
			throw new Failure(
				'wrongUsage',
				`The command ${command.name} takes ${most === 0 ? 'no argument' : command.usage}, got ${positionals.length === 0 ? 'none' : positionals.join(' ')}: see got-redis-cache ${command.name} --help`,
			);
		}

		return createGiven(positionals, values);
	} catch (error) {
		if (String(codeOf(error)).startsWith('ERR_PARSE_ARGS_')) {
			throw parseFailure(error as Error, command, options, arguments_);
		}

		throw error;
	}
};
