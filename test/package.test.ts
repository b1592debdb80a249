import {execFile} from 'node:child_process';
import {
	cp,
	mkdir,
	mkdtemp,
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
import {respond, startOrigin, type Origin} from './helpers/origin.ts';

const repository = path.resolve(import.meta.dirname, '..');
const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8')) as {
	readonly devDependencies: Readonly<Record<string, string>>;
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

let packed: Awaited<ReturnType<typeof pack>>;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'package-test-'));
	origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60', 'content-type': 'application/json'}, body: '{"hello":"world"}'});
	});
	packed = await pack();

	project = path.join(directory, 'project');
	await mkdir(project);
	await writeFile(path.join(project, 'package.json'), '{"private": true, "type": "module"}');
	const companions = ['got', 'typescript', '@types/node', '@opentelemetry/api', 'prom-client'].map(name => `${name}@${manifest.devDependencies[name]}`);
	companions.push(`typescript-oldest@npm:typescript@${oldestTypeScript}`);
	await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball, ...companions], project);
});

after(async () => {
	await origin.stop();
	await rm(directory, {recursive: true, force: true});
});

test('contains what a user needs and nothing else', (t: TestContext) => {
	const outsideDist = packed.files.filter(file => !file.startsWith('dist/'));
	t.assert.deepStrictEqual(outsideDist.filter(file => !file.includes('/')).toSorted(), ['changelog.md', 'license', 'package.json', 'readme.md']);
	t.assert.deepStrictEqual(outsideDist.filter(file => !/^(?:(?:benchmarks|docs(?:\/(?:contributing|stores))?)\/[\w\-]+\.(?:json|md|svg)|docs\/images\/[\w\-]+\.png|[\w.]+)$/v.test(file)), []);

	const insideDist = new Set(packed.files.filter(file => file.startsWith('dist/')));
	t.assert.ok(insideDist.has('dist/index.js'));
	t.assert.ok(insideDist.has('dist/audit.js'));
	t.assert.ok(insideDist.has('dist/embedded.js'));
	t.assert.ok(insideDist.has('dist/acceptance.js'));
	t.assert.ok(insideDist.has('dist/file-store.js'));
	t.assert.ok(insideDist.has('dist/replay.js'));
	t.assert.ok(insideDist.has('dist/rate-limit.js'));
	t.assert.ok(insideDist.has('dist/webhook.js'));
	t.assert.ok(insideDist.has('dist/opentelemetry.js'));
	t.assert.ok(insideDist.has('dist/prometheus.js'));
	t.assert.ok(insideDist.has('dist/cli/main.js'));
	t.assert.ok(insideDist.has('dist/inspector.js'));
	for (const file of ['index.html', 'style.css', 'icon.svg', 'main.js']) {
		t.assert.ok(insideDist.has(`dist/inspector/page/${file}`));
	}

	for (const file of insideDist) {
		if (file.startsWith('dist/inspector/page/')) {
			t.assert.match(file, /\.(?:css|html|js|svg)$/v);
			continue;
		}

		t.assert.match(file, /\.(?:js|d\.ts)$/v);
		t.assert.ok(insideDist.has(file.replace(/\.js$/v, '.d.ts')), `${file} has no declarations`);
	}
});

test('its pages link to one another, and to nothing that is left out', async (t: TestContext) => {
	const pages = packed.files.filter(file => file.endsWith('.md'));
	t.assert.ok(pages.includes('docs/reasons.md'));
	for (const page of pages) {
		const text = await readFile(path.join(repository, page), 'utf8');
		const links = text.matchAll(/\]\((?<file>(?!https?:)[^#\)]+)/gv).map(({groups}) => path.join(path.dirname(page), groups?.file ?? ''));
		for (const link of links) {
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
	t.assert.ok(loaded.length > 20);
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
