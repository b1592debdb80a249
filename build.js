import {cp} from 'node:fs/promises';
import path from 'node:path';
import {rolldown} from 'rolldown';
import {dts} from 'rolldown-plugin-dts';

/*
Builds `dist`: a file for each entry point, and a few that they share. The reasons are in docs/contributing/design.md.
*/

const root = import.meta.dirname;
const source = path.join(root, 'source');
const dist = path.join(root, 'dist');

const entryPoints = ['index', 'acceptance', 'audit', 'embedded', 'file-store', 'inspector', 'opentelemetry', 'prometheus', 'rate-limit', 'replay', 'webhook'];
const input = Object.fromEntries(entryPoints.map(name => [name, path.join(source, `${name}.ts`)]));

/** Shipped as it is, beside the others: of a CommonJS file, bundlers see which packages it requires when it is called. */
const asItIs = 'redis-packages.cjs';

/** The modules that `index` loads: nobody uses the library without them. */
const core = new Set();

const packages = {
	name: 'packages',
	resolveId(specifier) {
		if (specifier.endsWith(`/${asItIs}`)) {
			return {id: `./${asItIs}`, external: true};
		}

		return /^[.\/]/v.test(specifier) ? undefined : {id: specifier, external: true};
	},
};

const collectCore = {
	name: 'collect-core',
	buildEnd() {
		const collect = id => {
			if (core.has(id)) {
				return;
			}

			core.add(id);
			for (const imported of this.getModuleInfo(id)?.importedIds ?? []) {
				collect(imported);
			}
		};

		collect(input.index);
	},
};

const bundle = async (inputOptions, outputOptions) => {
	const build = await rolldown({
		platform: 'node',
		// Node.js 22 has no `using`.
		transform: {target: 'node22'},
		// As the source has it: what `package.json` says of side effects is about `dist`.
		treeshake: {moduleSideEffects: (_id, isExternal) => !isExternal},
		...inputOptions,
	});
	await build.write({dir: dist, minifyInternalExports: false, ...outputOptions});
	await build.close();
};

await bundle(
	{input: {...input, cli: path.join(source, 'cli/main.ts')}, plugins: [packages, collectCore]},
	{
		cleanDir: true,
		comments: {legal: true, annotation: true, jsdoc: false},
		chunkFileNames: '[name].js',
		codeSplitting: {
			groups: [
				// Shared by the library and the command line.
				{name: 'helpers', test: /@oxc-project.runtime/v, priority: 2},
				{name: 'node-version', test: id => id.endsWith('/node-version.ts'), priority: 2},
				{name: 'core', test: id => core.has(id), priority: 1},
			],
		},
	},
);
await bundle(
	{input, plugins: [packages, dts({emitDtsOnly: true, tsconfig: path.join(root, 'tsconfig.build.json')})], treeshake: {moduleSideEffects: false}, checks: {pluginTimings: false}},
	{chunkFileNames: '[name].d.ts', codeSplitting: {groups: [{name: 'core', minShareCount: 2}]}},
);
await bundle({input: path.join(source, 'inspector/page/main.ts'), platform: 'browser'}, {dir: path.join(dist, 'page'), comments: false});
await cp(path.join(source, 'inspector/page'), path.join(dist, 'page'), {recursive: true, filter: file => !/\.(?:json|ts)$/v.test(file)});
await cp(path.join(source, 'store/ports', asItIs), path.join(dist, asItIs));
