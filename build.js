import {cp} from 'node:fs/promises';
import path from 'node:path';
import {rolldown} from 'rolldown';
import {dts} from 'rolldown-plugin-dts';
import {parseAst} from 'rolldown/parseAst';

/*
Builds `dist`: a file for each entry point, and a few that they share. The reasons are in docs/contributing/design.md.
*/

const root = import.meta.dirname;
const source = path.join(root, 'source');
const dist = path.join(root, 'dist');

const entryPoints = ['index', 'acceptance', 'audit', 'embedded', 'file-store', 'inspector', 'opentelemetry', 'prometheus', 'rate-limit', 'replay', 'webhook'];
const input = Object.fromEntries(entryPoints.map(name => [name, path.join(source, `${name}.ts`)]));

/** Shipped as it is, beside the others: of a CommonJS file, bundlers see which packages it requires when it is called. */
const asItIs = 'packages.cjs';

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

const childrenOf = node => Object.values(node).flat().filter(value => typeof value?.type === 'string');

const hasOwnThis = ({type}) => ['ClassBody', 'FunctionDeclaration', 'FunctionExpression'].includes(type);

/** Only an arrow function shares these with what is around it. */
const usesSurroundings = node => ['MetaProperty', 'Super', 'ThisExpression'].includes(node.type)
	|| (node.type === 'Identifier' && node.name === 'arguments')
	|| (!hasOwnThis(node) && childrenOf(node).some(child => usesSurroundings(child)));

/** The arrow functions of a module that lie in no other function. */
const outerArrows = node => {
	if (node.type === 'ArrowFunctionExpression') {
		return usesSurroundings(node) ? [] : [node];
	}

	return hasOwnThis(node) ? [] : childrenOf(node).flatMap(child => outerArrows(child));
};

/** The same function with the keyword `function`, as edits of the code: `[start, end, text]`. */
const asFunction = (code, {start, end, async: isAsync, body}) => {
	const arrow = code.lastIndexOf('=>', body.start);
	const head = [start, code.indexOf('(', start + (isAsync ? 'async'.length : 0)), isAsync ? 'async function' : 'function'];
	return body.type === 'BlockStatement' ? [head, [arrow, body.start, '']] : [head, [arrow, arrow + 2, '{ return ('], [end, end, '); }']];
};

const withKeyword = code => {
	let result = '';
	let position = 0;
	const edits = outerArrows(parseAst(code)).flatMap(arrow => asFunction(code, arrow));
	for (const [start, end, text] of edits.toSorted((a, b) => a[0] - b[0])) {
		result += code.slice(position, start) + text;
		position = end;
	}

	return result + code.slice(position);
};

const isAmbiguous = ({regex}) => regex !== undefined && /\P{ASCII}/v.test(regex.pattern) && !/[uv]/v.test(regex.flags);

const hasAmbiguous = node => isAmbiguous(node) || childrenOf(node).some(child => hasAmbiguous(child));

const escapeNonAscii = code => {
	if (hasAmbiguous(parseAst(code))) {
		throw new Error('A regular expression without the flag `v` has a character beyond ASCII, where `\\u{…}` means something else');
	}

	if (code.split('\n').some(line => /\P{ASCII}/v.test(line) && /\\\P{ASCII}|\braw`/v.test(line))) {
		throw new Error('A character beyond ASCII stands behind a backslash or in a raw template, where it cannot be escaped');
	}

	return code.replaceAll(/\P{ASCII}/gv, character => String.raw`\u{${character.codePointAt(0).toString(16)}}`);
};

/*
V8 leaves a function alone until it is called, except for the arrow functions of a module: those it parses completely, which was half of the time of an import. And a file that is not ASCII throughout has two bytes a character.
*/
const quickToLoad = {
	name: 'quick-to-load',
	generateBundle(_options, files) {
		for (const file of Object.values(files)) {
			if (file.type === 'chunk') {
				file.code = escapeNonAscii(withKeyword(file.code));
			}
		}
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
	{input: {...input, cli: path.join(source, 'cli/main.ts')}, plugins: [packages, collectCore, quickToLoad]},
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
await cp(path.join(source, 'types', asItIs), path.join(dist, asItIs));
