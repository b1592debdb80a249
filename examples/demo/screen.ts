import process from 'node:process';
import {styleText} from 'node:util';
import type {CacheInfo} from '../../source/index.ts';
import {slowMs} from './origin.ts';
import type {Entry} from './store.ts';

type Style = Parameters<typeof styleText>[0];

const styles: Readonly<Record<CacheInfo['status'] | 'no cache', Style>> = {
	'no cache': 'dim',
	miss: 'yellow',
	hit: 'green',
	revalidated: 'cyan',
	stale: 'magenta',
	bypass: 'dim',
	unavailable: 'red',
};

const barWidth = 14;
const columns = {
	request: 26,
	time: barWidth + 12,
	cache: 14,
	reason: 17,
} as const;

/** Plain where the output is no terminal, or where NO_COLOR is set. */
export const paint = (style: Style, text: string): string => styleText(style, text, {stream: process.stdout});

const print = (...parts: string[]): void => {
	console.log(parts.join('').trimEnd());
};

const bar = (milliseconds: number): string => {
	const eighths = Math.max(1, Math.round(Math.min(milliseconds / slowMs, 1) * barWidth * 8));
	const rest = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
	return ('█'.repeat(Math.floor(eighths / 8)) + rest).padEnd(barWidth);
};

const clockTime = (milliseconds: number): string => {
	const seconds = Math.round(milliseconds / 1000);
	const days = Math.floor(seconds / 86_400);
	const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
	return (days > 0 ? `${days} d ` : '') + parts.map(part => String(part).padStart(2, '0')).join(':');
};

export const printLine = print;

export const printHeading = (text: string): void => {
	print();
	print(paint('bold', text));
};

export const printColumnNames = (): void => {
	print(paint('dim', [
		'request'.padEnd(columns.request),
		'time'.padEnd(columns.time),
		'cache'.padEnd(columns.cache),
		'because'.padEnd(columns.reason),
		'origin said',
	].join('')));
};

export type Row = {
	readonly request: string;
	readonly milliseconds: number;
	readonly info: CacheInfo | undefined;
	/** The status codes that the origin answered with. */
	readonly answers: readonly number[];
};

export const printRow = ({request, milliseconds, info, answers}: Row): void => {
	const status = info?.status ?? 'no cache';
	const time = milliseconds.toFixed(milliseconds < 10 ? 1 : 0);
	print(
		request.padEnd(columns.request),
		paint(styles[status], `${bar(milliseconds)}${time.padStart(6)} ms`.padEnd(columns.time)),
		paint(styles[status], status.padEnd(columns.cache)),
		(info?.reason ?? '').padEnd(columns.reason),
		answers.length === 0 ? paint('dim', '–') : answers.join(', '),
	);
};

export const printEntry = ({key, ttlMs, bytes}: Entry, path: string): void => {
	// Long hashes: of the resource, and of the variant.
	const shown = key.replaceAll(/(?<=[:\{][\w\-]{6})[\w\-]{10,}/gv, '…');
	print(shown.padEnd(columns.request + 6), path.padEnd(12), paint('cyan', clockTime(ttlMs).padStart(16)), paint('dim', `${bytes} bytes`.padStart(18)));
};
