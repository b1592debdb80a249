/*
JSON with line breaks. The text stays as it is: a number of many digits would not survive being parsed.
*/

const tokenPattern = /"(?:[^"\\]|\\.)*"|[,:\[\]\{\}]|[^\s",:\[\]\{\}]+/gv;

export type JsonToken = {
	/** `space` is a line break with its indentation, or a blank. */
	readonly kind: 'key' | 'string' | 'literal' | 'mark' | 'space';
	readonly text: string;
};

const isJson = (text: string): boolean => {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
};

const kindOf = (token: string, next: string | undefined): JsonToken['kind'] => {
	if (token.startsWith('"')) {
		return next === ':' ? 'key' : 'string';
	}

	return /^[,:\[\]\{\}]$/v.test(token) ? 'mark' : 'literal';
};

const opening: ReadonlySet<string | undefined> = new Set(['{', '[']);
const closing: ReadonlySet<string | undefined> = new Set(['}', ']']);

/** The space between a token and the next one. */
const gapBetween = (token: string, next: string | undefined, depth: number): string => {
	if (token === ':') {
		return ' ';
	}

	const isEmpty = opening.has(token) && closing.has(next);
	const hasBreak = token === ',' || opening.has(token) || closing.has(next);
	return hasBreak && !isEmpty ? `\n${'  '.repeat(closing.has(next) ? depth - 1 : depth)}` : '';
};

/** Splits JSON into tokens with new indentation; `undefined` if it is none. */
export const indentJson = (text: string): JsonToken[] | undefined => {
	if (!isJson(text)) {
		return undefined;
	}

	const tokens = text.match(tokenPattern) ?? [];
	let depth = 0;

	return tokens.flatMap((token, position): JsonToken[] => {
		const next = tokens[position + 1];
		depth += Number(opening.has(token)) - Number(closing.has(token));
		const gap = gapBetween(token, next, depth);
		return [{kind: kindOf(token, next), text: token}, ...gap === '' ? [] : [{kind: 'space', text: gap} as const]];
	});
};
