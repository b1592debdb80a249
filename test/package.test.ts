import {execFile} from 'node:child_process';
import {
	cp,
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	symlink,
	writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	after,
	before,
	test,
	type TestContext,
} from 'node:test';
import {promisify} from 'node:util';
import {build} from 'rolldown';
import {respond, startOrigin, type Origin} from './helpers/origin.ts';

const repository = path.resolve(import.meta.dirname, '..');
const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8')) as {
	readonly bin: Readonly<Record<string, string>>;
	readonly devDependencies: Readonly<Record<string, string>>;
	readonly exports: Readonly<Record<string, {readonly types: string; readonly default: string}>>;
	readonly scripts: Readonly<Record<string, string>>;
};

/** As the readme has it. */
const oldestTypeScript = /(?<=TypeScript )\d+\.\d+(?= and later)/v.exec(await readFile(path.join(repository, 'readme.md'), 'utf8'))?.[0] ?? 'unstated';

let directory: string;
let project: string;
let origin: Origin;

const run = async (file: string, args: readonly string[], cwd: string): Promise<string> => {
	try {
		const {stdout} = await promisify(execFile)(file, [...args], {cwd, env: {...process.env, ORIGIN: origin.url}});
		return stdout;
	} catch (error) {
		const {stdout, stderr} = error as {stdout: string; stderr: string};
		throw new Error(`${[file, ...args].join(' ')}\n${stdout}${stderr}`, {cause: error});
	}
};

/** `npm pack` builds; in a copy, so that it does not disturb what others do with `dist`. */
const pack = async (): Promise<{tarball: string; files: string[]}> => {
	const copy = path.join(directory, 'repository');
	const isCopied = (source: string) => !/^(?:\.|dist$|node_modules$)/v.test(path.relative(repository, source));
	await cp(repository, copy, {recursive: true, filter: isCopied});
	await symlink(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'));

	const output = await run('npm', ['pack', '--json', '--pack-destination', directory], copy);
	// The output of the build stands before it.
	const [packed] = JSON.parse(output.slice(output.search(/^\[$/mv))) as Array<{filename: string; files: Array<{path: string}>}>;
	return {tarball: path.join(directory, packed!.filename), files: packed!.files.map(file => file.path)};
};

/** Beside the version that runs the tests. A package of a platform has the executable, without a script that is run when it is installed. */
const nodeMajors = ['22', '26'];

const installNodes = async (): Promise<string> => {
	const folder = path.join(directory, 'nodes');
	await mkdir(folder);
	await writeFile(path.join(folder, 'package.json'), '{"private": true}');
	const names = nodeMajors.map(major => `node-${major}@npm:node-${process.platform}-${process.arch}@${major}`);
	await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...names], folder);
	return path.join(folder, 'node_modules');
};

let nodes: Promise<string>;

let packed: Awaited<ReturnType<typeof pack>>;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'package-test-'));
	origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60', 'content-type': 'application/json'}, body: '{"hello":"world"}'});
	});
	nodes = installNodes();
	packed = await pack();

	project = path.join(directory, 'project');
	await mkdir(project);
	await writeFile(path.join(project, 'package.json'), '{"private": true, "type": "module"}');
	const companions = ['got', 'typescript', '@types/node', '@opentelemetry/api', 'prom-client'].map(name => `${name}@${manifest.devDependencies[name]}`);
	companions.push(`typescript-oldest@npm:typescript@${oldestTypeScript}`);
	await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball, ...companions], project);
	await nodes;
});

after(async () => {
	await origin.stop();
	await rm(directory, {recursive: true, force: true});
});

test('contains what a user needs and nothing else', (t: TestContext) => {
	const outsideDist = packed.files.filter(file => !file.startsWith('dist/'));
	t.assert.deepStrictEqual(outsideDist.filter(file => !file.includes('/')).toSorted(), ['changelog.md', 'contributing.md', 'license', 'package.json', 'readme.md']);
	t.assert.deepStrictEqual(outsideDist.filter(file => !/^(?:(?:benchmarks|docs(?:\/(?:contributing|stores))?)\/[\w\-]+\.(?:json|md|svg)|docs\/images\/[\w\-]+\.(?:png|svg)|[\w.]+)$/v.test(file)), []);

	const insideDist = new Set(packed.files.filter(file => file.startsWith('dist/')));
	const entryPoints = Object.values(manifest.exports).flatMap(({types, default: file}) => [types, file]);
	t.assert.strictEqual(entryPoints.length, 22);
	t.assert.deepStrictEqual([...entryPoints, ...Object.values(manifest.bin)].map(file => path.join(file)).filter(file => !insideDist.has(file)), []);
	t.assert.deepStrictEqual([...insideDist].filter(file => file.startsWith('dist/page/')).toSorted(), ['icon.svg', 'index.html', 'main.js', 'style.css'].map(file => `dist/page/${file}`));
	t.assert.deepStrictEqual([...insideDist].filter(file => !file.startsWith('dist/page/') && !/^dist\/(?:[\w\-]+\.(?:js|d\.ts)|packages\.cjs)$/v.test(file)), []);
});

