/*
Options as data: for parsing, help and the completion of shells.
*/

export type OptionRow = {
	readonly type: 'boolean' | 'string';
	readonly short?: string;
	/** Whether it may be given several times. */
	readonly multiple?: boolean;
	/** The name of the value in help. */
	readonly value?: string;
	readonly description: string;
	/** The values that are offered when a shell completes the option. */
	readonly choices?: readonly string[];
};

export type OptionRows = Readonly<Record<string, OptionRow>>;
