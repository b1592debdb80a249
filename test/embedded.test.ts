import {Buffer} from 'node:buffer';
import {execFile, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {
	access,
	chmod,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from 'node:fs/promises';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {
	after,
	before,
	test,
	type TestContext,
} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {promisify} from 'node:util';
import {createClient, type RedisClientType} from '@redis/client';
import got from 'got';
import {embeddedRedis, type EmbeddedRedis, type EmbeddedRedisOptions} from '../source/embedded.ts';
import {redisCache} from '../source/index.ts';
import {respond, startOrigin} from './helpers/origin.ts';
import {startScript} from './helpers/script.ts';

let directory: string;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'embedded-test-'));
});

after(async () => {
	await rm(directory, {recursive: true, force: true});
});

const owned = async (t: TestContext, options?: EmbeddedRedisOptions): Promise<EmbeddedRedis> => {
	const redis = await embeddedRedis(options);
	t.after(async () => redis.close());
	return redis;
};

const using = async <T>({socketPath}: {socketPath: string}, act: (client: RedisClientType) => Promise<T>): Promise<T> => {
	const client: RedisClientType = createClient({socket: {path: socketPath, reconnectStrategy: false}});
	client.on('error', () => undefined);
	await client.connect();
	try {
		return await act(client);
	} finally {
		client.destroy();
	}
};

/** A connection that the server closes when it ends. */
const watch = async (socketPath: string): Promise<{ended: Promise<void>; isOpen(): boolean}> => {
	const socket = connect(socketPath);
	await once(socket, 'connect');
	let isOpen = true;
	const ended = new Promise<void>(resolve => {
		socket.resume().on('error', () => undefined).once('close', () => {
			isOpen = false;
			resolve();
		});
	});
	return {ended, isOpen: () => isOpen};
};

const exists = async (file: string): Promise<boolean> => access(file).then(() => true).catch(() => false);

const until = async (condition: () => Promise<boolean>): Promise<void> => {
	while (!await condition()) {
		await delay(10);
	}
};

const untilRemoved = async (socketPath: string): Promise<void> => until(async () => !await exists(path.dirname(socketPath)));

/** The processes whose command line names the server's directory. */
const processesOf = async (socketPath: string): Promise<number[]> => {
	const {stdout} = await promisify(execFile)('ps', ['-eo', 'pid=,stat=,args=']);
	return stdout
		.split('\n')
		.filter(line => line.includes(path.dirname(socketPath)) && !/^\s*\d+\s+Z/v.test(line))
		.map(line => Number.parseInt(line, 10)); // eslint-disable-line unicorn/prefer-number-coercion -- More follows.
};

/** Those that do not end. Who has removed the directory ends after that. */
const processesLeftOf = async (socketPath: string): Promise<number[]> => {
	let left = await processesOf(socketPath);
	for (let polls = 0; polls < 1000 && left.length > 0; polls++) {
		await delay(10);
		left = await processesOf(socketPath);
	}

	return left;
};

/** The two processes of the watchdog. The one that has started them may not have ended yet when the server is ready. */
const watchdogsOf = async ({socketPath, pid}: {socketPath: string; pid: number}): Promise<readonly number[]> => {
	let watchdogs: number[] = [];
	await until(async () => {
		const found = await processesOf(socketPath);
		watchdogs = found.filter(each => each !== pid);
		return watchdogs.length === 2;
	});
	return watchdogs;
};

/** Whether a shell waits for `sleep`: the watching process has written, and looks again soon. */
const isSleeping = async (shell: number): Promise<boolean> => {
	const {stdout} = await promisify(execFile)('ps', ['-eo', 'ppid=,comm=']);
	return stdout.split('\n').some(line => /^(?<parent>\d+)\s+sleep$/v.exec(line.trim())?.groups?.parent === String(shell));
};

/** In the order in which neither does anything about the end of the other: the waiting process would end the server at once. */
const waitingFirst = async (server: Parameters<typeof watchdogsOf>[0]): Promise<readonly number[]> => {
	const [watching, waiting] = await watchdogsOf(server) as [number, number];
	return [waiting, watching];
};

