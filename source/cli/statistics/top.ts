import {addAbortListener} from 'node:events';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import type {Command, CommandContext} from '../commands/command.ts';
import type {Given} from '../commands/given.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';
import {plain, wrap} from '../terminal/text.ts';
import {
	readStats,
	since,
	warnIfSealed,
	type Reading,
} from './read.ts';
import {
	headlineOf,
	originTable,
	rowsOf,
	tableOf,
	urlTable,
} from './report.ts';

const enterScreen = '\u{1B}[?1049h\u{1B}[?25l';
const leaveScreen = '\u{1B}[?25h\u{1B}[?1049l';
const toTopLeft = '\u{1B}[H';
const clearRest = '\u{1B}[J';
const clearLineRest = '\u{1B}[K';

/** Processes tell of their requests every ten seconds. */
const defaultSeconds = 5;

const frameOf = (reading: Reading, {output, store}: Pick<CommandContext, 'output' | 'store'>): string[] => {
	const {stats} = reading;
	const {requests, statuses} = stats;

	return [
		...wrap(plain(`In ${store.place}`), output.columns).map(line => output.style('dim', line)),
		...headlineOf(reading, output),
		...tableOf('STATUS', rowsOf(statuses, requests), output),
		...urlTable(stats, output),
		...originTable(stats, output),
	];
};

type Screen = {
	draw(lines: readonly string[], at: Date): Promise<void>;
	/** Aborts when the user has had enough, with the outcome as its reason: Ctrl+C interrupts, and `q` is an end. */
	readonly signal: AbortSignal;
	leave(): void;
};

/** The whole terminal, as it was before when it is left. */
const openScreen = async (output: Output): Promise<Screen> => {
	const {stdin} = process;
	const controller = new AbortController();
	const end = (outcome: Outcome) => {
		controller.abort(outcome);
	};

	const interrupt = () => {
		end('interrupted');
	};

	const onKey = (keys: Uint8Array) => {
		const key = String(keys);
		// Ctrl+C is no signal in this mode.
		if (key === '\u{3}') {
			interrupt();
		} else if (['q', 'Q', '\u{1B}'].includes(key)) {
			end('done');
		}
	};

	process.once('SIGINT', interrupt);
	process.once('SIGTERM', interrupt);
	if (stdin.isTTY) {
		stdin.setRawMode(true);
		stdin.on('data', onKey);
	}

	await output.bytes(enterScreen);

	return {
		signal: controller.signal,
		async draw(lines) {
			const shown = [...lines.slice(0, output.rows - 2), '', output.style('dim', 'q quits')];
			await output.bytes(toTopLeft + shown.map(line => line + clearLineRest).join('\n') + clearRest);
		},
		leave() {
			process.stdout.write(leaveScreen);
			if (!stdin.isTTY) {
				return;
			}

			stdin.setRawMode(false);
			stdin.off('data', onKey);
			stdin.pause();
		},
	};
};

/** Frames one below the other, for a file or a pipe. */
const openScroll = (output: Output): Screen => ({
	draw: async (lines, at) => output.line(`${[at.toISOString(), ...lines].join('\n')}\n`),
	signal: new AbortController().signal,
	leave: () => undefined,
});

const secondsOf = (given: Given): number => {
	const text = given.text('interval');
	const seconds = Number(text ?? defaultSeconds);
	if (!(seconds >= 0.1 && seconds <= 3600)) {
		throw new Failure('wrongUsage', `--interval is '${text}': give a number of seconds, such as ${defaultSeconds}`);
	}

	return seconds;
};

const pause = async (seconds: number, signal: AbortSignal): Promise<void> => {
	try {
		await wait(seconds * 1000, undefined, {signal});
	} catch {
		// The user has had enough.
	}
};

/** A store that hangs does not keep the screen from being left. */
const unlessAborted = async (next: Promise<Reading>, last: Reading, signal: AbortSignal): Promise<Reading> => {
	const {promise, resolve} = Promise.withResolvers<Reading>();
	using _listener = addAbortListener(signal, () => {
		resolve(last);
	});
	// The listener is there until one of them is.
	return await Promise.race([next, promise]);
};

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const seconds = secondsOf(given);
	const isLive = output.isTerminal && !output.isJson;
	const frames = given.count('count', 1) ?? (isLive ? Infinity : 1);
	const duration = given.text('since') ?? '1m';
	const cache = store.open({isCounting: true});
	// Before the screen is taken: an error is to stay there.
	let reading = await readStats(cache, duration);
	await warnIfSealed({output, store});
	const screen = isLive ? await openScreen(output) : openScroll(output);
	try {
		for (let count = 1; !screen.signal.aborted; count++) {
			// eslint-disable-next-line no-await-in-loop -- one frame after the other
			await (output.isJson ? output.json(reading.stats) : screen.draw(frameOf(reading, {output, store}), reading.stats.until));
			if (count >= frames) {
				break;
			}

			// eslint-disable-next-line no-await-in-loop
			await pause(seconds, screen.signal);
			// eslint-disable-next-line no-await-in-loop
			reading = screen.signal.aborted ? reading : await unlessAborted(readStats(cache, duration), reading, screen.signal);
		}
	} finally {
		screen.leave();
	}

	return screen.signal.aborted ? screen.signal.reason as Outcome : 'done';
};

export const top: Command = {
	name: 'top',
	summary: 'watch the hottest URLs and the hit ratio',
	usage: '[options]',
	arguments: [0, 0],
	options: {
		since: since('1m'),
		interval: {type: 'string', short: 'i', value: 'SECONDS', description: `the time between two frames (default: ${defaultSeconds})`},
		count: {type: 'string', value: 'COUNT', description: 'so many frames, then an end (default: no end in a terminal, otherwise one)'},
	},
	details:
		'A live view of what `stats` shows, of the last minute and the one that has begun, unless --since goes further back; q quits. URLs and origins count in steps of ten minutes. Elsewhere than in a terminal, one frame is written, or as many as --count says.',
	examples: [
		['a live view', 'got-redis-cache top'],
		['a line of JSON a minute', 'got-redis-cache top --json --count 60 --interval 60'],
	],
	run,
};
