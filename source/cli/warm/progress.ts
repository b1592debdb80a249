import {formatSeconds, truncate} from '../terminal/text.ts';

/*
A line at the bottom of a terminal that shows how far a command is.
*/

export type Progress = {
	show(done: number, details: string): void;
	/** Removes the line, so that others can be written. */
	clear(): void;
};

type Terminal = {
	readonly isTTY?: boolean | undefined;
	readonly columns?: number | undefined;
	write(text: string): unknown;
};

/** A shorter interval could not be read. */
const intervalMs = 100;

const barWidth = 20;

const bar = (share: number): string => `[${'#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '.')}]`;

const lineRemoval = '\r\u{1B}[K';

/**
@param total - How many there are; `undefined` while that is not known.
@returns A line that is shown in terminals alone.
*/
export const createProgress = (terminal: Terminal, total: () => number | undefined): Progress => {
	const isShown = terminal.isTTY === true;
	const startMs = performance.now();
	let shownMs = -Infinity;

	return {
		show(done, details) {
			const nowMs = performance.now();
			if (!isShown || nowMs - shownMs < intervalMs) {
				return;
			}

			shownMs = nowMs;
			const all = total();
			const seconds = (nowMs - startMs) / 1000;
			const parts = [
				...all === undefined ? [String(done)] : [bar(all === 0 ? 1 : done / all), `${done}/${all}`],
				`${(done / Math.max(seconds, 0.001)).toFixed(1)}/s`,
				...all === undefined || done === 0 ? [] : [`${formatSeconds((all - done) * seconds / done)} left`],
				details,
			];
			terminal.write(lineRemoval + truncate(parts.join('  '), (terminal.columns ?? 80) - 1));
		},
		clear() {
			if (isShown) {
				terminal.write(lineRemoval);
			}
		},
	};
};
