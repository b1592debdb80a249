import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {test} from 'node:test';
import {commands} from '../../source/cli/commands.ts';
import {exitCodes} from '../../source/cli/terminal/failure.ts';
import {startRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {runScript} from '../helpers/script.ts';
import {environment, main, runCli, runCliProcess, setUpCli} from './helpers.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/command-line.md'), 'utf8');

const needsStore: ReadonlyArray<readonly string[]> = [
	['ls'],
	['show', 'https://example.com/'],
	['show', 'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}'],
	['explain', 'https://example.com/'],
	['purge', 'https://example.com/'],
	['purge', '--tag', 'a'],
	['purge', '--prefix', 'https://example.com/'],
	['purge', '--all', '--yes'],
	['purge', '--tag', 'a', '--dry-run'],
	['freeze', 'https://example.com'],
];

test('help names every command, option and exit code, with examples', async () => {
	const {code, stdout, stderr} = await runCli(['--help']);
	assert.deepEqual([code, stderr], [0, '']);
	for (const {name} of commands) {
		assert.match(stdout, new RegExp(String.raw`^  ${name} +\S`, 'mv'));
	}

	for (const number of Object.values(exitCodes)) {
		assert.match(stdout, new RegExp(String.raw`^  ${number} +\S`, 'mv'));
	}

	for (const command of commands) {
		const {stdout: help, code: helpCode} = await runCli([command.name, '--help']);
		assert.equal(helpCode, 0);
		assert.ok(command.examples.length > 0);
		for (const [, line] of command.examples) {
			assert.ok(help.includes(`  ${line}\n`), line);
		}

		for (const option of Object.keys(command.options)) {
			assert.ok(help.includes(`--${option}`), option);
		}

		assert.deepEqual(await runCli(['help', command.name]), {code: 0, stdout: help, stderr: ''});
	}
});

test('help fits a terminal of 40 columns', async () => {
	for (const arguments_ of [['--help'], ...commands.map(({name}) => [name, '--help'])]) {
		const {stdout} = await runCli(arguments_, {env: {COLUMNS: '40'}});
		const [prose = ''] = stdout.split('\nExamples:\n', 1);
		const long = prose.split('\n').filter(line => line.length > 40 && line.trim().includes(' ') && !line.startsWith('  -') && !line.includes('redis'));
		assert.deepEqual(long, []);
	}
});

test('docs/command-line.md has every command, every option, every exit code and the examples of help', () => {
	for (const {name, options, examples} of commands) {
		assert.ok(page.includes(`\n## \`${name}\``) || page.includes(`\`${name}\``), name);
		for (const option of Object.keys(options)) {
			assert.ok(page.includes(`--${option}`), `${name} --${option}`);
		}

		assert.ok(examples.some(([, line]) => page.includes(line)), name);
	}

	for (const number of Object.values(exitCodes)) {
		assert.ok(page.includes(`| ${number} |`), String(number));
	}
});

test('--version is that of the package', async () => {
	const {version} = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {version: string};
	for (const arguments_ of [['--version'], ['version'], ['ls', '--version']]) {
		assert.deepEqual(await runCli(arguments_), {code: 0, stdout: `${version}\n`, stderr: ''});
	}
});

