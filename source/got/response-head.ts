import type {Response} from 'got';
import type {ResponseHead} from '../http/message.ts';

type GotResponse = Pick<Response, 'statusCode' | 'statusMessage' | 'httpVersion' | 'headers'> & {rawHeaders: string[] | undefined};

const fieldLines = (headers: GotResponse['headers']): string[] => Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));

/** The head of a response as got hands it on: got takes the fields away that do not describe the body once it is decoded. A response that is not Node's own may have no `rawHeaders`. */
export const responseHead = ({statusCode, statusMessage, httpVersion, headers, rawHeaders}: GotResponse): ResponseHead => ({
	statusCode,
	statusMessage: statusMessage ?? '',
	httpVersion: httpVersion ?? '1.1',
	rawHeaders: rawHeaders?.filter((_, position) => Object.hasOwn(headers, String(rawHeaders[position - (position % 2)]).toLowerCase())) ?? fieldLines(headers),
});
