import {Buffer} from 'node:buffer';
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

/** Deeper content is compared byte by byte. */
const deepestNesting = 200;

const jsonToken = /"(?:[^"\\]|\\.)*"|[,:\[\]\{\}]|[^\s",:\[\]\{\}]+/gv;

/**
JSON text in one form for all texts of the same meaning. Works on the text, as numbers would lose digits and members of the same name would vanish in a parsed value.
*/
const canonicalJson = (text: string, ignoredParameters: ReadonlySet<string>): string | undefined => {
	try {
		JSON.parse(text);
	} catch {
		return undefined;
	}

	const tokens = text.match(jsonToken) ?? [];
	let position = 0;

	const canonicalValue = (depth: number): string | undefined => {
		if (depth > deepestNesting) {
			return undefined;
		}

		const token = tokens[position++] ?? '';

		if (token === '{') {
			return canonicalObject(depth);
		}

		return token === '[' ? canonicalArray(depth) : canonicalScalar(token);
	};

	const canonicalObject = (depth: number): string | undefined => {
		const members: Array<{name: string; member: string}> = [];

		while (tokens[position] !== '}') {
			position += tokens[position] === ',' ? 1 : 0;
			const name = canonicalScalar(tokens[position] ?? '');
			position += 2;
			const value = canonicalValue(depth + 1);
			if (value === undefined) {
				return undefined;
			}

			const isIgnored = depth === 0 && ignoredParameters.size > 0 && ignoredParameters.has((JSON.parse(name) as string).toLowerCase());
			if (!isIgnored) {
				members.push({name, member: `${name}:${value}`});
			}
		}

		position++;

		return `{${members.toSorted((first, second) => (first.name < second.name ? -1 : Number(first.name > second.name))).map(({member}) => member).join(',')}}`;
	};

	const canonicalArray = (depth: number): string | undefined => {
		const values: string[] = [];

		while (tokens[position] !== ']') {
			position += tokens[position] === ',' ? 1 : 0;
			const value = canonicalValue(depth + 1);
			if (value === undefined) {
				return undefined;
			}

			values.push(value);
		}

		position++;

		return `[${values.join(',')}]`;
	};

	return canonicalValue(0);
};

/** A string's escapes have many spellings; a number's digits are its own. */
const canonicalScalar = (token: string): string => (token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token);
