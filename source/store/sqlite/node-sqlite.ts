import process from 'node:process';
import type * as NodeSqlite from 'node:sqlite';

/*
SQLite as Node.js brings it along, loaded when a store needs it.
*/

type Loaded = {module: typeof NodeSqlite | undefined};

let loaded: Loaded | undefined;

const isAboutSqlite = (warning: unknown): boolean => typeof warning === 'string' && warning.startsWith('SQLite is an experimental feature');

/** Loads the module without the warning of Node.js 22 and 23 that SQLite is experimental: no user of the cache can act on it. */
const loadQuietly = (): typeof NodeSqlite | undefined => {
	const {emitWarning} = process;
	process.emitWarning = (...parameters: unknown[]) => {
		if (!isAboutSqlite(parameters[0])) {
			Reflect.apply(emitWarning, process, parameters);
		}
	};

	try {
		return process.getBuiltinModule('node:sqlite');
	} finally {
		process.emitWarning = emitWarning;
	}
};

/** Returns `node:sqlite`; `undefined` if this Node.js does not have it, or only behind a flag. */
export const loadSqlite = (): typeof NodeSqlite | undefined => {
	loaded ??= {module: loadQuietly()};
	return loaded.module;
};
