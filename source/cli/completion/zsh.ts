import type {Command} from '../commands/command.ts';
import type {OptionRow, OptionRows} from '../commands/options.ts';
import {quote} from '../terminal/text.ts';
import {takesFile} from './words.ts';

/** Characters that end a description in `_arguments`. */
const escape = (text: string): string => text.replaceAll(/[:\[\\\]]/gv, String.raw`\$&`);

const valueOf = (name: string, {type, choices}: OptionRow): string => {
	if (type === 'boolean') {
		return '';
	}

	const values = choices ? `(${choices.join(' ')})` : (takesFile(name) ? '_files' : ' ');
	return `:${name}:${values}`;
};

const optionSpecs = (options: OptionRows): string[] =>
	Object.entries(options).map(([name, option]) =>
		quote(`${option.multiple ? '*' : ''}--${name}[${escape(option.description)}]${valueOf(name, option)}`),
	);

const positionalSpec = ({positionals, arguments: counts}: Command): string[] => positionals ? [quote(`1:argument:(${positionals.join(' ')})`)] : (counts[1] > 0 ? ['\'*:argument:_files\''] : []);

export const zshCompletion = (commands: readonly Command[], globalOptions: OptionRows): string => [
	'#compdef got-redis-cache',
	'# got-redis-cache: completion for Zsh. Add to ~/.zshrc, behind compinit: eval "$(got-redis-cache completion zsh)"',
	'_got_redis_cache() {',
	'	local line state',
	`	_arguments -C ${optionSpecs(globalOptions).join(' ')} '1: :->command' '*:: :->rest'`,
	'	case $state in',
	'		command)',
	'			local -a commands=(',
	...commands.map(({name, summary}) => `				${quote(`${name}:${escape(summary)}`)}`),
	'			)',
	'			_describe command commands ;;',
	'		rest)',
	'			case $line[1] in',
	...commands.map(command => `				${command.name}) _arguments ${[...optionSpecs({...command.options, ...globalOptions}), ...positionalSpec(command)].join(' ')} ;;`),
	'			esac ;;',
	'	esac',
	'}',
	'compdef _got_redis_cache got-redis-cache',
].join('\n');
