/**
The members of a list-valued field (RFC 9110 §5.6.1): split at commas outside quoted strings, trimmed, without empty ones. This function takes linear time.

An unclosed quotation mark is an ordinary character, so that a directive after it, such as `no-store`, is still seen.
*/
export const listMembers = (value: string): string[] => splitOutsideQuotes(value, ',').filter(member => member !== '');

/** The trimmed parts of a value between separators outside quoted strings. This function takes linear time. */
export const splitOutsideQuotes = (value: string, separator: string): string[] => {
	if (!value.includes('"')) {
		return value.split(separator).map(part => trimWhitespace(part));
	}

	const parts: string[] = [];
	let isQuoteLiteral = false;
	let start = 0;
	let index = 0;

	while (index < value.length) {
		const character = value[index];

		if (character === separator) {
			parts.push(trimWhitespace(value.slice(start, index)));
			start = index + 1;
		} else if (character === '"' && !isQuoteLiteral) {
			const end = quotedStringEnd(value, index);
			isQuoteLiteral = end === undefined;
			index = end ?? index;
		}

		index++;
	}

	parts.push(trimWhitespace(value.slice(start)));

	return parts;
};

/** Whether a value has an unclosed quotation mark. This function takes linear time. */
export const hasOpenQuote = (value: string): boolean => {
	let start = value.indexOf('"');

	while (start !== -1) {
		const end = quotedStringEnd(value, start);
		if (end === undefined) {
			return true;
		}

		start = value.indexOf('"', end + 1);
	}

	return false;
};

/** The index of the quotation mark that closes the quoted string starting at `start`; `undefined` if there is none. */
const quotedStringEnd = (value: string, start: number): number | undefined => {
	for (let index = start + 1; index < value.length; index++) {
		if (value[index] === '\\') {
			index++;
		} else if (value[index] === '"') {
			return index;
		}
	}

	return undefined;
};

/** The text of a quoted string; other values are returned as they are. RFC 9110 §5.6.4. */
export const unquote = (value: string): string => {
	const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');

	return isQuoted ? value.slice(1, -1).replaceAll(/\\(?<character>.)/gv, '$<character>') : value;
};

/** Removes optional whitespace (RFC 9110 §5.6.3) from both ends. `trim()` would remove other characters too. */
export const trimWhitespace = (value: string): string => {
	let start = 0;
	let end = value.length;

	while (start < end && isWhitespace(value[start])) {
		start++;
	}

	while (end > start && isWhitespace(value[end - 1])) {
		end--;
	}

	return value.slice(start, end);
};

const isWhitespace = (character: string | undefined): boolean => character === ' ' || character === '\t';
