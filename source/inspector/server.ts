import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {RedisCache} from '../index.ts';
import {createHandler} from './handler.ts';

const address = '127.0.0.1';

/** Stored URLs, which are sent in the query, may be long. */
const maxHeaderSize = 65_536;

export type RunningServer = {
	readonly url: string;
	close(): Promise<void>;
};

/**
Serves the page on loopback, to whoever has the token.

@param port - 0 for a free one.
@throws {Error} If the port cannot be listened to.
*/
export const startServer = async (cache: RedisCache, port: number, isReadOnly: boolean): Promise<RunningServer> => {
	const token = randomBytes(32).toString('base64url');
	const hosts = new Set<string | undefined>();
	const server = createServer({maxHeaderSize}, createHandler({cache, isReadOnly, token, isOwnHost: host => hosts.has(host)}));
	server.listen(port, address);
	try {
		await once(server, 'listening');
	} catch (error) {
		throw new Error(`got-redis-cache: The inspector cannot listen to the port ${port} of ${address} (${(error as Error).message})`, {cause: error});
	}

	const {port: actualPort} = server.address() as AddressInfo;
	for (const name of [address, 'localhost']) {
		hosts.add(`${name}:${actualPort}`);
		if (actualPort === 80) {
			hosts.add(name);
		}
	}

	let closing: Promise<unknown> | undefined;

	return {
		// The fragment is sent to no server, and stands in no log.
		url: `http://${address}:${actualPort}/#token=${token}`,
		async close() {
			if (!closing) {
				closing = once(server, 'close');
				server.close();
				server.closeAllConnections();
			}

			await closing;
		},
	};
};
