import {createClient, ErrorReply} from '@redis/client';
import {clientOptionsOf, type StoreAccess} from '../commands/store-access.ts';

/*
A connection of the doctor's own, which asks the server what no cache needs to know.
*/

export type Server = {
	/** Sends a command; replies are text, numbers and arrays of these. */
	send(...arguments_: readonly string[]): Promise<unknown>;
	/** The time from the first packet to the first answer. */
	readonly connectMs: number;
	close(): void;
};

const connectTimeoutMs = 5000;

export const connectServer = async ({url}: Pick<StoreAccess, 'url'>, version: 2 | 3 = 2): Promise<Server> => {
	const {socket, ...options} = clientOptionsOf(url);
	const patience = {connectTimeout: connectTimeoutMs, reconnectStrategy: false as const};
	// eslint-disable-next-line @typescript-eslint/naming-convention -- The name of node-redis.
	const client = createClient({...options, RESP: version, disableClientInfo: true, socket: {...socket, ...patience}});
	client.on('error', () => undefined);
	const startMs = performance.now();
	await client.connect();

	return {
		send: async (...arguments_) => client.sendCommand(arguments_),
		connectMs: performance.now() - startMs,
		close() {
			client.destroy();
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
