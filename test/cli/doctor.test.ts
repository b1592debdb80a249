import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {triedRights} from '../../source/cli/doctor/rights.ts';
import {startCluster} from '../helpers/cluster.ts';
import {useFolder} from '../helpers/folder.ts';
import {secondPortOffset, startRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {writeCertificate} from '../helpers/secure-redis.ts';
import {runCli, runCliProcess, setUpCli} from './helpers.ts';

type Check = {readonly name: string; readonly verdict: string; readonly detail: string; readonly advice?: string};

const diagnose = async (url: string, ...arguments_: readonly string[]) => {
	const {code, stdout, stderr} = await runCli(['doctor', '--json', '--store', url, ...arguments_]);
	const {checks, verdict} = JSON.parse(stdout) as {checks: Check[]; verdict: string};
	return {code, stderr, verdict, checks, of: (name: string) => checks.filter(check => check.name === name)};
};

const names = ['connection', 'server', 'role', 'eviction', 'memory', 'persistence', 'TLS', 'rights', 'tracking', 'latency', 'clock', 'requests', 'values'];

test('doctor of a Redis in good order finds all well, and leaves nothing behind', async () => {
	// The statistics are written from time to time.
	await using setup = await setUpCli({statistics: false});
	await setup.store(['a']);
	const before = await setup.redis.client.keys('*');

	const {code, stdout, stderr} = await setup.cli('doctor');
	assert.deepEqual([code, stderr], [0, '']);
	const lines = stdout.trimEnd().split('\n');
	assert.deepEqual(lines.map(line => line.split(/\s+/v, 2)[1]), names);
	assert.match(stdout, /^ok +values +1 of 1 read, format version 1$/mv);
	assert.deepEqual((await setup.redis.client.keys('*')).toSorted(), before.toSorted());
});

test('doctor names each permission that is missing, and how to grant it', async () => {
	await using redis = await startRedis();
	await redis.client.sendCommand(['ACL', 'SETUSER', 'poor', 'on', '>secret', '~http_cache:*', '+@all', '-setrange', '-eval', '-time']);

	const {code, of, verdict} = await diagnose(`redis://poor:secret@127.0.0.1:${redis.port}`);
	assert.deepEqual([code, verdict], [4, 'failed']);
	assert.deepEqual(of('rights'), [
		{name: 'rights', verdict: 'failed', detail: 'poor may not run EVAL: nothing is stored, and purges by URL are not confirmed', advice: 'Grant it: ACL SETUSER poor +eval'},
		{name: 'rights', verdict: 'warning', detail: 'poor may not run SETRANGE: a 304 writes the whole response anew', advice: 'Grant it: ACL SETUSER poor +setrange'},
	]);
	assert.equal(of('clock')[0]?.verdict, 'warning');
	assert.equal(of('requests')[0]?.verdict, 'failed');
});

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/security.md'), 'utf8');
const leastRights = /(?<=^ACL SETUSER http_cache .* -@all )\+hello .*$/mv.exec(page)?.[0] ?? '';

test('doctor tries each command that docs/security.md names', () => {
	const named = leastRights.split(' ').map(right => right.slice(1));
	const ofConnections = new Set(['hello', 'auth', 'client|tracking']);
	assert.deepEqual([...triedRights].toSorted(), [...named.filter(right => !ofConnections.has(right)), 'wait'].toSorted());
});

test('doctor is content with the rights that docs/security.md names', async () => {
	await using redis = await startRedis();
	const rights = `${leastRights} +wait`;
	await redis.client.sendCommand(['ACL', 'SETUSER', 'least', 'on', '>secret', '~http_cache:*', '-@all', ...rights.split(' ')]);

	const {of, verdict} = await diagnose(`redis://least:secret@127.0.0.1:${redis.port}`);
	assert.deepEqual(of('rights').map(check => check.verdict), ['ok']);
	assert.equal(of('tracking')[0]?.verdict, 'ok');
	assert.equal(of('requests')[0]?.verdict, 'ok');
	// Neither PING nor TIME.
	assert.equal(verdict, 'warning');
});

test('doctor says of a user without the keys of the namespace which to grant', async () => {
	await using redis = await startRedis();
	await redis.client.sendCommand(['ACL', 'SETUSER', 'other', 'on', '>secret', '~other:*', '+@all']);

	const {code, of} = await diagnose(`redis://other:secret@127.0.0.1:${redis.port}`);
	assert.equal(code, 4);
	assert.equal(of('rights')[0]?.advice, 'Grant them: ACL SETUSER other ~http_cache:*');
});

test('doctor warns of noeviction, and of a Redis that is nearly full', async () => {
	await using redis = await startRedis({args: ['--maxmemory', '4mb']});
	const {of, code} = await diagnose(redis.url);
	assert.equal(of('eviction')[0]?.verdict, 'warning');
	assert.match(of('eviction')[0]?.advice ?? '', /allkeys-lfu/v);
	assert.equal(code, 0);

	await redis.client.configSet('maxmemory', '1100kb');
	const full = await diagnose(redis.url);
	assert.equal(full.of('memory')[0]?.verdict, 'failed');
	assert.equal(full.code, 6);
});

test('doctor fails a replica, and names its master', async () => {
	await using master = await startRedis();
	await using replica = await startRedis({args: ['--replicaof', '127.0.0.1', String(master.port)]});
	const {of, code} = await diagnose(replica.url);
	assert.equal(code, 6);
	assert.equal(of('role')[0]?.detail, `a replica of 127.0.0.1:${master.port}, which takes no writes`);
	assert.equal(of('requests')[0]?.verdict, 'failed');
});

test('doctor of a Redis that is down or refuses the password stops there, with its exit code', async () => {
	const down = await diagnose('redis://127.0.0.1:1');
	assert.deepEqual([down.code, down.checks.length], [3, 1]);
	assert.match(down.checks[0]?.advice ?? '', /start Redis, or give its address with --store or REDIS_URL/v);

	await using redis = await startRedis({args: ['--requirepass', 'secret']});
	const wrong = await diagnose(`redis://:wrong@127.0.0.1:${redis.port}`);
	assert.deepEqual([wrong.code, wrong.checks.length], [4, 1]);
	assert.match(wrong.checks[0]?.detail ?? '', /^WRONGPASS/v);
	assert.ok(!JSON.stringify(wrong.checks).includes('wrong@'));
});

test('doctor of a Redis that hangs says so', unlessFast, async () => {
	await using redis = await startRedis();
	redis.pause();
	const {code, checks} = await diagnose(redis.url, '--timeout', '1s');
	redis.resume();
	assert.deepEqual([code, checks.length], [3, 1]);
	assert.match(checks[0]?.detail ?? '', /^Redis took the connection but did not answer/v);
});

test('a Redis that takes the connection and hangs is waited for no longer than --timeout says', async () => {
	await using redis = await startRedis();
	// Loads the library, which takes a while.
	await runCli(['ls', '--store', redis.url]);
	redis.pause();
	for (const command of ['doctor', 'ls']) {
		const startMs = performance.now();
		const {code, stdout, stderr} = await runCli([command, '--timeout', '500ms', '--store', redis.url]);
		const tookMs = performance.now() - startMs;
		assert.equal(code, 3);
		assert.match(stdout + stderr, /Redis took the connection but did not answer within 500 ms \(store: /v);
		assert.ok(tookMs < 4000, `${command} took ${tookMs} ms`);
	}

	redis.resume();
});

test('a command ends that gives up a cluster whose node takes the connection and hangs', async () => {
	await using redis = await startRedis();
	redis.pause();
	const {code, stderr} = await runCli(['freeze', 'https://example.com', '--cluster', '--timeout', '500ms', '--store', redis.url]);
	redis.resume();
	assert.equal(code, 3);
	assert.match(stderr, /^got-redis-cache: The store did not answer within 500 ms /v);
});

test('doctor refuses a --timeout that is none', async () => {
	await using redis = await startRedis();
	const {code, stdout, stderr} = await runCli(['doctor', '--timeout', '5', '--store', redis.url]);
	assert.deepEqual([code, stdout], [2, '']);
	assert.match(stderr, /--timeout is '5', which has no unit: write '5s' for seconds/v);
});

test('doctor speaks TLS, and says which certificates to trust', unlessFast, async () => {
	await using folder = await useFolder();
	const {args, certificateFile} = await writeCertificate(folder.folder);
	await using redis = await startRedis({args});
	const url = `rediss://localhost:${redis.port + secondPortOffset}`;

	const unknown = await diagnose(url);
	assert.deepEqual([unknown.code, unknown.checks.length], [3, 1]);
	assert.match(unknown.checks[0]?.advice ?? '', /name its file in the environment variable NODE_EXTRA_CA_CERTS/v);

	const {code, stdout} = await runCliProcess(['doctor', '--store', url], {env: {NODE_EXTRA_CA_CERTS: certificateFile}});
	assert.equal(code, 0, stdout);
	assert.match(stdout, /^ok +TLS +on, with a certificate that was verified$/mv);
	assert.match(stdout, /^ok +requests /mv);

	const plain = await diagnose(`rediss://localhost:${redis.port}`);
	assert.match(plain.checks[0]?.advice ?? '', /redis: URL, not rediss:/v);
});

test('doctor and the others take the path of a Unix socket, with a database', async () => {
	await using redis = await startRedis();
	const url = `unix://${redis.socketPath}?db=1`;
	const {code, of} = await diagnose(url);
	assert.deepEqual([code, of('connection')[0]?.detail.startsWith(url)], [0, true]);
	assert.equal((await runCli(['ls', '--store', url])).code, 1);
});

test('doctor counts values that nobody can read', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	await setup.redis.client.set('http_cache:{one}', 'nothing of ours');
	const {of, code} = await diagnose(setup.redis.url);
	assert.equal(code, 0);
	assert.equal(of('values')[0]?.detail, '1 of 2 read, format version 1, 1 corrupt');
});

test('with --cluster, all commands work on a cluster; without, they say to add it', unlessFast, async () => {
	await using cluster = await startCluster({isReplicated: false});
	const [{url} = {url: ''}] = cluster.masters;
	for (const arguments_ of [['ls'], ['show', 'https://example.com/'], ['purge', 'https://example.com/'], ['purge', '--tag', 'a']]) {
		const {code, stderr} = await runCli([...arguments_, '--store', url]);
		assert.equal(code, 3);
		assert.match(stderr, /is a node of a cluster.*\. Add --cluster\n$/v);
	}

	assert.equal((await diagnose(url)).of('requests')[0]?.advice, 'Add --cluster');

	const {of, code} = await diagnose(url, '--cluster');
	assert.deepEqual([code, of('rights')[0]?.verdict, of('requests')[0]?.verdict], [0, 'ok', 'ok']);
	assert.equal((await runCli(['ls', '--store', url, '--cluster'])).code, 1);
	assert.equal((await runCli(['purge', '--tag', 'a', '--store', url, '--cluster'])).code, 0);
	await cluster.masters.at(-1)?.stop();
	const down = await diagnose(url, '--cluster');
	assert.equal(down.code, 3);
	const refused = await runCli(['ls', '--store', 'unix:///nowhere.sock', '--cluster']);
	assert.deepEqual([refused.code, refused.stderr], [2, 'got-redis-cache: --cluster needs the redis: or rediss: URL of a node with --store\n']);
});
