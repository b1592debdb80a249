import {stripVTControlCharacters} from 'node:util';

/*
Text that a terminal shows: whatever a server has sent must not move the cursor, change colours or hide behind other text.
*/

/** Control characters, C0 and C1 alike, and those that change the direction of text. */
const controls = /[\p{Bidi_Control}\p{Control}\u{2028}\u{2029}\u{FEFF}]/gv;

const controlsOfLines = /[\p{Bidi_Control}\u{2028}\u{2029}\u{FEFF}[\p{Control}--[\t\n]]]/gv;

/** One line without escape sequences and control characters. */
export const plain = (text: string): string => stripVTControlCharacters(text).replaceAll(controls, '�');

/** Several lines without escape sequences and control characters, other than line breaks and tabs. */
export const plainLines = (text: string): string => stripVTControlCharacters(text).replaceAll('\r\n', '\n').replaceAll(controlsOfLines, '�');

/** JSON on one line, in which control characters are escaped, those too that JSON would let through. */
export const toJsonLine = (value: unknown): string => JSON.stringify(value).replaceAll(controls, character => String.raw`\u` + (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0'));

const wide = /[\p{Emoji_Presentation}\u{1100}-\u{115F}\u{2E80}-\u{303E}\u{3041}-\u{A4CF}\u{AC00}-\u{D7A3}\u{F900}-\u{FAFF}\u{FE30}-\u{FE6F}\u{FF00}-\u{FF60}\u{FFE0}-\u{FFE6}\u{20000}-\u{3FFFD}]/v;

const ascii = /^[\u{20}-\u{7E}]*$/v;

const graphemes = new Intl.Segmenter('en', {granularity: 'grapheme'});

const charactersOf = (text: string): string[] => ascii.test(text) ? [...text] : Array.from(graphemes.segment(text), ({segment}) => segment);

const widthOfCharacter = (character: string): number => wide.test(character) ? 2 : 1;

/** The number of columns that text takes in a terminal. */
export const widthOf = (text: string): number => ascii.test(text) ? text.length : charactersOf(text).reduce((sum, character) => sum + widthOfCharacter(character), 0);

/** The longest beginning of characters that takes no more columns. */
const fitting = (characters: readonly string[], columns: number): string => {
	let left = columns;
	const end = characters.findIndex(character => {
		left -= widthOfCharacter(character);
		return left < 0;
	});

	return (end === -1 ? characters : characters.slice(0, end)).join('');
};

/** Shortens text at its end. */
export const truncate = (text: string, columns: number): string => widthOf(text) <= columns ? text : `${fitting(charactersOf(text), Math.max(columns - 1, 0))}…`;

/** Shortens text in its middle: of a URL, its host and the end of its path tell the most. */
export const truncateMiddle = (text: string, columns: number): string => {
	if (widthOf(text) <= columns) {
		return text;
	}

	const room = Math.max(columns - 1, 0);
	const characters = charactersOf(text);
	const start = fitting(characters, Math.ceil(room / 2));
	const end = fitting(characters.toReversed(), room - widthOf(start));

	return `${start}…${charactersOf(end).toReversed().join('')}`;
};

export const pad = (text: string, columns: number, side: 'left' | 'right' = 'left'): string => {
	const space = ' '.repeat(Math.max(columns - widthOf(text), 0));
	return side === 'left' ? text + space : space + text;
};

/** Text in single quotes of a shell of Unix. */
export const quote = (text: string): string => `'${text.replaceAll('\'', String.raw`'\''`)}'`;

/** Text as one word of a shell, in quotes only where it needs them. */
export const shellWord = (text: string): string => /^[\w%+,\-.\/:@]+$/v.test(text) ? text : quote(text);

/** Breaks text between words into lines that fit. */
export const wrap = (text: string, columns: number): string[] => {
	const lines = [''];
	for (const word of text.split(' ')) {
		const line = lines.at(-1) ?? '';
		if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
			lines.push(word);
		} else {
			lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
		}
	}

	return lines;
};

/** The least room for text behind an indent. */
const leastBehindIndent = 16;

/** Breaks a line that is too long, with what follows indented as far as its text is. */
export const wrapIndented = (line: string, columns: number, indent: number): string =>
	widthOf(line) <= columns
		? line
		: line.slice(0, indent) + wrap(line.slice(indent), Math.max(columns - indent, leastBehindIndent)).join(`\n${' '.repeat(indent)}`);

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes in at most six characters: `'512 B'`, `'1.4 kB'`. */
export const formatBytes = (bytes: number): string => {
	const magnitude = Math.floor(Math.log10(Math.max(bytes, 1)) / 3);
	const power = Math.min(magnitude, byteUnits.length - 1);
	const value = bytes / (1000 ** power);

	return `${power === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${byteUnits[power]}`;
};

const spanUnits: ReadonlyArray<readonly [unit: string, seconds: number]> = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];

/** A number of seconds in its largest unit and the next smaller one: `'42 s'`, `'1 min 31 s'`, `'1 h'`. */
export const formatDuration = (seconds: number): string => {
	const first = spanUnits.findIndex(([, length]) => seconds >= length);
	if (first === -1) {
		return `${Math.round(Math.max(seconds, 0) * 1000)} ms`;
	}

	const kept = spanUnits.slice(first, first + 2);
	let left = Math.floor(seconds);
	return kept.flatMap(([unit, length]) => {
		const amount = Math.floor(left / length);
		left -= amount * length;
		return amount === 0 ? [] : [`${amount} ${unit}`];
	}).join(' ');
};

const durationUnits: ReadonlyArray<readonly [unit: string, seconds: number]> = [['y', 31_557_600], ['d', 86_400], ['h', 3600], ['m', 60]];

/** A number of seconds in at most four characters, rounded down: `'42s'`, `'3h'`. */
export const formatSeconds = (seconds: number): string => {
	if (seconds < 0) {
		return `-${formatSeconds(-seconds)}`;
	}

	const [unit, length] = durationUnits.find(([, least]) => seconds >= least) ?? ['s', 1];

	return `${Math.floor(seconds / length)}${unit}`;
};
