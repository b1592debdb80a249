import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {createClient} from '@redis/client';
import {serve} from './service.ts';

/*
A Redis of its own: on a free loopback port, without persistence, ended with this process. `redis-server` has to be on the path.
*/

const freePort = async (): Promise<number> => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	return port;
};

const directory = mkdtempSync(path.join(tmpdir(), 'benchmark-redis-'));
const port = await freePort();
const url = `redis://127.0.0.1:${port}`;

const server = spawn('redis-server', [
	'--port',
	String(port),
	'--bind',
	'127.0.0.1',
	'--dir',
	directory,
	'--save',
	'',
	'--appendonly',
	'no',
	'--maxmemory',
	'6gb',
	'--maxmemory-policy',
	'allkeys-lru',
	'--enable-debug-command',
	'local',
], {stdio: 'ignore'});

const client = createClient({url, socket: {reconnectStrategy: () => 50}});
client.on('error', () => {
	// While it starts, the client tries again.
});
const ready = client.connect();

const lineOf = (info: string, name: string): string | undefined =>
	info.split('\r\n').find(line => line.startsWith(`${name}:`))?.slice(name.length + 1);

const statistic = (info: string, name: string): number => Number(lineOf(info, name) ?? 0);

serve({
	async url() {
		await Promise.race([ready, once(server, 'error').then(([error]) => {
			throw error as Error;
		})]);
		return url;
	},
	async version() {
		return lineOf(await client.info('server'), 'redis_version');
	},
	async flush() {
		await client.sendCommand(['FLUSHALL', 'SYNC']);
		// A contender that asked for key-space events does not leave them to the next one.
		await client.configSet('notify-keyspace-events', '');
	},
	async fill(count: number) {
		await client.sendCommand(['DEBUG', 'POPULATE', String(count), 'unrelated', '64']);
	},
	async statistics() {
		const info = await client.info('stats');
		return {
			reads: statistic(info, 'keyspace_hits'),
			keys: await client.dbSize(),
		};
	},
}, async () => {
	client.destroy();
	server.kill('SIGTERM');
	await Promise.race([once(server, 'exit'), delay(2000)]);
	server.kill('SIGKILL');
	rmSync(directory, {recursive: true, force: true});
});
