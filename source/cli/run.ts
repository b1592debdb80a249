import process from 'node:process';
import type {Command} from './commands/command.ts';
import {commands} from './commands.ts';
import {generalHelp, helpOf} from './help.ts';
import {parseCommand, splitCommand, unknownCommand} from './parse.ts';
import {exitCodes, Failure, type Outcome} from './terminal/failure.ts';
import {createOutput, type Output} from './terminal/output.ts';
import {plainLines, toJsonLine} from './terminal/text.ts';
import {version} from './terminal/version.ts';

const names = commands.map(({name}) => name);

const runCommand = async (command: Command, arguments_: readonly string[], output: Output): Promise<Outcome> => {
	const given = parseCommand(command, arguments_);
	if (given.flag('help')) {
		await output.line(helpOf(command, output.columns));
		return 'done';
	}

	if (given.flag('version')) {
		await output.line(version());
		return 'done';
	}

	if ('runAlone' in command) {
		return command.runAlone({given, output});
	}

	// The library is loaded for commands that need it: help and completion are to be quick.
	const [{createStoreAccess}, {readConfig}] = await Promise.all([import('./commands/store-access.ts'), import('./commands/config.ts')]);
	const store = createStoreAccess(given, await readConfig(given));
	try {
		return await command.run({given, output, store});
	} finally {
		await store.close();
	}
};

/** Finds the command, whose name comes first. */
const dispatch = async (arguments_: readonly string[], output: Output): Promise<Outcome> => {
	const {name, others} = splitCommand(arguments_);
	if (name === 'help' || (name === undefined && others.some(argument => ['--help', '-h'].includes(argument)))) {
		const [about] = others;
		const command = commands.find(each => each.name === about);
		await output.line(command ? helpOf(command, output.columns) : generalHelp(commands, output.columns));
		return 'done';
	}

	if (name === 'version' || (name === undefined && others.includes('--version'))) {
		await output.line(version());
		return 'done';
	}

	if (name === undefined) {
		if (output.isJson) {
			throw new Failure('wrongUsage', `Give a command: one of ${names.join(', ')}`);
		}

		output.note(generalHelp(commands, output.columns));
		return 'wrongUsage';
	}

	const command = commands.find(each => each.name === name);
	if (!command) {
		throw unknownCommand(name, names);
	}

	return runCommand(command, others, output);
};

const failureOf = async (error: unknown): Promise<Failure | undefined> => {
	if (error instanceof Failure) {
		return error;
	}

	const {toFailure} = await import('./commands/failures.ts');
	return toFailure(error);
};

/** Tells a failure on stderr. */
export const tell = (message: string, outcome: Outcome, isJson: boolean): void => {
	const text = isJson ? toJsonLine({error: {outcome, exitCode: exitCodes[outcome], message}}) : `got-redis-cache: ${plainLines(message)}`;
	process.stderr.write(`${text}\n`);
};

/**
Runs a command, and tells a failure on stderr.

@returns The exit code.
*/
export const run = async (arguments_: readonly string[]): Promise<number> => {
	const isJson = arguments_.includes('--json');
	try {
		return exitCodes[await dispatch(arguments_, createOutput(isJson))];
	} catch (error) {
		const failure = await failureOf(error);
		if (failure) {
			tell(failure.message, failure.outcome, isJson);
			return exitCodes[failure.outcome];
		}

		tell(`An error that should not be: ${error instanceof Error ? error.stack ?? error.message : String(error)}`, 'unexpected', isJson);
		return exitCodes.unexpected;
	}
};
