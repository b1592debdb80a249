import type {Output} from './output.ts';
import {pad, truncate, widthOf} from './text.ts';

/*
Tables that are written row by row: the widths of the columns do not depend on the rows.
*/

export type Column<Row> = {
	readonly title: string;
	/** In columns of the terminal. The last column takes what is left. */
	readonly width: number;
	/** For the last column: the width that it needs at least to tell something. */
	readonly least?: number;
	readonly side?: 'left' | 'right';
	/** The columns with the highest numbers are left out first, where the terminal is narrow; 0: never. */
	readonly rank: number;
	readonly text: (row: Row) => string;
	/** Shortens a text that is too long; by default at its end. */
	readonly shorten?: (text: string, columns: number) => string;
	readonly style?: (row: Row) => Parameters<Output['style']>[0] | undefined;
};

export type Table<Row> = {
	header(): string;
	row(row: Row): string;
	/** The titles of the columns that the terminal has no room for. */
	readonly leftOut: readonly string[];
};

const gap = '  ';

const leastOfLast = 24;

const widthOfAll = <Row>(columns: ReadonlyArray<Column<Row>>): number => columns.reduce((sum, {width}) => sum + width + gap.length, 0);

/** The columns that a terminal has room for. */
const fittingColumns = <Row>(columns: ReadonlyArray<Column<Row>>, available: number): Array<Column<Row>> => {
	let kept = [...columns];
	const leastLast = columns.at(-1)?.least ?? leastOfLast;
	while (widthOfAll(kept.slice(0, -1)) + leastLast > available) {
		const worst = Math.max(...kept.map(({rank}) => rank));
		if (worst === 0) {
			return kept;
		}

		kept = kept.filter(({rank}) => rank !== worst);
	}

	return kept;
};

/**
@param columns - The last one is never padded, so that whole lines can be cut and copied.
*/
export const createTable = <Row>(columns: ReadonlyArray<Column<Row>>, {columns: available, style}: Output): Table<Row> => {
	const kept = fittingColumns(columns, available);
	const lastWidth = Math.max(available - widthOfAll(kept.slice(0, -1)), 1);

	const cells = (cell: (column: Column<Row>) => {readonly text: string; readonly style?: Parameters<Output['style']>[0] | undefined}): string => kept.map((column, position) => {
		const isLast = position === kept.length - 1;
		const width = isLast ? lastWidth : column.width;
		const {text, style: styling} = cell(column);
		const short = widthOf(text) > width ? (column.shorten ?? truncate)(text, width) : text;
		const padded = isLast ? short : pad(short, width, column.side);
		return styling ? style(styling, padded) : padded;
	}).join(gap).trimEnd();

	return {
		leftOut: columns.filter(column => !kept.includes(column)).map(({title}) => title),
		header: () => cells(({title}) => ({text: title, style: 'dim'})),
		row: row => cells(column => ({text: column.text(row), style: column.style?.(row)})),
	};
};
