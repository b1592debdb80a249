import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import type {RedisCacheOptions} from '../../index.ts';
import {Failure} from '../terminal/failure.ts';
import type {Given} from './given.ts';

/** The options of a program's cache, without the connection. */
export type ProgramOptions = Omit<RedisCacheOptions, 'store' | 'coalesce' | 'memory' | 'statistics' | 'timeout' | 'waitForReplicas'>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The reason, without the file of this program that Node.js names. */
const whyUnloaded = (error: unknown): string => error instanceof Error ? error.message.replace(/ imported from (?:\S*[\/\\])?config\.[jt]s$/v, '') : String(error);

/**
Reads the options of a program's cache from the module that `--config` names: how requests are told apart, and how long responses are fresh. The connection and what a command that is run once has no use for are left to the command line.

@throws {Failure} If the module cannot be loaded, or exports no options.
*/
export const readConfig = async (given: Given): Promise<ProgramOptions | undefined> => {
	const file = given.text('config');
	if (file === undefined) {
		return undefined;
	}

	let exported: unknown;
	try {
		({default: exported} = await import(pathToFileURL(path.resolve(process.cwd(), file)).href) as {default?: unknown});
	} catch (error) {
		throw new Failure(
			'wrongUsage',
			`--config ${file} cannot be loaded (${whyUnloaded(error)}): give a module whose default export is the options of redisCache()`,
		);
	}

	if (!isObject(exported) || 'hooks' in exported) {
		throw new Failure('wrongUsage', `--config ${file} has no options as its default export: write \`export default {…}\`, with what your program passes to redisCache()`);
	}

	const {store, coalesce, memory, statistics, timeout, waitForReplicas, ...options} = exported;
	return options;
};
