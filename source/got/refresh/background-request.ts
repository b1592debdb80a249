import type {Agent, ClientRequest} from 'node:http';
import type {Socket} from 'node:net';
import type {Options, RequestPromise, Response} from 'got';
import {gotModule} from '../state/got-module.ts';

/** Whether another request may have to wait for the connection of this one: Node would take it for nothing to do. */
const isInTheWay = (agent: Partial<Agent> | undefined): boolean => agent !== undefined && (agent.maxSockets !== Infinity || agent.maxTotalSockets !== Infinity);

/** Keeps no process alive that has nothing else to do. */
const letGo = (request: ClientRequest): void => {
	if (isInTheWay((request as {agent?: Agent}).agent)) {
		return;
	}

	request.once('socket', (socket: Socket) => {
		socket.unref();
	});
};

/**
Sends a request that no caller waits for. It keeps no process alive, unless it shares its connection with requests of callers.

@param onProgress - Called with the number of bytes of the body that have come, decompressed.
*/
export const requestInBackground = async (options: Options, onProgress?: (bytes: number) => void): Promise<Response> => {
	const promise = gotModule.default(undefined, undefined, options) as unknown as RequestPromise<Response>;
	// Requests share the socket of an HTTP/2 session.
	if (!options.http2) {
		void promise.on('request', letGo);
	}

	if (onProgress) {
		void promise.on('downloadProgress', ({transferred}) => {
			onProgress(transferred);
		});
	}

	return promise;
};
