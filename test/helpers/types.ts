import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {
	glob,
	mkdtemp,
	readFile,
	rename,
	rm,
	writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, 'node_modules/.cache');

/** What the compiler says. */
const compile = async (...args: readonly string[]): Promise<string> => {
	const {stdout} = await promisify(execFile)(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), ...args], {cwd: root}).catch((error: unknown) => error as {stdout: string});
	return stdout;
};

const digestOfSource = async (): Promise<string> => {
	const digest = createHash('sha1');
	const names = await Array.fromAsync(glob('{package.json,tsconfig*.json,source/**/*.ts}', {cwd: root}));
	for (const name of names.toSorted()) {
		digest.update(`${name}\n`).update(await readFile(path.join(root, name)));
	}

	return digest.digest('hex').slice(0, 16);
};

/**
The package's declarations, as its users get them, made once for each state of the source.

@returns Their folder. The source itself is checked elsewhere, and takes four times as long as what is checked here.
*/
const declarations = async (): Promise<string> => {
	const folder = path.join(cache, `declarations-${await digestOfSource()}`);
	if (existsSync(folder)) {
		return folder;
	}

	const made = await mkdtemp(path.join(cache, '.declarations-'));
	const errors = await compile('--project', 'tsconfig.build.json', '--noCheck', '--emitDeclarationOnly', '--outDir', made);
	if (errors !== '') {
		throw new Error(errors);
	}

	const earlier = await Array.fromAsync(glob('declarations-*', {cwd: cache}));
	await Promise.all(earlier.map(async name => rm(path.join(cache, name), {recursive: true, force: true})));
	try {
		await rename(made, folder);
	} catch (error) {
		// Another process was first.
		await rm(made, {recursive: true});
		if (!existsSync(folder)) {
			throw error;
		}
	}

	return folder;
};

/**
What the compiler has to say of files as a user would write them: strict, with modules as Node has them.

@param files - Their text, by name.
@param gotPackage - The package that `got` stands for, also in our declarations.
*/
export const typeErrorsOf = async (files: Readonly<Record<string, string>>, gotPackage = 'got'): Promise<string> => {
	const types = await declarations();
	// In the project's folder, where packages are found.
	const folder = await mkdtemp(path.join(root, '.tmp-types-'));
	try {
		await Promise.all(Object.entries(files).map(async ([name, text]) => writeFile(path.join(folder, name), text)));
		await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({
			extends: '../tsconfig.json',
			compilerOptions: {
				incremental: false,
				tsBuildInfoFile: null,
				// NestJS is made for these.
				experimentalDecorators: true,
				erasableSyntaxOnly: false,
				// Examples show what there is.
				noUnusedLocals: false,
				noUnusedParameters: false,
				paths: {
					got: [path.join(root, 'node_modules', gotPackage)],
					'got-redis-cache': [path.join(types, 'index.d.ts')],
					'got-redis-cache/acceptance': [path.join(types, 'acceptance.d.ts')],
					'got-redis-cache/audit': [path.join(types, 'audit.d.ts')],
					'got-redis-cache/embedded': [path.join(types, 'embedded.d.ts')],
					'got-redis-cache/file-store': [path.join(types, 'file-store.d.ts')],
					'got-redis-cache/inspector': [path.join(types, 'inspector.d.ts')],
					'got-redis-cache/rate-limit': [path.join(types, 'rate-limit.d.ts')],
					'got-redis-cache/replay': [path.join(types, 'replay.d.ts')],
					'got-redis-cache/webhook': [path.join(types, 'webhook.d.ts')],
					'got-redis-cache/opentelemetry': [path.join(types, 'opentelemetry.d.ts')],
					'got-redis-cache/prometheus': [path.join(types, 'prometheus.d.ts')],
				},
			},
			include: ['*.ts'],
		}));

		return await compile('--project', folder);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};
