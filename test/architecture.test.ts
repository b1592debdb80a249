import assert from 'node:assert/strict';
import {existsSync, globSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {runScript} from './helpers/script.ts';

/*
The folders of `source/`, as docs/contributing/design.md names them, and which way their imports go. Type imports count: whoever changes a type changes what uses it.
*/

const source = path.join(import.meta.dirname, '../source');

/** From the bottom up: a folder imports only what stands before it. */
const folders = [
	'types',
	'http',
	'store/ports',
	'store/codec',
	'store/memory',
	'store/guard',
	'store/sqlite',
	'store/backends',
	'store',
	'tags',
	'resource',
	'options',
	'cache',
	'coalescing',
	'management',
	'observe',
	'got/state',
	'got/patches',
	'got/fast-path',
	'got/coalescing',
	'got/origin',
	'got/refresh',
	'got/stream',
	'got',
	'embedded',
	'acceptance',
	'audit',
	'webhook',
	'rate-limit',
	'opentelemetry',
	'fixtures',
	'file-store',
	'replay',
	'inspector/api',
	'inspector/page',
	'inspector',
	'cli/terminal',
	'cli/formats',
	'cli/commands',
	'cli/doctor',
	'cli/statistics',
	'cli/transfer',
	'cli/warm',
	'cli/completion',
	'cli',
];

/** What the package exports, and what each of these loads first. */
const entryPoints = new Set([
	'acceptance.ts',
	'audit.ts',
	'embedded.ts',
	'file-store.ts',
	'index.ts',
	'inspector.ts',
	'node-version.ts',
	'opentelemetry.ts',
	'prometheus.ts',
	'rate-limit.ts',
	'replay.ts',
	'webhook.ts',
]);

type Module = {
	readonly name: string;
	readonly folder: string;
	/** Files of `source/`. */
	readonly imports: readonly string[];
	readonly packages: readonly string[];
};

const importPattern = /(?:\bfrom |^import |\bimport\()'(?<specifier>[^']+)'/gmv;

const readModule = (name: string): Module => {
	const text = readFileSync(path.join(source, name), 'utf8').replaceAll(/^\/\*.*?\*\/$/gmsv, '');
	const specifiers = text.matchAll(importPattern).map(({groups}) => groups?.specifier ?? '').toArray();

	return {
		name,
		folder: path.dirname(name),
		imports: specifiers.filter(specifier => specifier.startsWith('.')).map(specifier => path.join(path.dirname(name), specifier)),
		packages: specifiers.filter(specifier => !specifier.startsWith('.')),
	};
};

const modules = globSync('**/*.ts', {cwd: source}).map(name => readModule(name));

const moduleOf = new Map(modules.map(module => [module.name, module]));

const floorOf = ({folder}: Module): number => folders.indexOf(folder);

const isEntryPoint = ({name}: Module): boolean => entryPoints.has(name);

const arrowsUp = (module: Module): string[] => module.imports
	.map(name => moduleOf.get(name))
	.filter(imported => imported !== undefined && !isEntryPoint(imported) && floorOf(imported) > floorOf(module))
	.map(imported => `${module.name} → ${imported?.name ?? ''}`);

/** The first circle of imports that leads from a file back to itself. */
const circleFrom = (start: string): string[] | undefined => {
	const seen = new Set<string>();
	const follow = (name: string, way: readonly string[]): string[] | undefined => {
		for (const next of moduleOf.get(name)?.imports ?? []) {
			if (next === start) {
				return [...way, name, next];
			}

			if (seen.has(next)) {
				continue;
			}

			seen.add(next);
			const circle = follow(next, [...way, name]);
			if (circle) {
				return circle;
			}
		}

		return undefined;
	};

	return follow(start, []);
};

test('each file lies in a folder that docs/contributing/design.md names', () => {
	const design = readFileSync(path.join(source, '../docs/contributing/design.md'), 'utf8');
	const lost = modules.filter(module => floorOf(module) === -1 && !isEntryPoint(module)).map(({name}) => name);

	assert.deepEqual(lost, []);
	for (const folder of folders) {
		assert.ok(design.includes(`\`${folder}/\``), folder);
	}
});