/** A package and all that it needs, as they lie in a folder. */
const withDependencies = async (name: string, found = new Set<string>()): Promise<Set<string>> => {
	if (!found.has(name)) {
		found.add(name);
		const {dependencies = {}} = JSON.parse(await readFile(path.join(project, 'node_modules', name, 'package.json'), 'utf8')) as {readonly dependencies?: Readonly<Record<string, string>>};
		await Promise.all(Object.keys(dependencies).map(async dependency => withDependencies(dependency, found)));
	}

	return found;
};

/** What a folder takes: the lengths of its files, and the blocks of a disk, as `du` counts them. */
const sizeOf = async (folder: string) => {
	const names = await readdir(folder, {recursive: true});
	const states = await Promise.all(['.', ...names].map(async name => lstat(path.join(folder, name))));
	const files = states.filter(state => state.isFile());
	const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

	return {files: files.length, bytes: sum(files.map(({size}) => size)), diskBytes: sum(states.map(({blocks}) => blocks * 512))};
};

test('the package and all that it adds to got take less than 12 MB of a disk, a few files of its own among them', async (t: TestContext) => {
	const [added, own] = [await withDependencies('got-redis-cache'), await withDependencies('got')];
	const names = [...added.difference(own)];
	t.assert.ok(names.includes('@redis/client'));
	const sizes = await Promise.all(names.map(async name => sizeOf(path.join(project, 'node_modules', name))));
	const diskBytes = sizes.reduce((total, size) => total + size.diskBytes, 0);
	const bytes = sizes.reduce((total, size) => total + size.bytes, 0);
	t.assert.ok(diskBytes < 12_000_000, `${diskBytes} bytes of a disk`);
	t.assert.ok(bytes < 6_000_000, `${bytes} bytes`);

	const package_ = await sizeOf(path.join(project, 'node_modules/got-redis-cache'));
	t.assert.ok(package_.files < 140, `${package_.files} files`);
	t.assert.ok(package_.bytes < 2_100_000, `${package_.bytes} bytes`);
	const built = await sizeOf(path.join(project, 'node_modules/got-redis-cache/dist'));
	t.assert.ok(built.files < 60, `${built.files} built files`);
	t.assert.ok(built.bytes < 1_350_000, `${built.bytes} bytes built`);
});

/** The files of packages that a script loads, by their paths in `node_modules`. */
const loadedBy = async (name: string, script: string): Promise<string[]> => {
	await writeFile(path.join(project, `${name}.js`), `
		import {registerHooks} from 'node:module';

		const loaded = [];
		registerHooks({load(url, context, next) {
			loaded.push(url.split('/node_modules/').at(-1));
			return next(url, context);
		}});
		${script}
		console.log(JSON.stringify(loaded));
	`);
	return JSON.parse(await run(process.execPath, [`${name}.js`], project)) as string[];
};

test('the main entry point loads a handful of files, and no client of Redis before there is a store of that kind', async (t: TestContext) => {
	const loaded = await loadedBy('loaded', `
		await import('got');
		loaded.length = 0;
		const {redisCache} = await import('got-redis-cache');
		redisCache('memory');
	`);
	const own = loaded.filter(file => file.startsWith('got-redis-cache/'));
	t.assert.deepStrictEqual(own.toSorted(), ['core.js', 'helpers.js', 'index.js', 'node-version.js', 'packages.cjs'].map(file => `got-redis-cache/dist/${file}`));
	t.assert.deepStrictEqual(loaded.filter(file => /redis\/|sqlite|opentelemetry|prom-client/v.test(file) && !own.includes(file)), []);

	const withStore = await loadedBy('loaded-store', `
		const {redisCache} = await import('got-redis-cache');
		redisCache('redis://localhost:1');
	`);
	t.assert.ok(withStore.some(file => file.startsWith('@redis/client/')));
});

