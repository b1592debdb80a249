export type Cell = string | number;

export const number = (value: number): string => value.toLocaleString('en');

const row = (cells: readonly Cell[]): string => `| ${cells.map(cell => typeof cell === 'number' ? number(cell) : cell).join(' | ')} |`;

/** Prints a table in Markdown, its head first. */
export const table = (...rows: ReadonlyArray<readonly Cell[]>): void => {
	const [head = [], ...others] = rows;
	console.log([row(head), row(head.map((_, column) => column === 0 ? '---' : '--:')), ...others.map(cells => row(cells)), ''].join('\n'));
};