test('every file that contributing.md and docs/contributing/design.md name exists', () => {
	for (const page of ['contributing.md', 'docs/contributing/design.md']) {
		const text = readFileSync(path.join(source, '..', page), 'utf8');
		const named = text
			.matchAll(/`(?:source\/)?(?<file>(?:cache|cli|coalescing|got|http|management|observe|options|resource|store|tags|types)\/[\w\-.\/]*)`/gv)
			.map(({groups}) => groups?.file ?? '')
			.toArray();

		assert.ok(named.length > 10, page);
		for (const file of named) {
			assert.ok(existsSync(path.join(source, file)), `${page}: ${file}`);
		}
	}
});

test('a folder imports only folders below it, types included', () => {
	const upwards = modules.filter(module => !isEntryPoint(module)).flatMap(module => arrowsUp(module));

	assert.deepEqual(upwards, []);
});

/** What only its owners import: the others go by another door. */
const rooms: ReadonlyArray<{readonly concept: string; readonly files: readonly string[]; readonly owners: readonly string[]}> = [
	{
		concept: 'versions of origins, tags, groups and paths',
		files: ['tags/versions.ts', 'tags/current-versions.ts', 'tags/version-changes.ts', 'tags/ensure-versions.ts', 'tags/switches.ts'],
		owners: ['tags/'],
	},
	{
		concept: 'equivalent URLs (`No-Vary-Search`)',
		files: ['http/no-vary-search.ts', 'tags/search-variance.ts'],
		owners: ['http/', 'tags/', 'cache/keys.ts', 'management/transfer.ts'],
	},
	{
		concept: 'the time budget of a request',
		files: ['store/guard/budget.ts', 'store/with-budget.ts'],
		owners: ['store/', 'tags/', 'resource/write-guard.ts', 'cache/exchange.ts', 'cache/look-up.ts', 'coalescing/flights.ts', 'got/coalescing/fleet.ts', 'got/state/request-state.ts', 'rate-limit.ts'],
	},
];

test('a concept that touches many files is imported through its door alone', () => {
	for (const {concept, files, owners} of rooms) {
		const importers = modules.flatMap(({name, imports}) => imports.filter(imported => files.includes(imported)).map(imported => `${name} → ${imported}`));
		const strangers = importers.filter(importer => owners.every(owner => !importer.startsWith(owner)));

		assert.ok(importers.length >= files.length, concept);
		assert.deepEqual(strangers, [], concept);
	}
});

test('imports make no circle, types included', () => {
	const circles = modules.map(({name}) => circleFrom(name)).filter(circle => circle !== undefined);

	assert.deepEqual(circles, []);
});

test('the folder `http` imports nothing that does I/O, reads a clock or is got\'s', () => {
	const allowed = new Set(['http-cache-semantics', 'node:buffer', 'node:crypto', 'structured-headers']);
	const others = modules.filter(({folder}) => folder === 'http').flatMap(({name, packages}) => packages.filter(specifier => !allowed.has(specifier)).map(specifier => `${name} → ${specifier}`));

	assert.deepEqual(others, []);
});

test('the main entry point loads nothing of the others', () => {
	const reachableFrom = (start: string, seen = new Set<string>()): Set<string> => {
		for (const name of moduleOf.get(start)?.imports ?? []) {
			if (seen.has(name)) {
				continue;
			}

			seen.add(name);
			reachableFrom(name, seen);
		}

		return seen;
	};

	const others = [...entryPoints].map(name => path.basename(name, '.ts')).filter(name => name !== 'index' && name !== 'node-version');
	const loaded = reachableFrom('index.ts').keys().filter(name => others.includes(name.split(/[.\/]/v, 1)[0] ?? '')).toArray();
	assert.ok(others.length > 2);
	assert.deepEqual(loaded, []);
});

