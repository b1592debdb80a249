import {once} from 'node:events';
import {createServer, type AddressInfo, type Socket} from 'node:net';

export type Listener = AsyncDisposable & {
	readonly port: number;
	/** `redis://127.0.0.1:{port}`, for what is no Redis. */
	readonly url: string;
	/** Ends all connections, too. */
	stop(): Promise<void>;
};

/**
A TCP server on a free loopback port that does with connections what the test likes.
*/
export const listen = async (onConnection: (socket: Socket) => void = () => undefined): Promise<Listener> => {
	const sockets = new Set<Socket>();
	const server = createServer(socket => {
		sockets.add(socket);
		socket.on('error', () => undefined);
		onConnection(socket);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;

	const stop = async () => {
		for (const socket of sockets) {
			socket.destroy();
		}

		const closed = once(server, 'close');
		server.close();
		await closed;
	};

	return {port, url: `redis://127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop};
};