test('wrong usage exits with 2, and one line that says what to do', async () => {
	const mistakes: ReadonlyArray<readonly [arguments_: readonly string[], message: string]> = [
		[['lst'], 'There is no command \'lst\': did you mean ls?'],
		[['frobnicate'], `There is no command 'frobnicate': give one of ${commands.map(({name}) => name).join(', ')}`],
		[['-v'], 'There is no option -v before a command: did you mean --version?'],
		[['--foo'], 'There is no option --foo before a command: write the options of a command behind it; see got-redis-cache --help'],
		[['--stoer', 'redis://localhost:6379', 'ls'], 'There is no option --stoer before a command: did you mean --store?'],
		[['--tag', 'a', 'ls'], 'There is no option --tag before a command: write the options of a command behind it; see got-redis-cache --help'],
		[['ls', '--fresh', '--stale'], '--fresh and --stale exclude each other, and filters have to match together: leave one of them out'],
		[['export', '--fresh', '--stale'], '--fresh and --stale exclude each other, and filters have to match together: leave one of them out'],
		[['ls', '--tags', 'a'], 'There is no option --tags of the command ls: did you mean --tag?'],
		[['ls', '--nonsense'], 'There is no option --nonsense of the command ls: see got-redis-cache ls --help'],
		[['ls', 'items'], 'The command ls takes no argument, got items: see got-redis-cache ls --help'],
		[['show'], 'The command show takes URL|KEY [options], got none: see got-redis-cache show --help'],
		[
			['ls', '--limit', '-1'],
			'--limit is \'-1\': give a value that is not negative',
		],
		[
			['ls', '--tag', '--stale'],
			'The option --tag of the command ls is followed by an option in place of its value: give it one; a value that begins with a hyphen needs an equals sign, as in --tag=-x',
		],
		[['ls', '--url'], 'The option --url of the command ls lacks its value: see got-redis-cache ls --help'],
		[['ls', '--older-than', 'soon'], '--older-than is \'soon\': give a duration such as 15m'],
		[['stats', '--since', '1w'], '--since is \'1w\': give a duration longer than zero, and no longer than two days, such as 15m'],
		[['show', 'https://example.com/', '-H', 'a b: c'], '--header is \'a b: c\': give a name and a value, as in -H \'accept: application/json\''],
		[['ls', '--limit', '0'], '--limit is \'0\': give a whole number of at least 1'],
		[['ls', '--sort', 'name'], '--sort is \'name\': give one of age, size, status, ttl, url'],
		[['ls', '--reverse'], '--reverse needs --sort, such as --sort age --reverse'],
		[
			['ls', '--sort', 'url', '--limit', '100001'],
			'--sort keeps at most 100000 rows in memory: give a smaller --limit or --page, narrow the list with a filter, or leave --sort out',
		],
		[
			['ls', '--store', 'localhost:6379'],
			'--store is \'localhost:6379\', without a scheme: give a URL such as redis://localhost:6379, rediss://user:password@host:6380, unix:///run/redis.sock or sqlite:./cache.db',
		],
		[['ls', '--store', ''], '--store is empty, as from an unset variable of the shell: give it a value, or leave it out'],
		[
			['ls', '--store', 'memory'],
			'--store is \'memory\', which no other process sees: give the URL of a Redis, or of a file, such as sqlite:./cache.db',
		],
		[['ls', '--namespace', 'a{b}'], '--namespace is \'a{b}\': expected a string without braces that is not empty'],
		[['ls', '--timeout', '5'], '--timeout is \'5\', which has no unit: write \'5s\' for seconds, or give a duration longer than zero such as 1s'],
		[
			['ls', '--encryption-file', '/does/not/exist'],
			'--encryption-file cannot be read (ENOENT: no such file or directory, open \'/does/not/exist\'): give the path of a file with one key a line',
		],
		[['show', 'https://example.com/', '-H', 'accept'], '--header is \'accept\': give a name and a value, as in -H \'accept: application/json\''],
	];
	for (const [arguments_, message] of mistakes) {
		assert.deepEqual(await runCli(arguments_), {code: 2, stdout: '', stderr: `got-redis-cache: ${message}\n`});
	}

	const {code, stdout, stderr} = await runCli([]);
	assert.deepEqual([code, stdout, stderr.includes('Usage: got-redis-cache COMMAND')], [2, '', true]);
	assert.match((JSON.parse((await runCli(['--json'])).stderr) as {error: {message: string}}).error.message, /^Give a command: one of ls, /v);
});

test('a Redis that is down exits with 3 and says what to do', async () => {
	for (const arguments_ of needsStore) {
		const {code, stdout, stderr} = await runCli([...arguments_, '--store', 'redis://127.0.0.1:1']);
		assert.deepEqual([code, stdout], [3, ''], arguments_.join(' '));
		assert.equal(stderr, `got-redis-cache: ${stderr.includes('could not list') ? 'The store could not list what is stored: ' : ''}connect ECONNREFUSED 127.0.0.1:1 (store: redis://127.0.0.1:1). Nothing listens there: start Redis, or give its address with --store or REDIS_URL\n`);
	}
});

