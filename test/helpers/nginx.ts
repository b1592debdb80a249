import {spawn} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {
	mkdir,
	mkdtemp,
	readFile,
	rm,
	writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Duplex} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';

export type Nginx = AsyncDisposable & {
	/** `http://127.0.0.1:{port}` */
	readonly url: string;
	/** The directory that is served. */
	readonly root: string;
	/** What was answered and asked so far: status code, method, path and `If-None-Match`. */
	requests(): Promise<readonly string[]>;
	stop(): Promise<void>;
};

/** The subshell kills the server when the test's process ends, in whatever way. */
const guardedServer = `
	command -v nginx >/dev/null || exit 127
	(trap '' INT TERM HUP; read -r line <&3 || kill -9 $$) </dev/null >/dev/null 2>&1 &
	exec nginx "$@" 3<&-
`;

const configuration = (directory: string, port: number, directives: string) => `
	daemon off;
	master_process off;
	pid ${directory}/pid;
	error_log stderr notice;
	events {}
	http {
		log_format asked escape=none '$status $request_method $request_uri $http_if_none_match';
		access_log ${directory}/access.log asked;
		default_type text/plain;
		client_body_temp_path ${directory}/body;
		proxy_temp_path ${directory}/proxy;
		fastcgi_temp_path ${directory}/fastcgi;
		uwsgi_temp_path ${directory}/uwsgi;
		scgi_temp_path ${directory}/scgi;
		server {
			listen 127.0.0.1:${port};
			root ${directory}/html;
			${directives}
		}
	}
`;

const ignore = () => undefined;

const startOnPort = async (directory: string, port: number, directives: string) => {
	const file = path.join(directory, 'nginx.conf');
	await writeFile(file, configuration(directory, port, directives));
	const child = spawn('sh', ['-c', guardedServer, 'sh', '-p', directory, '-e', 'stderr', '-c', file], {stdio: ['ignore', 'ignore', 'pipe', 'pipe']});
	const guard = child.stdio[3] as Duplex;
	guard.on('error', ignore);
	const closed = new Promise<number | null>(resolve => { // eslint-disable-line @typescript-eslint/no-restricted-types -- Node's
		child.once('exit', () => {
			guard.end('ended\n');
		});
		child.once('close', resolve);
	});
	let log = '';
	const ready = new Promise<'ready'>(resolve => {
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			log += text;
			if (log.includes('event method')) {
				resolve('ready');
			}
		});
	});

	const readyOrCode = await Promise.race([ready, closed]);
	if (readyOrCode === 127) {
		throw new Error('The tests need an nginx in PATH: `npm run test:setup`, `apt-get install nginx` or `brew install nginx`.');
	}

	if (readyOrCode !== 'ready') {
		throw new Error(`nginx ended with ${readyOrCode ?? 'a signal'} before it was ready\n${log}`);
	}

	return async () => {
		child.kill('SIGKILL');
		await closed;
	};
};

/**
An nginx of the test's own on a free loopback port, serving an empty directory. Stop it with `stop()`, or declare it with `await using`.

@param directives - Of its `server` block, such as `gzip on;`.
*/
export const startNginx = async (directives = ''): Promise<Nginx> => {
	const directory = await mkdtemp(path.join(tmpdir(), 'nginx-test-'));
	const root = path.join(directory, 'html');
	await mkdir(root);
	const start = async (triesLeft: number): Promise<{port: number; kill: () => Promise<void>}> => {
		const port = randomInt(22_000, 32_000);
		try {
			return {port, kill: await startOnPort(directory, port, directives)};
		} catch (error) {
			if (triesLeft === 0 || !String(error).includes('Address already in use')) {
				throw error;
			}

			return start(triesLeft - 1);
		}
	};

	const removeDirectory = async () => rm(directory, {recursive: true, force: true, maxRetries: 3});
	const {port, kill} = await start(20).catch(async (error: unknown) => {
		await removeDirectory();
		throw error;
	});
	const url = `http://127.0.0.1:${port}`;
	let marker = 0;

	const stop = async () => {
		await kill();
		await removeDirectory();
	};

	return {
		url,
		root,
		async requests() {
			// A request is logged after it was answered, and this one after those before it.
			const last = `/marker-${++marker}`;
			await fetch(url + last);
			for (;;) {
				const log = await readFile(path.join(directory, 'access.log'), 'utf8');
				if (log.includes(last)) {
					return log.split('\n').map(line => line.trim()).filter(line => line !== '' && !line.includes('/marker-'));
				}

				await delay(5);
			}
		},
		stop,
		[Symbol.asyncDispose]: stop,
	};
};
