import type {Command} from '../commands/command.ts';
import type {OptionRows} from '../commands/options.ts';
import {takesFile, wordsOf} from './words.ts';

const choiceCases = (options: OptionRows): string[] =>
	Object.entries(options).flatMap(([name, {choices}]) =>
		choices ? [`		--${name}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`] : [],
	);

const fileNames = (options: OptionRows): string[] => Object.keys(options).filter(name => takesFile(name)).map(name => `--${name}`);

/** A script for Bash 3.2 and later. */
export const bashCompletion = (commands: readonly Command[], globalOptions: OptionRows): string => {
	const all = Object.assign({}, globalOptions, ...commands.map(({options}) => options)) as OptionRows;
	const names = commands.map(({name}) => name);

	return [
		'# got-redis-cache: completion for Bash. Add to ~/.bashrc: eval "$(got-redis-cache completion bash)"',
		'_got_redis_cache() {',
		'	local current="$2" previous="$3" command="" word words',
		'	COMPREPLY=()',
		// eslint-disable-next-line no-template-curly-in-string -- The shell's.
		'	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
		`		case "$word" in ${names.join('|')}) command="$word"; break ;; esac`,
		'	done',
		'	case "$previous" in',
		...choiceCases(all),
		`		${fileNames(all).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
		'	esac',
		'	case "$command" in',
		...commands.map(({name, options, positionals = []}) => `		${name}) words='${[...positionals, ...wordsOf(options), ...wordsOf(globalOptions)].join(' ')}' ;;`),
		`		*) words='${[...names, ...wordsOf(globalOptions)].join(' ')}' ;;`,
		'	esac',
		'	COMPREPLY=($(compgen -W "$words" -- "$current"))',
		'}',
		'complete -o default -F _got_redis_cache got-redis-cache',
	].join('\n');
};
