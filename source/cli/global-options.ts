import type {OptionRows} from './commands/options.ts';
import {storeOptions} from './commands/store-options.ts';

/** The options that every command takes. */
export const globalOptions: OptionRows = {
	...storeOptions,
	json: {type: 'boolean', description: 'JSON: one document, or one a line for lists'},
	help: {type: 'boolean', short: 'h', description: 'help, with examples'},
	version: {type: 'boolean', description: 'the version of the package'},
};