test('the command line uses the public surface alone, and nothing else knows it', () => {
	const isOfCommandLine = (name: string) => name.startsWith('cli/');
	const wrong = modules.flatMap(({name, imports}) => imports
		.filter(imported => moduleOf.has(imported))
		.filter(imported => isOfCommandLine(name) !== isOfCommandLine(imported) && !(isOfCommandLine(name) && ['index.ts', 'inspector.ts', 'node-version.ts'].includes(imported)))
		.map(imported => `${name} → ${imported}`));

	assert.deepEqual(wrong, []);
	assert.ok(modules.filter(({name}) => isOfCommandLine(name)).length > 10);
});

/** The type of got's options is part of what a function of the user's is given. */
const namesGot = 'options/options.ts';

/** Its commands make requests. */
const usesGot = new Set(['acceptance', 'audit', 'replay', 'cli/transfer', 'cli/warm']);

test('got is imported by the folders `got`, `acceptance`, `audit` and `replay`, and by commands', () => {
	const others = modules.filter(({name, folder, packages}) => packages.includes('got') && !folder.startsWith('got') && !usesGot.has(folder) && name !== namesGot).map(({name}) => name);

	assert.deepEqual(others, []);
});

/** Packages that only a program with the same ones has, and the files that may import them. */
const optionalPackages: Readonly<Record<string, (name: string) => boolean>> = {
	'@opentelemetry/api': name => name === 'opentelemetry.ts' || name.startsWith('opentelemetry/'),
	'prom-client': name => name === 'prometheus.ts',
};

test('OpenTelemetry and prom-client are imported by their entry points alone, which nothing else imports', () => {
	for (const [specifier, isAllowed] of Object.entries(optionalPackages)) {
		const importers = modules.filter(({packages}) => packages.includes(specifier)).map(({name}) => name);

		assert.ok(importers.length > 0, specifier);
		assert.deepEqual(importers.filter(name => !isAllowed(name)), []);
		const reached = modules.filter(({name, imports}) => !isAllowed(name) && imports.some(imported => isAllowed(imported))).map(({name}) => name);
		assert.deepEqual(reached, []);
	}
});

test('the other entry points load neither OpenTelemetry nor prom-client', async () => {
	const {stdout, stderr} = await runScript(`
		const {registerHooks} = await import('node:module');
		const loaded = [];
		registerHooks({load(url, context, next) {
			loaded.push(url);
			return next(url, context);
		}});
		for (const entry of ['index', 'acceptance', 'audit', 'embedded', 'file-store', 'replay', 'webhook', 'cli/run']) {
			await import(\`./source/\${entry}.ts\`);
		}

		console.log(JSON.stringify([loaded.length > 50, loaded.filter(url => /@opentelemetry|prom-client|source\\/opentelemetry|source\\/prometheus/.test(url))]));
	`);
	assert.deepEqual([stderr, JSON.parse(stdout)], ['', [true, []]]);
});

test('no client of Redis, and no SQLite, is loaded before there is a store of that kind', async () => {
	const {stdout, stderr} = await runScript(`
		const {registerHooks} = await import('node:module');
		const loaded = [];
		registerHooks({load(url, context, next) {
			loaded.push(url);
			return next(url, context);
		}});
		// SQLite, which Node.js has built in, is loaded past such hooks.
		const {getBuiltinModule} = process;
		process.getBuiltinModule = name => {
			loaded.push(name);
			return getBuiltinModule(name);
		};

		const {redisCache} = await import('./source/index.ts');
		const counts = [];
		for (const store of ['memory', new Map(), 'sqlite::memory:', 'redis://localhost:1']) {
			await redisCache(store).has('http://localhost');
			counts.push([loaded.includes('node:sqlite'), loaded.some(url => /@redis|@keyv.redis|ioredis.built|iovalkey/.test(url))]);
		}

		console.log(JSON.stringify(counts));
	`);
	assert.deepEqual([stderr, JSON.parse(stdout)], ['', [[false, false], [false, false], [true, false], [true, true]]]);
});
