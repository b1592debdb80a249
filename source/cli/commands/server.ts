import {createClient, ErrorReply} from '@redis/client';
import {formatDuration} from '../terminal/text.ts';
import {clientOptionsOf, type StoreAccess} from './store-access.ts';

/*
Connections of the command line's own, for questions to the server that no cache asks.
*/

export type Server = {
	/** Sends a command; replies are text, numbers and arrays of these. */
	send(...arguments_: readonly string[]): Promise<unknown>;
	/** The time from the first packet to the first answer. */
	readonly connectMs: number;
	close(): void;
};

/** A server that took the connection may hang all the same. */
const within = async <Result>(timeoutMs: number, action: Promise<Result>): Promise<Result> => {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(() => {
			reject(new Error(`Redis did not answer within ${formatDuration(timeoutMs / 1000)}`));
		}, timeoutMs);
	});

	try {
		return await Promise.race([action, deadline]);
	} finally {
		clearTimeout(timer);
	}
};

export const connectServer = async ({url, timeoutMs}: Pick<StoreAccess, 'timeoutMs' | 'url'>, version: 2 | 3 = 2): Promise<Server> => {
	const {socket, ...options} = clientOptionsOf(url);
	const patience = {connectTimeout: timeoutMs, reconnectStrategy: false as const};
	// eslint-disable-next-line @typescript-eslint/naming-convention -- The name of node-redis.
	const client = createClient({...options, RESP: version, disableClientInfo: true, socket: {...socket, ...patience}});
	client.on('error', () => undefined);
	const startMs = performance.now();
	const connecting = client.connect();
	try {
		await within(timeoutMs, connecting);
	} catch (error) {
		connecting.catch(() => undefined);
		if (client.isOpen) {
			client.destroy();
		}

		throw error;
	}

	return {
		send: async (...arguments_) => within(timeoutMs, client.sendCommand(arguments_)),
		connectMs: performance.now() - startMs,
		close() {
			client.destroy();
		},
	};
};

/** Connects to the nodes that have the keys of a namespace: in a cluster, each command goes to the node of its key. */
export const connectForKeys = async (store: StoreAccess): Promise<Pick<Server, 'close' | 'send'>> => {
	if (!store.isCluster) {
		return connectServer(store);
	}

	const {timeoutMs} = store;
	const cluster = store.openCluster();
	try {
		await within(timeoutMs, cluster.connect());
	} catch (error) {
		// The client would go on trying, and keep the process running.
		cluster.destroy();
		throw error;
	}

	return {
		send: async (...arguments_) => within(timeoutMs, cluster.sendCommand(arguments_.find(argument => argument.startsWith(`${store.namespace}:`)), false, [...arguments_])),
		close() {
			cluster.destroy();
		},
	};
};

/** The fields of an answer to `INFO`, by name. */
export const readInfo = async ({send}: Server, ...sections: readonly string[]): Promise<ReadonlyMap<string, string>> => {
	const replies = await Promise.all(sections.map(async section => send('INFO', section)));
	const lines = replies.flatMap(reply => String(reply).split('\r\n'));

	return new Map(lines.filter(line => line.includes(':')).map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
};

/** Whether Redis refused a command to this user, or does not have it. */
export const isForbidden = (error: unknown): error is ErrorReply => error instanceof ErrorReply && /noperm|unknown (?:redis )?command|can't run this command/iv.test(error.message);
