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

type CommandDescription = {
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
};

/** A command, which resolves to how it went. */
export type Command = CommandDescription & (
	| {run(context: CommandContext): Promise<Outcome>}
	/** Whether the command needs no store. */
	| {runAlone(context: Omit<CommandContext, 'store'>): Promise<Outcome>}
);
