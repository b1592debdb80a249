import {ClientRequest} from 'node:http';
import {constants, type ClientHttp2Stream} from 'node:http2';

/** Where got 16 and http2-wrapper, which got 15 uses, have the stream of a request. */
type Http2Request = {
	readonly stream?: ClientHttp2Stream;
	readonly _request?: ClientHttp2Stream;
};

/** The stream of a request over HTTP/2, once it has one. */
const streamOf = (request: ClientRequest): ClientHttp2Stream | undefined => {
	const {stream, _request} = request as unknown as Http2Request;
	return stream ?? _request;
};

/** Whether an HTTP/2 server, as one that closes the connection, has not looked at a request: it may be made again, RFC 9113 §8.7. */
export const isRefused = (request: ClientRequest): boolean => streamOf(request)?.rstCode === constants.NGHTTP2_REFUSED_STREAM;

/**
Watches for a body that breaks off and that got takes for whole, where it has no length: got 16 does so after a reset with `NO_ERROR`, got 15 after any.

An HTTP/2 stream that was ended is closed after its last chunk; one that was reset, or whose session is gone, before it.

@param request - Before it is sent.
@param onCut - Called before the body ends, if it breaks off.
*/
export const watchForCut = (request: ClientRequest, onCut: () => void): void => {
	if (request instanceof ClientRequest) {
		return;
	}

	(request as ClientRequest).once('socket', () => {
		const stream = streamOf(request);
		if (!stream) {
			return;
		}

		const push = stream.push.bind(stream);
		let isEnded = false;
		Object.assign(stream, {
			push(chunk: unknown, encoding?: BufferEncoding) {
				if (chunk === null && !isEnded) {
					isEnded = true;
					if (stream.closed) {
						onCut();
					}
				}

				return push(chunk, encoding);
			},
		});
	});
};