test('a Redis with a password exits with 4, and tells no password', async () => {
	await using redis = await startRedis({args: ['--requirepass', 'secret']});
	for (const arguments_ of needsStore) {
		const none = await runCli(arguments_, {env: {REDIS_URL: redis.url}});
		assert.deepEqual([none.code, none.stdout], [4, '']);
		assert.match(none.stderr, /^got-redis-cache: NOAUTH .*Give the password in the URL, as in --store redis:\/\/user:password@host/v);

		const wrong = await runCli(arguments_, {env: {REDIS_URL: `redis://:wr0ng@127.0.0.1:${redis.port}`}});
		assert.deepEqual([wrong.code, wrong.stdout], [4, '']);
		assert.match(wrong.stderr, /^got-redis-cache: WRONGPASS .*Are user and password right\?/v);
		assert.ok(!wrong.stderr.includes('wr0ng'));
	}

	assert.equal((await runCli(['ls'], {env: {REDIS_URL: `redis://:secret@127.0.0.1:${redis.port}`}})).code, 1);
});

test('a command, as a process of its own, ends by itself with the exit code, and says the same as in the process of the other tests', unlessFast, async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	await using locked = await startRedis({args: ['--requirepass', 'secret']});
	const url = `${setup.origin.url}/a`;
	const runs: ReadonlyArray<readonly [code: number, arguments_: readonly string[], redisUrl?: string, stdin?: string]> = [
		[0, ['show', url, '--body']],
		[1, ['ls', '--namespace', 'empty']],
		[1, ['import', '-'], setup.redis.url, '\n'],
		[2, ['lst']],
		[3, ['ls'], 'redis://127.0.0.1:1'],
		[4, ['ls'], locked.url],
	];
	for (const [code, arguments_, redisUrl = setup.redis.url, stdin] of runs) {
		const options = {env: {REDIS_URL: redisUrl}, stdin};
		const ran = await runCliProcess(arguments_, options);
		assert.equal(ran.code, code, ran.stderr);
		assert.deepEqual(ran, await runCli(arguments_, options));
	}
});

test('with --json, errors and warnings are JSON too', async () => {
	const {code, stdout, stderr} = await runCli(['ls', '--json', '--store', 'redis://127.0.0.1:1']);
	assert.deepEqual([code, stdout], [3, '']);
	const {error} = JSON.parse(stderr) as {error: {outcome: string; exitCode: number; message: string}};
	assert.deepEqual([error.outcome, error.exitCode], ['unreachable', 3]);

	await using setup = await setUpCli();
	const empty = await setup.cli('ls', '--json');
	assert.match((JSON.parse(empty.stderr) as {warning: {message: string}}).warning.message, /^Nothing is stored/v);
});

test('options of every command may stand before the command', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const {code, stdout} = await runCli(['--store', setup.redis.url, '--json', 'ls']);
	assert.deepEqual([code, stdout.startsWith('{')], [0, true]);
});

test('colours are for terminals, or for who asks, and never with NO_COLOR', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const hasColor = async (env: NodeJS.ProcessEnv) => {
		const {stdout} = await runCli(['ls'], {env: {REDIS_URL: setup.redis.url, ...env}});
		return stdout.includes('\u{1B}[');
	};

	assert.equal(await hasColor({}), false);
	assert.equal(await hasColor({FORCE_COLOR: '1'}), true);
	assert.equal(await hasColor({FORCE_COLOR: '1', NO_COLOR: '1'}), false);
});

test('a reader that closes early ends the command without an error', unlessFast, async () => {
	await using setup = await setUpCli();
	await setup.store(Array.from({length: 20}, (_, index) => `items/${index}`));
	const keys = await setup.redis.client.keys('http_cache:{*');
	const [template = ''] = (await setup.json('ls')).map(({storeKey}) => String(storeKey));
	assert.ok(keys.length >= 20);
	assert.notEqual(template, '');

	const child = spawn('sh', ['-c', `"${process.execPath}" "${main}" ls --json | head -n 1; echo "$?"`], {env: environment({REDIS_URL: setup.redis.url})});
	const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
	assert.deepEqual([stdout.trimEnd().split('\n').length, stderr], [2, '']);
});

test('the library loads nothing of the command line', unlessFast, async () => {
	const {stdout, stderr} = await runScript(`
		const {registerHooks} = await import('node:module');
		const loaded = [];
		registerHooks({load(url, context, next) {
			loaded.push(url);
			return next(url, context);
		}});
		await import('./source/index.ts');
		console.log(JSON.stringify([loaded.length > 50, loaded.filter(url => url.includes('/source/cli/'))]));
	`);
	assert.deepEqual([stderr, JSON.parse(stdout)], ['', [true, []]]);
});
