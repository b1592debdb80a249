import type {Command} from '../commands/command.ts';
import type {OptionRows} from '../commands/options.ts';
import {Failure} from '../terminal/failure.ts';
import {bashCompletion} from './bash.ts';
import {fishCompletion} from './fish.ts';
import {zshCompletion} from './zsh.ts';

const scripts = {bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion} as const;

const shells = Object.keys(scripts) as Array<keyof typeof scripts>;

/** The command that writes scripts for shells, which complete all commands. */
export const createCompletion = (others: readonly Command[], globalOptions: OptionRows): Command => {
	const completion: Command = {
		name: 'completion',
		summary: 'write a script that completes commands and options in a shell',
		usage: shells.join('|'),
		arguments: [1, 1],
		positionals: shells,
		options: {},
		examples: [
			['Bash, in ~/.bashrc', 'eval "$(got-redis-cache completion bash)"'],
			['Zsh, in ~/.zshrc, behind compinit', 'eval "$(got-redis-cache completion zsh)"'],
			['fish', 'got-redis-cache completion fish > ~/.config/fish/completions/got-redis-cache.fish'],
		],
		async runAlone({given, output}) {
			const [name = ''] = given.positionals;
			const shell = shells.find(each => each === name);
			if (shell === undefined) {
				throw new Failure('wrongUsage', `There is no completion for '${name}': give one of ${shells.join(', ')}`);
			}

			await output.line(scripts[shell]([...others, completion], globalOptions));
			return 'done';
		},
	};

	return completion;
};
