import {Buffer} from 'node:buffer';
import {canonicalJson} from './canonical-json.ts';
import {fieldValue} from './header-fields.ts';
import {listMembers, splitOutsideQuotes, trimWhitespace} from './list.ts';
import type {HeaderFields} from './message.ts';
import {normalizeQuery} from './url.ts';

/**
Normalizes a request's content for the key: its kind, media type, canonical text, and the header fields that describe it.

JSON: object members are sorted by name, and ignored members of the outermost object are left out; numbers keep their digits. Forms: treated like a query. Multipart: independent of the boundary. Other content: byte by byte.
*/
export const normalizeBody = (body: Uint8Array | string, headers: HeaderFields, ignoredParameters: ReadonlySet<string>): string[] => {
	const contentType = (fieldValue(headers, 'content-type') ?? '').trim();
	const parameters = parametersOf(contentType);
	const boundary = boundaryOf(contentType);
	if (boundary !== undefined && headers['content-encoding'] === undefined) {
		return ['multipart', contentType.split(';', 1)[0]?.toLowerCase() ?? '', partsOf(body, boundary), withoutBoundary(parameters), ...contentFields(headers)];
	}

	const text = isUtf8(headers, parameters) ? textOf(body) : undefined;
	const normalized = text === undefined ? undefined : normalizeText(text, contentType, ignoredParameters);
	// For content that is compared byte by byte, the media type includes the parameters in lower case.
	const knownParameters = normalized === undefined ? parameters.toLowerCase() : '';

	return [
		...normalized ?? ['bytes', contentType.toLowerCase(), bytesOf(body)],
		...parameters === knownParameters ? [] : [`parameters ${parameters}`],
		...contentFields(headers),
	];
};

const normalizeText = (text: string, contentType: string, ignoredParameters: ReadonlySet<string>): string[] | undefined => {
	const essence = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
	if (/^application\/(?:[^\/]+\+)?json$/v.test(essence)) {
		const canonical = canonicalJson(text, ignoredParameters);

		return canonical === undefined ? undefined : ['json', essence, canonical];
	}

	return essence === 'application/x-www-form-urlencoded' ? ['form', essence, normalizeQuery(text, ignoredParameters) ?? ''] : undefined;
};

/** A media type's parameters, RFC 9110 §8.3.1: lower-case names, unchanged values, without the default charset. */
const parametersOf = (contentType: string): string => splitOutsideQuotes(contentType, ';')
	.slice(1)
	.map(parameter => {
		const equals = parameter.indexOf('=');
		const name = parameter.slice(0, equals === -1 ? undefined : equals).toLowerCase();
		const value = equals === -1 ? '' : parameter.slice(equals);

		return `${name}${name === 'charset' ? value.toLowerCase() : value}`;
	})
	.filter(parameter => parameter !== '' && !/^charset="?utf-?8"?$/v.test(parameter))
	.join(';');

/** RFC 2046 §5.1.1: the boundary has no meaning, and clients choose it at random. */
const boundaryOf = (contentType: string): string | undefined => /^multipart\/form-data[\t ]*;/iv.test(contentType)
	? /;[\t ]*boundary=(?:"(?<quoted>[^"\\]{1,70})"|(?<bare>[^\t "\u{2C};]{1,70}))[\t ]*(?:;|$)/iv.exec(contentType)?.slice(1).find(value => value !== undefined)
	: undefined;

const withoutBoundary = (parameters: string): string => parameters.split(';').filter(parameter => !parameter.startsWith('boundary=')).join(';');

/** The parts between the delimiters, JSON-encoded so that no content can be confused with a delimiter. */
const partsOf = (body: Uint8Array | string, boundary: string): string => JSON.stringify(bytesOf(body).split(`--${boundary}`));

/** Whether the bytes are UTF-8 text: neither encoded nor in another charset. */
const isUtf8 = (headers: HeaderFields, parameters: string): boolean => headers['content-encoding'] === undefined && !/(?:^|;)charset=/v.test(parameters);

/** These fields follow from the bytes. */
const derivedFields: ReadonlySet<string> = new Set(['content-digest', 'content-length', 'content-md5', 'content-type']);

/** These fields are lists of case-insensitive names, RFC 9110 §8.4. */
const nameListFields: ReadonlySet<string> = new Set(['content-encoding', 'content-language']);

/** The header fields that describe the content, RFC 9110 §8; `SOAPAction` names the operation that an envelope is for (SOAP 1.1 §6.1.1). */
const contentFields = (headers: HeaderFields): string[] => Object.keys(headers)
	.filter(name => (name.startsWith('content-') && !derivedFields.has(name)) || name === 'soapaction')
	.toSorted()
	.flatMap(name => {
		const value = fieldValue(headers, name);
		if (value === undefined) {
			return [];
		}

		return `${name} ${nameListFields.has(name) ? listMembers(value.toLowerCase()).join(',') : trimWhitespace(value)}`;
	});

const textOf = (body: Uint8Array | string): string | undefined => typeof body === 'string' ? body : decodeUtf8(body);

/** A string and the same text in UTF-8 are the same content. */
const bytesOf = (body: Uint8Array | string): string => {
	const bytes = typeof body === 'string' ? Buffer.from(body) : body;

	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
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
