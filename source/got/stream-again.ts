import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Request} from 'got';
import type {Emit} from './intercept.ts';

/** What Node keeps on its request once a response has come, and got asks for. */
export type NativeRequest = ClientRequest & {res?: IncomingMessage | undefined};

/**
Asks once more, as the caller asked, in the place of a request whose response is of no use.

@param emit - Calls the listeners of that request.
*/
export const askAgain = async (stream: Request, native: NativeRequest, emit: Emit): Promise<void> => {
	const {options} = stream;
	const request = options.getRequestFunction() as (url: URL, options: unknown) => NativeRequest | Promise<NativeRequest>;
	// Got has made a header field of the credentials in the URL, unless the user took it away.
	const again = await request(options.url as URL, {...options.createNativeRequestOptions(), auth: undefined});

	again.on('response', (response: IncomingMessage) => {
		emit('response', response);
	});
	again.on('error', error => {
		// Got takes an error for old news where there is a response.
		native.res = again.res;
		emit('error', error);
	});
	again.on('close', () => {
		emit('close');
	});

	// A timeout, a cancellation and the caller's leaving reach the request that got knows.
	native.destroy = error => {
		again.destroy(error);
		return native;
	};

	if (stream.destroyed) {
		again.destroy();
	} else {
		again.end(options.body);
	}
};
