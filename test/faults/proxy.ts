import {once} from 'node:events';
import {
	connect,
	createServer,
	type AddressInfo,
	type Socket,
} from 'node:net';

/** What happens to the bytes on their way. */
export type Weather = {
	/** Each way. */
	readonly delayMs?: number;
	/** Up to so much more, at random; the order of bytes is kept. */
	readonly jitterMs?: number;
	/** A connection ends after at most so many bytes from the server, at random. */
	readonly cutWithinBytes?: number;
	/** Nothing arrives, neither way, and nothing is refused. What was sent meanwhile arrives afterwards, as TCP would have it. */
	readonly isBlackHole?: boolean;
};

export type Proxy = AsyncDisposable & {
	readonly port: number;
	/** Where new connections go. */
	targetPort: number;
	weather: Weather;
	/** Of clients. */
	readonly connections: number;
	cutAll(): void;
	stop(): Promise<void>;
};

/**
TCP on loopback with a fault in it.
*/
export const startProxy = async (targetPort: number): Promise<Proxy> => {
	const sockets = new Set<Socket>();
	const clients = new Set<Socket>();
	let weather: Weather = {};
	let clearing = Promise.withResolvers<void>();

	const carry = (from: Socket, to: Socket, isReply: boolean) => {
		let delivery = Promise.resolve();
		let dueMs = 0;
		let remaining = Math.ceil(Math.random() * (weather.cutWithinBytes ?? Infinity));

		const deliver = async (before: Promise<void>, chunk: Uint8Array, atMs: number) => {
			await before;
			const waitMs = atMs - performance.now();
			if (waitMs > 0.5) {
				await new Promise(resolve => {
					setTimeout(resolve, waitMs);
				});
			}

			while (weather.isBlackHole) {
				await clearing.promise;
			}

			if (to.destroyed) {
				return;
			}

			const {cutWithinBytes} = weather;
			if (isReply && cutWithinBytes !== undefined) {
				remaining = Math.min(remaining, cutWithinBytes);
				if (chunk.length >= remaining) {
					to.write(chunk.subarray(0, remaining), () => {
						to.destroy();
						from.destroy();
					});
					remaining = 0;
					return;
				}

				remaining -= chunk.length;
			}

			to.write(chunk);
		};

		from.on('data', (chunk: Uint8Array) => {
			const {delayMs = 0, jitterMs = 0} = weather;
			dueMs = Math.max(dueMs, performance.now() + delayMs + (Math.random() * jitterMs));
			delivery = deliver(delivery, chunk, dueMs);
		});
		from.on('close', () => {
			to.destroy();
		});
	};

	const watch = (socket: Socket) => {
		sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('error', () => undefined);
		socket.on('close', () => {
			sockets.delete(socket);
			clients.delete(socket);
		});
	};

	const server = createServer(client => {
		watch(client);
		clients.add(client);
		const upstream = connect(proxy.targetPort, '127.0.0.1');
		watch(upstream);
		carry(client, upstream, false);
		carry(upstream, client, true);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	const cutAll = () => {
		for (const socket of sockets) {
			socket.destroy();
		}
	};

	const stop = async () => {
		if (!server.listening) {
			return;
		}

		proxy.weather = {};
		const closed = once(server, 'close');
		server.close();
		cutAll();
		await closed;
	};

	const proxy: Proxy = {
		port: (server.address() as AddressInfo).port,
		targetPort,
		get weather() {
			return weather;
		},
		set weather(next) {
			weather = next;
			clearing.resolve();
			clearing = Promise.withResolvers();
		},
		get connections() {
			return clients.size;
		},
		cutAll,
		stop,
		[Symbol.asyncDispose]: stop,
	};
	return proxy;
};
