import {Buffer} from 'node:buffer';
import type {Socket} from 'node:net';
import {Duplex} from 'node:stream';
import type {Got} from 'got';
import {cacheInfo} from '../../index.ts';
import {contentOf, type HarEntry} from '../formats/har.ts';

/*
A response of another program's archive is stored as if its origin had just sent it: got asks, and the archive answers in the origin's place. So the cache decides by its own rules.
*/

/** Fields about a message on the wire; the message of an archive is decoded. */
const aboutTransfer = new Set(['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding']);

const clean = (text: string): string => text.replaceAll(/[\n\r]/gv, ' ');

const toMessage = ({request, response: {status, statusText = '', headers, content}}: HarEntry): Uint8Array => {
	const body = contentOf(content);
	const lines = [
		`HTTP/1.1 ${status} ${clean(statusText)}`,
		// A browser may have written the pseudo-fields of HTTP/2.
		...headers.filter(({name}) => !name.startsWith(':') && !aboutTransfer.has(name.toLowerCase())).map(({name, value}) => `${clean(name)}: ${clean(value)}`),
		`Content-Length: ${body.length}`,
		'Connection: close',
	];

	return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), request.method === 'HEAD' ? new Uint8Array(0) : body]);
};

/** A connection to an origin that has one answer. */
const connectionWith = (message: Uint8Array): Socket => {
	let isAnswered = false;
	const socket = new Duplex({
		read() {}, // eslint-disable-line @typescript-eslint/no-empty-function -- All is pushed at once.
		write(_chunk, _encoding, done) {
			if (!isAnswered) {
				isAnswered = true;
				this.push(message);
				this.push(null);
			}

			done();
		},
	});
	const same = () => socket;

	// The part of a socket that Node.js uses.
	return Object.assign(socket, {setTimeout: same, setNoDelay: same, setKeepAlive: same, ref: same, unref: same}) as unknown as Socket;
};

/** Methods whose responses need no content of the request to be told apart. */
const replayed = new Set(['GET', 'HEAD']);

const notSent = new Set(['accept-encoding', 'connection', 'content-length', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range']);

const requestHeadersOf = ({request: {headers = []}}: HarEntry): Record<string, string> => Object.fromEntries(headers
	.filter(({name}) => !name.startsWith(':') && !notSent.has(name.toLowerCase()))
	.map(({name, value}) => [name.toLowerCase(), value]));

/** Resolves to why the response was not stored; `undefined` if it was. */
export const replay = async (client: Got, entry: HarEntry, expireAfter: string | undefined): Promise<string | undefined> => {
	const {request: {method, url}, response: {status}} = entry;
	if (!replayed.has(method)) {
		return 'method';
	}

	if (status === 304 || status < 200 || !/^https?:/v.test(url)) {
		return 'no-response';
	}

	const response = await client(url, {
		method: method === 'HEAD' ? 'HEAD' : 'GET',
		headers: requestHeadersOf(entry),
		decompress: true,
		followRedirect: false,
		throwHttpErrors: false,
		retry: {limit: 0},
		responseType: 'buffer',
		createConnection: () => connectionWith(toMessage(entry)),
		context: {cache: {mode: 'reload', ...expireAfter !== undefined && {expireAfter: expireAfter as '1d'}}},
	});

	return cacheInfo(response)?.notStored;
};