type Owner = {
	readonly child: ChildProcess;
	readonly exited: Promise<unknown[]>;
	/** The next one that it prints, or has printed. */
	readonly line: () => Promise<string>;
	readonly errors: () => string;
};

type RunningOwner = Owner & {readonly pid: number; readonly socketPath: string};

/** Another process. `redis` is its server, whose id and socket it prints; `next()` waits for a line on its standard input. */
const startOwner = (t: TestContext, options: EmbeddedRedisOptions, {script = 'await next();', env = {}, args = []}: {script?: string; env?: NodeJS.ProcessEnv; args?: string[]} = {}): Owner => {
	const child = startScript(t, `
		import {once} from 'node:events';
		import {createClient} from ${JSON.stringify(import.meta.resolve('@redis/client'))};
		import {embeddedRedis} from ${JSON.stringify(import.meta.resolve('../source/embedded.ts'))};
		const next = async () => once(process.stdin, 'data');
		const redis = await embeddedRedis(${JSON.stringify(options)});
		console.log(JSON.stringify({pid: redis.pid, socketPath: redis.socketPath}));
		${script}
	`, {env, args, stdio: 'pipe'});
	let errors = '';
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		errors += text;
	});
	// From here on lines wait for who asks for them, however many come at once.
	const lines = createInterface({input: child.stdout!})[Symbol.asyncIterator]();
	const exited = once(child, 'close');
	return {
		child,
		exited,
		async line() {
			const {done, value} = await lines.next();
			if (done) {
				await exited;
				throw new Error(`The owner has ended.\n${errors}`);
			}

			return value;
		},
		errors: () => errors,
	};
};

const ready = async (owner: Owner): Promise<RunningOwner> => {
	const {pid, socketPath} = JSON.parse(await owner.line()) as {pid: number; socketPath: string};
	return {...owner, pid, socketPath};
};

const kill = async ({child, exited}: Owner): Promise<void> => {
	child.kill('SIGKILL');
	await exited;
};

const newPath = async (name = 'cache.rdb'): Promise<string> => path.join(await mkdtemp(path.join(directory, 'data-')), name);

test('answers from a real Redis, for the cache', async (t: TestContext) => {
	const redis = await owned(t);
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'hello'});
	});
	const client = got.extend(redisCache({store: redis, memory: false, timeout: '10s'}));

	t.assert.strictEqual(await client(origin.url).text(), 'hello');
	await until(async () => using(redis, async redisClient => await redisClient.dbSize() > 0));
	const {isFromCache, body} = await client(origin.url);

	t.assert.deepStrictEqual({isFromCache, body, requests: origin.requests.length}, {isFromCache: true, body: 'hello', requests: 1});
});

test('is open to the current user alone, and not on TCP', async (t: TestContext) => {
	const redis = await owned(t);

	const socket = await stat(redis.socketPath);
	t.assert.ok(socket.isSocket());
	t.assert.strictEqual(socket.mode & 0o777, 0o700); // eslint-disable-line no-bitwise -- Permissions.
	const {mode} = await stat(path.dirname(redis.socketPath));
	t.assert.strictEqual(mode & 0o777, 0o700); // eslint-disable-line no-bitwise -- Permissions.

	await using(redis, async client => {
		t.assert.deepStrictEqual({...await client.configGet(['port', 'tls-port', 'cluster-enabled'])}, {port: '0', 'tls-port': '0', 'cluster-enabled': 'no'});
		t.assert.match(await client.info('server'), /tcp_port:0\r/v);
		t.assert.match(await client.info('server'), new RegExp(`process_id:${redis.pid}\r`, 'v'));
	});
});

