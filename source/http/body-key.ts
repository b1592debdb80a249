import {Buffer} from 'node:buffer';
import {canonicalJson} from './canonical-json.ts';
import {normalizeQuery} from './url.ts';

/**
A request's content in the form that takes part in the key: its kind, its media type and its canonical text.

JSON: members in the order of their names, without the ignored ones of the outermost object; all else as it was written, numbers digit by digit. Forms: as a query. All else: byte by byte.
*/
export const normalizeBody = (body: Uint8Array | string, contentType: string | undefined, ignoredParameters: ReadonlySet<string>): string[] => {
	const mediaType = (contentType ?? '').trim().toLowerCase();
	const [essence = ''] = mediaType.split(';', 1).map(part => part.trim());
	const text = typeof body === 'string' ? body : decodeUtf8(body);

	if (text !== undefined && /^application\/(?:[^\/]+\+)?json$/v.test(essence)) {
		const canonical = canonicalJson(text, ignoredParameters);
		if (canonical !== undefined) {
			return ['json', essence, canonical];
		}
	}

	if (text !== undefined && essence === 'application/x-www-form-urlencoded') {
		return ['form', essence, normalizeQuery(text, ignoredParameters) ?? ''];
	}

	// A string and the same text in UTF-8 are the same content.
	const bytes = typeof body === 'string' ? Buffer.from(body) : body;

	return ['bytes', mediaType, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')];
};

/** A byte order mark is a byte like any other. */
// eslint-disable-next-line @typescript-eslint/naming-convention -- The name is the Encoding standard's.
const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
	try {
		return utf8.decode(bytes);
	} catch {
		return undefined;
	}
};
