import type {Command} from '../commands/command.ts';
import type {OptionRows} from '../commands/options.ts';
import {takesFile} from './words.ts';

/** Text in single quotes of fish, in which a backslash escapes. */
const quote = (text: string): string => `'${text.replaceAll(/['\\]/gv, String.raw`\$&`)}'`;

const optionLines = (options: OptionRows, condition: string): string[] => Object.entries(options).map(([name, {type, short, choices, description}]) => [
	'complete -c got-redis-cache',
	...condition === '' ? [] : [`-n ${quote(condition)}`],
	`-l ${name}`,
	...short === undefined ? [] : [`-s ${short}`],
	...type === 'boolean' ? [] : [takesFile(name) ? '-r -F' : '-x'],
	...choices ? [`-a ${quote(choices.join(' '))}`] : [],
	`-d ${quote(description)}`,
].join(' '));

export const fishCompletion = (commands: readonly Command[], globalOptions: OptionRows): string => [
	'# got-redis-cache: completion for fish. Save it: got-redis-cache completion fish > ~/.config/fish/completions/got-redis-cache.fish',
	'complete -c got-redis-cache -f',
	...commands.map(({name, summary}) => `complete -c got-redis-cache -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`),
	...optionLines(globalOptions, ''),
	...commands.flatMap(({name, options, positionals, arguments: counts}) => [
		...optionLines(options, `__fish_seen_subcommand_from ${name}`),
		...positionals ? [`complete -c got-redis-cache -n ${quote(`__fish_seen_subcommand_from ${name}`)} -a ${quote(positionals.join(' '))}`] : [],
		...!positionals && counts[1] > 0 ? [`complete -c got-redis-cache -n ${quote(`__fish_seen_subcommand_from ${name}`)} -F`] : [],
	]),
].join('\n');
