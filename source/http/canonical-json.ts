/** Text with deeper nesting is not normalized. */
const deepestNesting = 200;

/** A valid JSON text and the current position in it. */
type Reader = {
	readonly text: string;
	readonly ignoredMembers: ReadonlySet<string>;
	position: number;
};

/**
Normalizes JSON: texts with the same meaning give the same result, without whitespace, with sorted members, and without the ignored (lower-case) members of the outermost object. Returns `undefined` if the text is not JSON, or nested too deeply.

The function works on the text, because parsing would lose digits of numbers and members with the same name.
*/
export const canonicalJson = (text: string, ignoredMembers: ReadonlySet<string>): string | undefined => {
	try {
		JSON.parse(text);
	} catch {
		return undefined;
	}

	return readValue({text, ignoredMembers, position: 0}, 0);
};

const readValue = (reader: Reader, depth: number): string | undefined => {
	if (depth > deepestNesting) {
		return undefined;
	}

	const token = readToken(reader);
	if (token === '{') {
		return readObject(reader, depth);
	}

	return token === '[' ? readArray(reader, depth) : scalar(token);
};

const readObject = (reader: Reader, depth: number): string | undefined => {
	const members: Array<{readonly name: string; readonly text: string}> = [];

	while (!isAtEnd(reader, '}')) {
		const name = scalar(readToken(reader));
		// The colon.
		readToken(reader);
		const value = readValue(reader, depth + 1);
		if (value === undefined) {
			return undefined;
		}

		if (depth > 0 || !isIgnored(name, reader.ignoredMembers)) {
			members.push({name, text: `${name}:${value}`});
		}
	}

	// The sort is stable: members with the same name keep their order.
	const sorted = members.toSorted((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));

	return enclose('{', sorted.map(({text}) => text), '}');
};

const readArray = (reader: Reader, depth: number): string | undefined => {
	const values: string[] = [];

	while (!isAtEnd(reader, ']')) {
		const value = readValue(reader, depth + 1);
		if (value === undefined) {
			return undefined;
		}

		values.push(value);
	}

	return enclose('[', values, ']');
};

/** Concatenates with `+`, which V8 evaluates lazily. `join()` would copy long strings again for each level of nesting. */
const enclose = (open: string, members: readonly string[], close: string): string => {
	let text = open;
	let separator = '';
	for (const member of members) {
		text += separator + member;
		separator = ',';
	}

	return text + close;
};

/** Reads the bracket that ends a list, or the comma before its next member. */
const isAtEnd = (reader: Reader, bracket: string): boolean => {
	skipWhitespace(reader);
	const next = reader.text[reader.position];
	if (next === bracket || next === ',') {
		reader.position++;
	}

	return next === bracket;
};

/** Reads a token by hand: a regular expression runs out of stack on a string of many megabytes. */
const readToken = (reader: Reader): string => {
	skipWhitespace(reader);
	const start = reader.position;
	const isString = reader.text[start] === '"';
	reader.position++;

	if (isString) {
		while (reader.text[reader.position] !== '"') {
			reader.position += reader.text[reader.position] === '\\' ? 2 : 1;
		}

		reader.position++;
	} else if (!isStructural(reader.text[start])) {
		while (reader.position < reader.text.length && !isStructural(reader.text[reader.position]) && !isWhitespace(reader.text[reader.position])) {
			reader.position++;
		}
	}

	return reader.text.slice(start, reader.position);
};

const skipWhitespace = (reader: Reader): void => {
	while (isWhitespace(reader.text[reader.position])) {
		reader.position++;
	}
};

const isStructural = (character: string | undefined): boolean => character !== undefined && '{}[]:,'.includes(character);

const isWhitespace = (character: string | undefined): boolean => character !== undefined && ' \t\n\r'.includes(character);

const isIgnored = (name: string, ignoredMembers: ReadonlySet<string>): boolean =>
	ignoredMembers.size > 0 && ignoredMembers.has((JSON.parse(name) as string).toLowerCase());

/** Normalizes a string's escapes, which have many spellings. The digits of numbers are kept. */
const scalar = (token: string): string => token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