test('keeps nothing without `path`, and evicts nothing', async (t: TestContext) => {
	const redis = await owned(t);

	await using(redis, async client => {
		t.assert.deepStrictEqual(
			{...await client.configGet(['save', 'appendonly', 'maxmemory', 'maxmemory-policy'])},
			{
				save: '',
				appendonly: 'no',
				maxmemory: '0',
				'maxmemory-policy': 'allkeys-lru',
			},
		);
	});
});

test('close() ends the server and removes its files, however often it is called', async (t: TestContext) => {
	const redis = await embeddedRedis();
	const server = await watch(redis.socketPath);

	await Promise.all([redis.close(), redis.close()]);
	await redis.close();

	await server.ended;
	t.assert.strictEqual(await exists(path.dirname(redis.socketPath)), false);
	t.assert.deepStrictEqual(await processesLeftOf(redis.socketPath), []);
});

test('`await using` closes it', async (t: TestContext) => {
	let socketPath: string;
	{
		await using redis = await embeddedRedis();
		({socketPath} = redis);
	}

	t.assert.strictEqual(await exists(path.dirname(socketPath)), false);
});

test('a `path` that is undefined, as from an unset variable, is refused', async (t: TestContext) => {
	await t.assert.rejects(embeddedRedis({path: undefined}), {
		name: 'TypeError',
		message: /^Expected the option `path` in embeddedRedis\(\) to be a path, got undefined, as from an unset environment variable; leave/v,
	});
});

test('two without `path` have nothing in common', async (t: TestContext) => {
	const [first, second] = await Promise.all([owned(t), owned(t)]);

	t.assert.notStrictEqual(first.pid, second.pid);
	t.assert.notStrictEqual(first.socketPath, second.socketPath);
});

test('a script that is done exits by itself, and the server with it', async (t: TestContext) => {
	const owner = await ready(startOwner(t, {}, {script: ''}));

	t.assert.deepStrictEqual(await owner.exited, [0, null]);
	t.assert.strictEqual(owner.errors(), '');
	await untilRemoved(owner.socketPath);
	t.assert.deepStrictEqual(await processesLeftOf(owner.socketPath), []);
});

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
	test(`${signal} to the owner ends the server`, async (t: TestContext) => {
		const owner = await ready(startOwner(t, {}));
		const server = await watch(owner.socketPath);

		owner.child.kill(signal);
		await owner.exited;

		await server.ended;
		await untilRemoved(owner.socketPath);
		t.assert.deepStrictEqual(await processesLeftOf(owner.socketPath), []);
	});
}

test('a process that the owner has started does not keep the server running', async (t: TestContext) => {
	const owner = await ready(startOwner(t, {}, {
		script: `
			const {spawn} = await import('node:child_process');
			const {pid} = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], {stdio: 'ignore', detached: true});
			console.log(pid);
			await next();
		`,
	}));
	const server = await watch(owner.socketPath);
	const pid = Number(await owner.line());
	t.after(() => {
		process.kill(pid, 'SIGKILL');
	});

	await kill(owner);

	await server.ended;
	t.assert.ok(!server.isOpen());
});

for (const [index, which] of ['the watching', 'the waiting'].entries()) {
	test(`without ${which} process of the watchdog the server still ends, saved, with its owner`, async (t: TestContext) => {
		const rdbPath = await newPath();
		const owner = await ready(startOwner(t, {path: rdbPath}));
		await using(owner, async client => client.set('key', 'value'));
		const server = await watch(owner.socketPath);
		const watchdogs = await watchdogsOf(owner);

		process.kill(watchdogs[index]!, 'SIGKILL');
		await kill(owner);

		await server.ended;
		await untilRemoved(owner.socketPath);
		t.assert.strictEqual(await exists(`${rdbPath}.server`), false);
		const redis = await owned(t, {path: rdbPath});
		t.assert.strictEqual(await using(redis, async client => client.get('key')), 'value');
	});
}