test('the help of the command line loads neither the library nor a client of Redis', async (t: TestContext) => {
	const loaded = await loadedBy('loaded-help', `
		process.argv.push('--help');
		console.log = () => {};
		const {write} = process.stdout;
		process.stdout.write = (text, ...rest) => write.call(process.stdout, String(text).startsWith('[') ? text : '', ...rest);
		await import(import.meta.resolve('got-redis-cache').replace('index.js', 'cli.js'));
		console.log = text => write.call(process.stdout, text);
	`);
	t.assert.ok(loaded.includes('got-redis-cache/dist/cli.js'));
	t.assert.deepStrictEqual(loaded.filter(file => file.endsWith('/core.js') || file.startsWith('@redis/')), []);
});

test('a bundler finds all that it needs', async (t: TestContext) => {
	await writeFile(path.join(project, 'bundled.js'), `
		import {redisCache} from 'got-redis-cache';

		console.log(redisCache('memory') === undefined);
		const cache = redisCache('redis://localhost:1');
		console.log((await cache.ready().catch(error => error)).name);
		await cache.close();
	`);
	const bundle = path.join(directory, 'bundle');
	await build({input: path.join(project, 'bundled.js'), platform: 'node', logLevel: 'silent', output: {dir: bundle}});
	const plain = await run(process.execPath, ['bundled.js'], project);
	// No `node_modules` is near it.
	t.assert.strictEqual(await run(process.execPath, ['bundled.js'], bundle), plain);
	t.assert.match(plain, /^false\n\w+/v);
});

