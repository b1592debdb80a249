import {Failure} from '../terminal/failure.ts';

export type Values = Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>;

/**
The arguments that a command was given, by type.
*/
export type Given = {
	readonly positionals: readonly string[];
	text(name: string): string | undefined;
	flag(name: string): boolean;
	all(name: string): readonly string[];
	/** @throws {Failure} If the value is no whole number of at least `least`. */
	count(name: string, least: number): number | undefined;
	/** @throws {Failure} If the value is none of these. */
	choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
};

export const createGiven = (positionals: readonly string[], values: Values): Given => {
	const text = (name: string): string | undefined => {
		const value = values[name];
		if (value === '') {
			throw new Failure('wrongUsage', `--${name} is empty, as from an unset variable of the shell: give it a value, or leave it out`);
		}

		return typeof value === 'string' ? value : undefined;
	};

	return {
		positionals,
		text,
		flag: name => values[name] === true,
		all: name => [values[name] ?? []].flat().map(String),
		count(name, least) {
			const given = text(name);
			if (given !== undefined && (!/^\d+$/v.test(given) || Number(given) < least || !Number.isSafeInteger(Number(given)))) {
				throw new Failure('wrongUsage', `--${name} is '${given}': give a whole number of at least ${least}`);
			}

			return given === undefined ? undefined : Number(given);
		},
		choice(name, choices) {
			const given = text(name);
			const choice = choices.find(each => each === given);
			if (given !== undefined && choice === undefined) {
				throw new Failure('wrongUsage', `--${name} is '${given}': give one of ${choices.join(', ')}`);
			}

			return choice;
		},
	};
};