test('without the waiting process of the watchdog, killed when it has been told of the end of the owner and has done nothing about it, the server still ends', async (t: TestContext) => {
	const owner = await ready(startOwner(t, {}));
	const server = await watch(owner.socketPath);
	const [watching, waiting] = await watchdogsOf(owner) as [number, number];
	process.kill(waiting, 'SIGSTOP');
	await kill(owner);
	await until(async () => await isSleeping(watching) || !(await processesOf(owner.socketPath)).includes(watching));
	t.assert.ok(server.isOpen());

	process.kill(waiting, 'SIGKILL');

	await server.ended;
	await untilRemoved(owner.socketPath);
	t.assert.deepStrictEqual(await processesLeftOf(owner.socketPath), []);
});

test('keeps the data and their TTL at `path`, for the current user alone', async (t: TestContext) => {
	const rdbPath = await newPath('a "quoted" näme.rdb');
	{
		await using redis = await embeddedRedis({path: rdbPath});
		await using(redis, async client => client.set('key', Buffer.from([0, 255, 10, 13]), {expiration: {type: 'EX', value: 3600}}));
	}

	const {mode} = await stat(rdbPath);
	t.assert.strictEqual(mode & 0o777, 0o600); // eslint-disable-line no-bitwise -- Permissions.
	t.assert.deepStrictEqual(await readdir(path.dirname(rdbPath)), [path.basename(rdbPath)]);

	const redis = await owned(t, {path: rdbPath});
	await using(redis, async client => {
		t.assert.strictEqual(await client.strLen('key'), 4);
		const ttl = await client.ttl('key');
		t.assert.ok(ttl > 3000, String(ttl));
		t.assert.ok(ttl <= 3600, String(ttl));
		t.assert.strictEqual((await client.configGet('save')).save, '60 1');
	});
});

