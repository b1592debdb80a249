import type {Response} from 'got';
import type {ResponseHead} from '../../http/message.ts';

type GotResponse = Pick<Response, 'statusCode' | 'statusMessage' | 'httpVersion' | 'headers'> & {rawHeaders: string[] | undefined};

const fieldLines = (headers: GotResponse['headers']): string[] => Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));

const keepFields = (rawHeaders: readonly string[], isKept: (name: string) => boolean): string[] =>
	rawHeaders.filter((_, position) => isKept(String(rawHeaders[position - (position % 2)]).toLowerCase()));

/** Got 15 has the pseudo-header fields of HTTP/2 among the others. RFC 9113 §8.3: they are no header fields. */
const isPseudoHeader = (name: string): boolean => name.startsWith(':');

/** The head of a response as got hands it on: got takes the fields away that do not describe the body once it is decoded. A response that is not Node's own may have no `rawHeaders`. */
export const responseHead = ({statusCode, statusMessage, httpVersion, headers, rawHeaders}: GotResponse): ResponseHead => ({
	statusCode,
	statusMessage: statusMessage ?? '',
	httpVersion: httpVersion ?? '1.1',
	rawHeaders: keepFields(rawHeaders ?? fieldLines(headers), name => Object.hasOwn(headers, name) && !isPseudoHeader(name)),
});
