import type {OptionRows} from '../commands/options.ts';

export const wordsOf = (options: OptionRows): string[] => Object.keys(options).map(name => `--${name}`);

const ofFiles: ReadonlySet<string> = new Set(['config', 'encryption-file', 'output']);

/** Whether a shell offers files as the value of an option. */
export const takesFile = (name: string): boolean => ofFiles.has(name);
