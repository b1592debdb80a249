import {Buffer} from 'node:buffer';
import {connect} from 'node:net';
import {listen} from './listener.ts';

/** Of a message of the cluster's bus: the id of the node that sends it. */
const senderStart = 40;
const senderEnd = 80;

export type BusProxy = AsyncDisposable & {
	readonly port: number;
	/** The bus of the node behind it. */
	targetPort: number;
	/** Whether a node, by its id, is cut off; connections stay open. */
	isCut(sender: string): boolean;
};

/**
A way to the bus of one node of a cluster, on which others can be cut off from it.
*/
export const startBusProxy = async (): Promise<BusProxy> => {
	const listener = await listen(socket => {
		const upstream = connect(proxy.targetPort, '127.0.0.1');
		let sender: string | undefined;
		upstream.on('error', () => undefined);
		upstream.on('close', () => {
			socket.destroy();
		});
		socket.on('close', () => {
			upstream.destroy();
		});
		socket.on('data', (chunk: Uint8Array) => {
			sender ??= Buffer.from(chunk).toString('latin1', senderStart, senderEnd);
			if (!proxy.isCut(sender)) {
				upstream.write(chunk);
			}
		});
		upstream.on('data', (chunk: Uint8Array) => {
			if (!proxy.isCut(sender ?? '')) {
				socket.write(chunk);
			}
		});
	});

	const proxy: BusProxy = {
		port: listener.port,
		targetPort: 0,
		isCut: () => false,
		[Symbol.asyncDispose]: async () => listener.stop(),
	};
	return proxy;
};