test('the embedded Redis leaves the files that docs/stores/embedded.md names, and no more', async (t: TestContext) => {
	const page = await readFile(path.resolve(import.meta.dirname, '../docs/stores/embedded.md'), 'utf8');
	const section = /(?<=^## Files\n).*/msv.exec(page)?.[0] ?? '';
	const rdbPath = await newPath();
	const redis = await owned(t, {path: rdbPath});

	const beside = await readdir(path.dirname(rdbPath));
	const within = await readdir(path.dirname(redis.socketPath));
	t.assert.deepStrictEqual(beside, ['cache.rdb.server']);
	t.assert.deepStrictEqual(within.map(name => name.replace(/^owner-.*/v, 'owner-…')).toSorted(), ['owner-…', 'owners', 'pid', 'redis.conf', 'redis.sock']);
	for (const name of ['cache.rdb.server/', 'got-redis-cache-…/', 'owner-…', 'owners', 'pid', 'redis.conf', 'redis.sock']) {
		t.assert.ok(section.includes(`\`${name}\``), name);
	}
});

test('a relative `path` is relative to the working directory', async (t: TestContext) => {
	const rdbPath = await newPath();
	const redis = await owned(t, {path: path.relative(process.cwd(), rdbPath)});

	t.assert.ok(await exists(`${rdbPath}.server`));
	await redis.close();
});

test('one run after the other finds the data, though nobody closed anything', async (t: TestContext) => {
	const rdbPath = await newPath();
	const script = `
		const client = createClient(redis.clientOptions);
		await client.connect();
		console.log(await client.incr('runs'));
		client.destroy();
	`;
	for (const run of [1, 2, 3, 4]) {
		const owner = startOwner(t, {path: rdbPath}, {script});
		let output = '';
		owner.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
		t.assert.deepStrictEqual(await owner.exited, [0, null], owner.errors());
		t.assert.strictEqual(output.trim().split('\n').at(-1), String(run));
	}
});

test('processes with the same `path` share one server, which ends after the last one', async (t: TestContext) => {
	const rdbPath = await newPath();
	const first = await ready(startOwner(t, {path: rdbPath}));
	const link = path.join(directory, 'link');
	await symlink(path.dirname(rdbPath), link);
	const second = await ready(startOwner(t, {path: path.join(link, 'cache.rdb')}));
	const here = await embeddedRedis({path: rdbPath});
	const again = await embeddedRedis({path: rdbPath});
	const server = await watch(here.socketPath);
	t.assert.deepStrictEqual(new Set([first.pid, second.pid, here.pid, again.pid]), new Set([here.pid]));

	await kill(first);
	await here.close();
	await using(second, async client => client.set('key', 'value'));
	await kill(second);
	t.assert.strictEqual(await using(again, async client => client.get('key')), 'value');
	t.assert.ok(server.isOpen());

	await again.close();
	await server.ended;
	t.assert.deepStrictEqual(await readdir(path.dirname(rdbPath)), ['cache.rdb']);
});

test('many that start at the same time find one server', async (t: TestContext) => {
	const rdbPath = await newPath();
	const owners = Array.from({length: 4}, () => startOwner(t, {path: rdbPath}));
	const here = await Promise.all(Array.from({length: 4}, async () => owned(t, {path: rdbPath})));
	const running = await Promise.all(owners.map(async owner => ready(owner)));

	t.assert.strictEqual(new Set([...here, ...running].map(({pid}) => pid)).size, 1);
});

test('joining while the last owner leaves ends with a server that stays', async (t: TestContext) => {
	const rdbPath = await newPath();
	for (let round = 0; round < 6; round++) {
		const first = await embeddedRedis({path: rdbPath});
		await using(first, async client => client.incr('rounds'));
		const [second] = await Promise.all([owned(t, {path: rdbPath}), first.close()]);
		t.assert.strictEqual(await using(second, async client => client.get('rounds')), String(round + 1));
		await second.close();
	}
});

test('takes over where everything was killed', async (t: TestContext) => {
	const rdbPath = await newPath();
	const owner = await ready(startOwner(t, {path: rdbPath}));
	await using(owner, async client => {
		await client.set('key', 'value');
		await client.sendCommand(['SAVE']);
	});
	const server = await watch(owner.socketPath);
	for (const pid of [...await waitingFirst(owner), owner.pid]) {
		process.kill(pid, 'SIGKILL');
	}

	await kill(owner);
	await server.ended;
	t.assert.strictEqual((await readdir(`${rdbPath}.server`)).length, 1);

	const redis = await owned(t, {path: rdbPath});
	t.assert.strictEqual(await using(redis, async client => client.get('key')), 'value');
	t.assert.strictEqual(await exists(path.dirname(owner.socketPath)), false);
});

test('takes over where a restart of the machine has emptied the temporary directory', async (t: TestContext) => {
	const rdbPath = await newPath();
	await mkdir(`${rdbPath}.server`);
	await symlink(path.join(tmpdir(), 'got-redis-cache-000000'), path.join(`${rdbPath}.server`, 'got-redis-cache-000000'));

	const redis = await owned(t, {path: rdbPath});
	t.assert.strictEqual(await using(redis, async client => client.ping()), 'PONG');
});

test('takes over, with its data, a server that nothing ends any more', async (t: TestContext) => {
	const rdbPath = await newPath();
	const owner = await ready(startOwner(t, {path: rdbPath}));
	await using(owner, async client => client.set('key', 'value'));
	for (const pid of await waitingFirst(owner)) {
		process.kill(pid, 'SIGKILL');
	}

	await kill(owner);
	t.assert.ok(await exists(owner.socketPath));

	const redis = await owned(t, {path: rdbPath});
	t.assert.notStrictEqual(redis.pid, owner.pid);
	t.assert.strictEqual(await using(redis, async client => client.get('key')), 'value');
});

test('close() ends a server whose watchdog was killed', async (t: TestContext) => {
	const redis = await embeddedRedis();
	const server = await watch(redis.socketPath);
	for (const pid of await waitingFirst(redis)) {
		process.kill(pid, 'SIGKILL');
	}

	await redis.close();
	await server.ended;
	t.assert.strictEqual(await exists(path.dirname(redis.socketPath)), false);
});

test('starts a new server in place of one that has crashed', async (t: TestContext) => {
	const rdbPath = await newPath();
	const first = await owned(t, {path: rdbPath});
	const server = await watch(first.socketPath);
	process.kill(first.pid, 'SIGKILL');
	await server.ended;

	const second = await owned(t, {path: rdbPath});
	t.assert.notStrictEqual(second.pid, first.pid);
	t.assert.strictEqual(await using(second, async client => client.ping()), 'PONG');
	await first.close();
	t.assert.strictEqual(await using(second, async client => client.ping()), 'PONG');
	const third = await owned(t, {path: rdbPath});
	t.assert.strictEqual(third.pid, second.pid);
});

test('a server that cannot save ends nevertheless', async (t: TestContext) => {
	const rdbPath = await newPath();
	const redis = await embeddedRedis({path: rdbPath});
	await using(redis, async client => client.set('key', 'value'));
	const server = await watch(redis.socketPath);
	await rm(path.dirname(rdbPath), {recursive: true});

	await redis.close();
	await server.ended;
	t.assert.deepStrictEqual(await processesLeftOf(redis.socketPath), []);
});

test('a temporary directory with a name too long for a socket does not matter', async (t: TestContext) => {
	const long = path.join(directory, 'x'.repeat(100));
	await mkdir(long);
	const owner = await ready(startOwner(t, {}, {env: {TMPDIR: long}}));

	t.assert.ok(Buffer.byteLength(owner.socketPath) < 104);
	t.assert.strictEqual(await using(owner, async client => client.ping()), 'PONG');
});

test('without a binary it says how to get one', async (t: TestContext) => {
	const empty = await mkdtemp(path.join(directory, 'empty-'));
	const owner = startOwner(t, {}, {env: {PATH: empty}});

	t.assert.deepStrictEqual(await owner.exited, [1, null]);
	t.assert.match(owner.errors(), /^Error: embeddedRedis\(\): found neither redis-server nor valkey-server in PATH\./mv);
	for (const advice of ['apt-get install redis-server', 'brew install redis', 'apk add redis', 'dnf install', 'WSL', 'npm install redis-memory-server']) {
		t.assert.ok(owner.errors().includes(advice), advice);
	}
});

test('finds valkey-server in PATH, and the executable that redis-memory-server provides', async (t: TestContext) => {
	const {stdout} = await promisify(execFile)('/bin/sh', ['-c', 'command -v redis-server || command -v valkey-server']);
	const executable = stdout.trim();
	const valkey = await mkdtemp(path.join(directory, 'valkey-'));
	await writeFile(path.join(valkey, 'valkey-server'), `#!/bin/sh\nexec ${executable} "$@"\n`, {mode: 0o755});
	const first = await ready(startOwner(t, {}, {env: {PATH: valkey}}));
	t.assert.strictEqual(await using(first, async client => client.ping()), 'PONG');

	const empty = await mkdtemp(path.join(directory, 'empty-'));
	const provider = `data:text/javascript,${encodeURIComponent(`export const RedisBinary = {getPath: async () => ${JSON.stringify(executable)}};`)}`;
	const hooks = `
		import {registerHooks} from 'node:module';
		registerHooks({
			resolve: (specifier, context, next) => next(specifier === 'redis-memory-server' ? ${JSON.stringify(provider)} : specifier, context),
		});
	`;
	const second = await ready(startOwner(t, {}, {env: {PATH: empty}, args: ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`]}));
	t.assert.strictEqual(await using(second, async client => client.ping()), 'PONG');
});

const serversOf = async (rdbPath: string): Promise<boolean> => exists(`${rdbPath}.server`);

test('rejects a binary that is none', async (t: TestContext) => {
	const rdbPath = await newPath();
	const file = path.join(directory, 'not-executable');
	await writeFile(file, '');

	await t.assert.rejects(owned(t, {binary: '/nowhere/redis-server'}), {message: 'embeddedRedis(): the option `binary` is \'/nowhere/redis-server\', which is no executable file'});
	await t.assert.rejects(owned(t, {binary: 'no-such-server'}), {message: 'embeddedRedis(): the option `binary` is \'no-such-server\', which is no executable file in PATH'});
	await t.assert.rejects(owned(t, {binary: file}), /which is no executable file/v);
	await t.assert.rejects(owned(t, {binary: directory}), /which is no executable file/v);
	await t.assert.rejects(owned(t, {binary: 'false', path: rdbPath}), /\/false with the data in .*cache\.rdb ended before it was ready/v);
	await t.assert.rejects(owned(t, {binary: 'ls', path: rdbPath}), /\/ls with the data in .* ended before it was ready\. It said:\n.*redis\.conf/v);
	t.assert.strictEqual(await serversOf(rdbPath), false);
});

test('rejects data that is none, and leaves it alone', async (t: TestContext) => {
	for (const content of ['not an RDB file', 'REDIS0010']) {
		const rdbPath = await newPath();
		await writeFile(rdbPath, content);

		await Promise.all([
			t.assert.rejects(owned(t, {path: rdbPath}), /with the data in .*cache\.rdb ended before it was ready\. It said:\n[\s\S]*(?:RDB|rdb|DB|sign)/v),
			t.assert.rejects(owned(t, {path: rdbPath}), /ended before it was ready/v),
		]);

		t.assert.strictEqual(await readFile(rdbPath, 'utf8'), content);
		t.assert.deepStrictEqual(await readdir(path.dirname(rdbPath)), ['cache.rdb']);
	}
});

test('rejects a path where nothing can be kept', async (t: TestContext) => {
	const nowhere = path.join(directory, 'nowhere', 'cache.rdb');
	await t.assert.rejects(owned(t, {path: nowhere}), {message: `embeddedRedis(): the option \`path\` is '${nowhere}', but there is no directory ${directory}/nowhere`});
	await t.assert.rejects(owned(t, {path: directory}), {message: `embeddedRedis(): the option \`path\` is '${directory}', which is not a file`});

	const readOnly = await mkdtemp(path.join(directory, 'read-only-'));
	await chmod(readOnly, 0o500);
	// Nothing but a file system without files keeps root from writing.
	const parent = process.geteuid?.() === 0 ? '/proc' : readOnly;
	await t.assert.rejects(owned(t, {path: path.join(parent, 'cache.rdb')}), {message: `embeddedRedis(): cannot write to the directory of ${parent}/cache.rdb`});
});

test('does not join the server of another user', async (t: TestContext) => {
	const rdbPath = await newPath();
	await owned(t, {path: rdbPath});
	t.mock.method(process as {geteuid: () => number}, 'geteuid', () => 12_345);

	await t.assert.rejects(owned(t, {path: rdbPath}), {message: `embeddedRedis(): ${rdbPath} is in use by another user (${rdbPath}.server)`});
});

test('a file among the entries is reported, not waited for', async (t: TestContext) => {
	const rdbPath = await newPath();
	await mkdir(`${rdbPath}.server`);
	await writeFile(path.join(`${rdbPath}.server`, 'notes.txt'), '');

	await t.assert.rejects(owned(t, {path: rdbPath}), /notes\.txt is not an entry of a running server: remove/v);
});

for (const [options, message] of [
	[null, 'Expected an object with options in embeddedRedis(), got null'],
	['./cache.rdb', 'Expected an object with options in embeddedRedis(), got \'./cache.rdb\''],
	[{file: 'x'}, 'Unknown option `file` in embeddedRedis(): expected one of path, binary'],
	[{path: 1}, 'Expected the option `path` in embeddedRedis() to be a path, got 1'],
	[{path: ''}, 'Expected the option `path` in embeddedRedis() to be a path, got \'\''],
	[{binary: true}, 'Expected the option `binary` in embeddedRedis() to be a path, or a name in `PATH`, got true'],
] as const) {
	test(`TypeError: ${message}`, async (t: TestContext) => {
		await t.assert.rejects(owned(t, options as unknown as EmbeddedRedisOptions), {name: 'TypeError', message});
	});
}
