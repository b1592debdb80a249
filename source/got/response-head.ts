import type {Response} from 'got';
import type {ResponseHead} from '../http/message.ts';

type GotResponse = Pick<Response, 'statusCode' | 'statusMessage' | 'httpVersion' | 'headers' | 'rawHeaders'>;

/** The head of a response as got hands it on: got takes the fields away that do not describe the body once it is decoded. */
export const responseHead = ({statusCode, statusMessage, httpVersion, headers, rawHeaders}: GotResponse): ResponseHead => ({
	statusCode,
	statusMessage: statusMessage ?? '',
	httpVersion,
	rawHeaders: rawHeaders.filter((_, position) => Object.hasOwn(headers, String(rawHeaders[position - (position % 2)]).toLowerCase())),
});
