import type {Command} from './commands/command.ts';
import type {OptionRows} from './commands/options.ts';
import {globalOptions} from './global-options.ts';
import {exitCodeMeanings, exitCodes} from './terminal/failure.ts';
import {pad, widthOf, wrap} from './terminal/text.ts';

/** The longest lines of help where the terminal is wide. */
const mostColumns = 100;

/** Where descriptions begin. */
const indent = 26;

/** The narrowest terminal in which descriptions stand beside their options. */
const leastBeside = 64;

const row = (left: string, right: string, columns: number): string[] => {
	const isBeside = columns >= leastBeside;
	// Below an option, whose long name begins two columns before.
	const start = isBeside ? indent : 8;
	const lines = wrap(right, columns - start).map(line => ' '.repeat(start) + line);
	const [first = '', ...others] = lines;

	return isBeside && widthOf(left) + 3 <= indent ? [pad(`  ${left}`, indent) + first.trimStart(), ...others] : [`  ${left}`, ...lines];
};

const optionLines = (options: OptionRows, columns: number): string[] => Object.entries(options).flatMap(([name, {short, value, description}]) => {
	const names = `${short === undefined ? ' '.repeat(4) : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
	return row(names, description, columns);
});

const widthFor = (columns: number): number => Math.min(columns, mostColumns);

export const helpOf = ({name, summary, usage, options, details, examples}: Command, available: number): string => {
	const columns = widthFor(available);

	return [
		...wrap(`got-redis-cache ${name}: ${summary}`, columns),
		'',
		...wrap(`Usage: got-redis-cache ${name} ${usage}`, columns),
		...details === undefined ? [] : ['', ...wrap(details, columns)],
		...Object.keys(options).length === 0 ? [] : ['', 'Options:', ...optionLines(options, columns)],
		'',
		'Options of every command:',
		...optionLines(globalOptions, columns),
		'',
		'Examples:',
		...examples.flatMap(([description, line]) => [`  # ${description}`, `  ${line}`]),
	].join('\n');
};

export const generalHelp = (commands: readonly Command[], available: number): string => {
	const columns = widthFor(available);

	return [
		...wrap('got-redis-cache: look into an HTTP cache in Redis, and manage it', columns),
		'',
		'Usage: got-redis-cache COMMAND [options]',
		'',
		'Commands:',
		...commands.flatMap(({name, summary}) => row(name, summary, columns)),
		'',
		'Options of every command:',
		...optionLines(globalOptions, columns),
		'',
		'Exit codes:',
		...exitCodeMeanings.flatMap(([outcome, meaning]) => wrap(meaning, columns - 6).map((line, position) => `  ${pad(position === 0 ? String(exitCodes[outcome]) : '', 4)}${line}`)),
		'',
		...wrap('`got-redis-cache COMMAND --help` has the options and examples of a command.', columns),
	].join('\n');
};
