import type {IncomingMessage} from 'node:http';
import type {Leader} from '../../coalescing/flights.ts';
import {inBackground} from '../../types/background.ts';

const intervalMs = 250;

/**
Lets nobody wait for the consumer of a stream: those who wait for a response go by themselves once it has been ready to be read, and was not, at two looks in a row.

@param leader - The leader of the stream's flight; `undefined` if it leads none.
@returns Stops looking.
*/
export const watchSlowConsumer = (response: IncomingMessage, leader: Leader<unknown> | undefined): (() => void) => {
	if (!leader) {
		return () => undefined;
	}

	let wasBehind = false;
	const timer = inBackground(setInterval(() => {
		const isBehind = response.readableLength > 0;
		if (isBehind && wasBehind) {
			leader.release(0);
		}

		wasBehind = isBehind;
	}, intervalMs));

	return () => {
		clearInterval(timer);
	};
};
