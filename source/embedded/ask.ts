import {connect} from 'node:net';

/** How long a server that accepts connections may take to answer one, in milliseconds. */
const answerTimeoutMs = 30_000;

/**
Sends one inline command over a connection of its own.

@returns The first line of the reply, such as `+PONG`; empty if the server closes the connection without one.
@throws {Error} The system's error, such as `ECONNREFUSED`.
*/
export const ask = async (socketPath: string, command: string): Promise<string> => new Promise((resolve, reject) => {
	let reply = '';
	const socket = connect(socketPath);
	socket.setEncoding('utf8');
	socket.setTimeout(answerTimeoutMs, () => {
		socket.destroy(new Error(`embeddedRedis(): the server at ${socketPath} did not answer ${command} within ${answerTimeoutMs / 1000} s`));
	});
	socket.on('error', reject);
	socket.on('data', (text: string) => {
		reply += text;
		if (reply.includes('\r\n')) {
			socket.destroy();
		}
	});
	socket.on('close', () => {
		resolve(reply.split('\r\n', 1)[0] ?? '');
	});
	socket.write(`${command}\r\n`);
});

export type Readiness = 'ready' | 'loading' | 'absent';

/** Whether a server answers there; `'loading'` while it reads its data from disk. */
export const readinessOf = async (socketPath: string): Promise<Readiness> => {
	try {
		return await ask(socketPath, 'PING') === '+PONG' ? 'ready' : 'loading';
	} catch (error) {
		if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) {
			return 'absent';
		}

		throw error;
	}
};
