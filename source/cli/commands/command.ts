import type {Outcome} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';
import type {Given} from './given.ts';
import type {OptionRows} from './options.ts';
import type {StoreAccess} from './store-access.ts';

export type CommandContext = {
	readonly given: Given;
	readonly output: Output;
	readonly store: StoreAccess;
};

export type Command = {
	readonly name: string;
	/** One line, for the list of commands. */
	readonly summary: string;
	/** The arguments, as in `'URL | KEY'`. */
	readonly usage: string;
	/** The least and the most arguments. */
	readonly arguments: readonly [least: number, most: number];
	/** The only values of the first argument, if they are known. */
	readonly positionals?: readonly string[];
	readonly options: OptionRows;
	/** Paragraphs of help. */
	readonly details?: string;
	readonly examples: ReadonlyArray<readonly [description: string, line: string]>;
	/** Resolves to how it went. */
	run(context: CommandContext): Promise<Outcome>;
};