test('its pages link to one another, and to nothing that is left out', async (t: TestContext) => {
	const pages = packed.files.filter(file => file.endsWith('.md'));
	t.assert.ok(pages.includes('docs/reasons.md'));
	for (const page of pages) {
		const text = await readFile(path.join(repository, page), 'utf8');
		const links = text.matchAll(/\]\((?<file>(?!https?:)[^#\)]+)/gv).map(({groups}) => path.join(path.dirname(page), groups?.file ?? ''));
		// Pictures are shown where the repository is, and would be a twelfth of the package.
		for (const link of links.filter(each => !each.startsWith('docs/images/'))) {
			t.assert.ok(packed.files.includes(link), `${page} links to ${link}`);
		}
	}
});

// Of a package from git, npm packs a clone that it has run `npm install` in: it runs `preprepare` there, and no `prepack`. With `prepare`, it warns of an install script also where a packed file is installed.
test('an installation from git builds, and no other runs anything or is warned of', (t: TestContext) => {
	const whenInstalled = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare', 'postprepare'];
	t.assert.deepStrictEqual(whenInstalled.filter(name => Object.hasOwn(manifest.scripts, name)), []);
	t.assert.strictEqual(manifest.scripts.preprepare, 'npm run build');
	t.assert.strictEqual(manifest.scripts.prepack, 'npm run build');
});

test('works from JavaScript', async (t: TestContext) => {
	await writeFile(path.join(project, 'script.js'), `
		import got from 'got';
		import redisCache, {cacheInfo, redisCache as named} from 'got-redis-cache';
		import {embeddedRedis} from 'got-redis-cache/embedded';

		const client = got.extend(redisCache({store: await embeddedRedis(), timeout: '10s'}));
		const url = process.env.ORIGIN + '/javascript';
		await client(url);
		const response = await client(url, {responseType: 'json'});
		console.log(JSON.stringify([redisCache === named, response.isFromCache, response.body, cacheInfo(response).status]));
	`);

	t.assert.deepStrictEqual(JSON.parse(await run(process.execPath, ['script.js'], project)), [true, true, {hello: 'world'}, 'hit']);
	t.assert.strictEqual(origin.requests.filter(({url}) => url === '/javascript').length, 1);
});

const onNode = async (major: string): Promise<string> => {
	const script = `stores-${major}.js`;
	await writeFile(path.join(project, script), `
		import got from 'got';
		import {cacheInfo, redisCache} from 'got-redis-cache';
		import {embeddedRedis} from 'got-redis-cache/embedded';

		console.log(process.versions.node.split('.')[0]);
		const url = process.env.ORIGIN + '/node-${major}';
		for (const store of ['memory', await embeddedRedis(), 'sqlite:./node-${major}.db']) {
			const cache = redisCache({store, timeout: '10s'});
			const client = got.extend(cache);
			const ask = async () => cacheInfo(await client(url)).status;
			console.log(await ask(), await ask(), await cache.delete(url), await ask());
			await cache.close();
		}
	`);

	return run(path.join(await nodes, `node-${major}/bin/node`), [script], project);
};

for (const major of nodeMajors) {
	test(`works on Node.js ${major}, in memory, on Redis and in a file of SQLite`, async (t: TestContext) => {
		t.assert.strictEqual(await onNode(major), `${major}\n${'miss hit true miss\n'.repeat(3)}`);
	});
}

test('records metrics and spans', async (t: TestContext) => {
	await writeFile(path.join(project, 'metrics.js'), `
		import got from 'got';
		import {redisCache} from 'got-redis-cache';
		import {instrumentCache} from 'got-redis-cache/opentelemetry';
		import {registerMetrics} from 'got-redis-cache/prometheus';
		import {register} from 'prom-client';

		const cache = redisCache('memory');
		instrumentCache(cache);
		registerMetrics(cache);
		await got.extend(cache)(process.env.ORIGIN + '/metrics');
		console.log(await register.getSingleMetricAsString('got_redis_cache_requests_total'));
	`);

	t.assert.match(await run(process.execPath, ['metrics.js'], project), /^got_redis_cache_requests_total\{status="miss",.*\} 1$/mv);
});

test('has a command line', async (t: TestContext) => {
	t.assert.match(await run('npx', ['--no-install', 'got-redis-cache', '--help'], project), /^got-redis-cache: .*\n\nUsage: got-redis-cache COMMAND/v);
	t.assert.match(await run('npx', ['--no-install', 'got-redis-cache', 'ls', '--help'], project), /^got-redis-cache ls: /v);
});

test('serves the inspector from what is built', async (t: TestContext) => {
	await writeFile(path.join(project, 'inspector.js'), `
		import {redisCache} from 'got-redis-cache';
		import {startInspector} from 'got-redis-cache/inspector';

		await using inspector = await startInspector({cache: redisCache('memory')});
		const page = await (await fetch(inspector.url)).text();
		const seen = new Set();
		const load = async name => {
			if (seen.has(name)) {
				return;
			}

			seen.add(name);
			const response = await fetch(new URL(name, inspector.url));
			const text = await response.text();
			console.log(response.status, name);
			await Promise.all([...text.matchAll(/from ["'][.][/]([^"']+)["']/g)].map(([, each]) => load(each)));
		};
		await Promise.all([...page.matchAll(/(?:href|src)="([a-z.]+)"/g)].map(([, name]) => load(name)));
	`);

	const loaded = (await run(process.execPath, ['inspector.js'], project)).trim().split('\n');
	t.assert.deepStrictEqual(loaded.map(line => line.slice('200 '.length)).toSorted((one, other) => one.localeCompare(other)), ['icon.svg', 'main.js', 'style.css']);
	t.assert.deepStrictEqual(loaded.filter(line => !/^200 [\w\-.]+\.(?:css|js|svg)$/v.test(line)), []);
});

test('checks a store of the user\'s own', async (t: TestContext) => {
	await writeFile(path.join(project, 'checks.js'), `
		import {storeChecks} from 'got-redis-cache/acceptance';

		const map = new Map();
		for (const check of storeChecks(() => map)) {
			await check.run();
			console.log(check.name);
		}
	`);

	const output = await run(process.execPath, ['checks.js'], project);
	t.assert.ok(output.trim().split('\n').length > 20);
});

test('works from TypeScript, the oldest and the newest, with every check that the compiler has', async (t: TestContext) => {
	await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify({
		compilerOptions: {
			target: 'es2022',
			module: 'nodenext',
			types: ['node'],
			strict: true,
			exactOptionalPropertyTypes: true,
			skipLibCheck: false,
		},
		files: ['script.ts'],
	}));
	await writeFile(
		path.join(project, 'script.ts'),
		`
		import got from 'got';
		import {cacheInfo, redisCache, type CacheInfo, type CacheReason, type EntryFilter, type NotStoredReason, type RedisCache, type RedisCacheOptions, type RequestCacheOptions, type RequestLike} from 'got-redis-cache';
		import {audit, type Audit, type AuditOptions, type WrongAnswer} from 'got-redis-cache/audit';
		import {embeddedRedis, type EmbeddedRedis, type EmbeddedRedisOptions} from 'got-redis-cache/embedded';
		import {storeChecks, type StoreCheck, type StoreCheckOptions} from 'got-redis-cache/acceptance';
		import {purgeHandler, type PurgeHandler} from 'got-redis-cache/webhook';
		import {instrumentCache, type InstrumentCacheOptions} from 'got-redis-cache/opentelemetry';
		import {rateLimit, RateLimitError, type RateLimiter, type RateLimitOptions} from 'got-redis-cache/rate-limit';
		import {registerMetrics, type RegisterMetricsOptions} from 'got-redis-cache/prometheus';

		const checkOptions: StoreCheckOptions = {isReliable: false, cacheOptions: {timeout: '1s'}};
		export const checks: readonly StoreCheck[] = storeChecks(async () => new Map(), checkOptions);

		export const handler: PurgeHandler = purgeHandler({cache: redisCache('memory'), token: 'a'.repeat(16)});
		const store: EmbeddedRedis = await embeddedRedis();
		const options: RedisCacheOptions = {store, timeout: '10s', ttlOffset: '1h'};
		const cache: RedisCache = redisCache(options);
		const client = got.extend(cache);
		const request: RequestCacheOptions = {tags: ['greeting']};
		const url = process.env.ORIGIN + '/typescript';
		await client(url, {context: {cache: request}});
		const response = await client<{hello: string}>(url, {responseType: 'json'});
		const info: CacheInfo | undefined = cacheInfo(response);
		export const why: readonly [CacheReason | undefined, NotStoredReason | undefined] = [info?.reason, info?.notStored];
		const {hello} = response.body;
		console.log(JSON.stringify([response.isFromCache, hello.toUpperCase(), info?.status]));

		// What is undefined has its default.
		type Undefined<Options> = Record<keyof Options, undefined>;
		export const unset = {
			cache: (given: Undefined<RedisCacheOptions>) => redisCache(given),
			request: (given: Undefined<RequestCacheOptions>): RequestCacheOptions => given,
			redis: async (given: Undefined<EmbeddedRedisOptions>) => embeddedRedis(given),
			checks: (given: Undefined<StoreCheckOptions>) => storeChecks(() => store, given),
			audit: (given: Undefined<Omit<AuditOptions, 'share'>>): Audit => audit(cache, {share: 1, ...given}).on('wrong', (report: WrongAnswer) => report.advice),
			rateLimit: (given: Undefined<RateLimitOptions>): RateLimiter => rateLimit(cache, {'api.example.com': ['10/s', '5000/h'], '*': 'auto'}, given),
			isRateLimited: (error: Error): boolean => error.cause instanceof RateLimitError,
			get: async (given: Undefined<Omit<RequestLike, 'url'>>) => cache.get({url, ...given}),
			opentelemetry: (given: Undefined<InstrumentCacheOptions>): (() => void) => instrumentCache(cache, given),
			prometheus: (given: Undefined<RegisterMetricsOptions>): (() => void) => registerMetrics(cache, given),
			entries: (given: Undefined<EntryFilter>) => cache.entries(given),
			has: async () => cache.has(url, {stale: undefined}),
			invalidate: async () => cache.invalidate({tag: 'a'}, {soft: undefined}),
		};

		// @ts-expect-error Options are checked.
		export const misuse = () => redisCache({nonsense: true});

		// @ts-expect-error What is purged has one thing in common.
		export const twofold = async () => cache.invalidate({tag: 'a', prefix: 'https://example.com/'});
		export const single = async () => Promise.all([cache.invalidate({group: 'a', origin: url}), cache.invalidate({origin: url})]);

		// @ts-expect-error So is where each belongs.
		export const mixture = () => redisCache({url: 'redis://localhost', ttlOffset: '1h'});
	`,
	);

	await run(process.execPath, ['node_modules/typescript-oldest/bin/tsc', '--noEmit'], project);
	await run(process.execPath, ['node_modules/typescript/bin/tsc'], project);
	t.assert.deepStrictEqual(JSON.parse(await run(process.execPath, ['script.js'], project)), [true, 'WORLD', 'hit']);
	t.assert.strictEqual(origin.requests.filter(({url}) => url === '/typescript').length, 1);
});
