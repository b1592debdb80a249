import {readFileSync} from 'node:fs';

/** The version of the package. */
export const version = (): string => {
	const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {readonly version: string};
	return manifest.version;
};
