import {once} from 'node:events';
import process from 'node:process';
import {styleText} from 'node:util';
import {exitCodes} from './failure.ts';
import {plain, toJsonLine} from './text.ts';

type Style = 'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow';

/**
A command's output: results go to stdout, all else to stderr.
*/
export type Output = {
	readonly isJson: boolean;
	/** Whether stdout is a terminal. */
	readonly isTerminal: boolean;
	/** The width of the terminal in columns; `Infinity` for a file or a pipe, which take whole lines. */
	readonly columns: number;
	/** The height of the terminal in lines. */
	readonly rows: number;
	/** Gives text a colour, if the terminal has colours and its user wants them. */
	style(style: Style, text: string): string;
	/** Writes a line, and waits while the reader is behind. */
	line(text?: string): Promise<void>;
	/** Writes a value as one line of JSON. */
	json(value: unknown): Promise<void>;
	/** Writes bytes or text as they are. */
	bytes(bytes: Uint8Array | string): Promise<void>;
	/** Tells something that is no result, on stderr. */
	note(text: string): void;
	/** Tells a warning, on stderr: with `--json` as JSON. */
	warn(message: string, details?: Readonly<Record<string, unknown>>): void;
};

const hasColor = (stream: NodeJS.WriteStream): boolean => {
	const {NO_COLOR: noColor, FORCE_COLOR: forceColor, TERM: term} = process.env;
	if (noColor !== undefined && noColor !== '') {
		return false;
	}

	if (forceColor !== undefined && forceColor !== '' && forceColor !== '0') {
		return true;
	}

	return stream.isTTY && term !== 'dumb';
};

const columnsOf = (stream: NodeJS.WriteStream): number => {
	// A terminal that does not know its size says 0.
	if (stream.isTTY && stream.columns > 0) {
		return stream.columns;
	}

	const fromEnvironment = Number(process.env.COLUMNS);
	return fromEnvironment > 0 ? fromEnvironment : (stream.isTTY ? 80 : Infinity);
};

/**
Ends the process when its output cannot be written: in silence when the reader is gone, as `head` is when it has its lines.

@param tell - Tells any other failure of stdout, such as a full disk, on stderr.
*/
export const endWithReader = (tell: (message: string) => void): void => {
	const end = (error: NodeJS.ErrnoException) => {
		// eslint-disable-next-line unicorn/no-process-exit -- Nobody reads what would follow.
		process.exit(error.code === 'EPIPE' ? process.exitCode ?? 0 : exitCodes.unwritten);
	};

	process.stderr.on('error', end);
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		if (error.code !== 'EPIPE') {
			tell(`Standard output could not be written to its end (${error.message})`);
		}

		end(error);
	});
};

export const createOutput = (isJson: boolean): Output => {
	const {stdout, stderr} = process;
	const isColored = hasColor(stdout);

	const write = async (chunk: string | Uint8Array): Promise<void> => {
		if (!stdout.write(chunk)) {
			await once(stdout, 'drain');
		}
	};

	return {
		isJson,
		isTerminal: stdout.isTTY,
		columns: columnsOf(stdout),
		rows: stdout.isTTY && stdout.rows > 0 ? stdout.rows : Infinity,
		style: (style, text) => isColored ? styleText(style, text, {validateStream: false}) : text,
		line: async (text = '') => write(`${text}\n`),
		json: async value => write(`${toJsonLine(value)}\n`),
		bytes: write,
		note(text) {
			stderr.write(`${text}\n`);
		},
		warn(message, details = {}) {
			const text = isJson ? toJsonLine({warning: {message, ...details}}) : plain(message);
			stderr.write(`${text}\n`);
		},
	};
};
