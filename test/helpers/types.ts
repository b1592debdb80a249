import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');

/**
What the compiler has to say of files as a user would write them: strict, with modules as Node has them.

@param files - Their text, by name.
*/
export const typeErrorsOf = async (files: Readonly<Record<string, string>>): Promise<string> => {
	// In the project's folder, where packages are found.
	const folder = await mkdtemp(path.join(root, '.tmp-types-'));
	try {
		await Promise.all(Object.entries(files).map(async ([name, text]) => writeFile(path.join(folder, name), text)));
		await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({
			extends: '../tsconfig.json',
			compilerOptions: {
				// Examples show what there is.
				noUnusedLocals: false,
				noUnusedParameters: false,
				paths: {
					'got-redis-cache': ['../source/index.ts'],
					'got-redis-cache/acceptance': ['../source/acceptance.ts'],
					'got-redis-cache/embedded': ['../source/embedded.ts'],
				},
			},
			include: ['*.ts'],
		}));

		const {stdout} = await promisify(execFile)(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '--project', folder]).catch((error: unknown) => error as {stdout: string});
		return stdout;
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};
