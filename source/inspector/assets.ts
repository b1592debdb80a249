import {Buffer} from 'node:buffer';
import {readdirSync, readFileSync} from 'node:fs';
import nodeModule from 'node:module';
import path from 'node:path';

/*
The files of the page: what is listed in its folder can be asked for, and nothing else.
*/

export type Asset = {
	readonly type: string;
	readonly bytes: Uint8Array;
};

const folder = path.join(import.meta.dirname, 'page');

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.svg': 'image/svg+xml',
};

/** A module as the build makes it: without types, with the names of modules in JavaScript. */
const compiled = (source: string): string => nodeModule.stripTypeScriptTypes(source).replaceAll(/\.ts(?=';$)/gmv, '.js');

const read = (file: string): ReadonlyArray<readonly [name: string, asset: Asset]> => {
	const bytes = readFileSync(path.join(folder, file));
	const {name, ext} = path.parse(file);
	// The page is served from its sources, too, while this package is developed.
	if (ext === '.ts' && !file.endsWith('.d.ts')) {
		return [[`${name}.js`, {type: types['.js']!, bytes: Buffer.from(compiled(bytes.toString('utf8')))}]];
	}

	const type = types[ext];
	return type === undefined ? [] : [[file, {type, bytes}]];
};

/** Reads all files, by the names that they are asked for. */
export const readAssets = (): ReadonlyMap<string, Asset> => new Map(readdirSync(folder).flatMap(file => read(file)));
