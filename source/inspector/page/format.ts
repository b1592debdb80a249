/*
Values as text for people.
*/

const number = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', {maximumFractionDigits: 1});
const percentage = new Intl.NumberFormat('en', {style: 'percent', maximumFractionDigits: 1});

export const formatCount = (value: number): string => number.format(value);

export const formatShare = (part: number, whole: number): string => whole === 0 ? '–' : percentage.format(part / whole);

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export const formatBytes = (bytes: number): string => {
	const exponent = Math.min(byteUnits.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
	return `${oneDecimal.format(bytes / (1024 ** exponent))} ${byteUnits[exponent] ?? 'B'}`;
};

const timeUnits: ReadonlyArray<readonly [unit: string, seconds: number]> = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];

/** A duration in its largest unit, such as `5 min`, with one decimal where that tells something. */
export const formatSeconds = (seconds: number): string => {
	const [unit, length] = timeUnits.find(([, each]) => seconds >= each) ?? ['s', 1];
	const value = seconds / length;
	return `${value >= 10 ? Math.round(value) : oneDecimal.format(value)} ${unit}`;
};

export const formatMs = (ms: number): string => {
	if (ms >= 1000) {
		return formatSeconds(ms / 1000);
	}

	return `${ms === 0 || ms >= 10 ? Math.round(ms) : ms.toPrecision(2)} ms`;
};

/** A point in time from now, such as `in 5 min` or `5 min ago`. */
export const formatFromNow = (iso: string, nowMs = Date.now()): string => {
	const seconds = (Date.parse(iso) - nowMs) / 1000;
	return seconds < 0 ? `${formatSeconds(-seconds)} ago` : `in ${formatSeconds(seconds)}`;
};

const dateAndTime = new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23'});
const time = new Intl.DateTimeFormat('en', {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});
const timeWithSeconds = new Intl.DateTimeFormat('en', {timeStyle: 'medium', hourCycle: 'h23'});

export const formatDate = (iso: string): string => dateAndTime.format(new Date(iso));

export const formatTime = (iso: string): string => time.format(new Date(iso));

export const formatTimeWithSeconds = (iso: string): string => timeWithSeconds.format(new Date(iso));

/** Characters that nobody sees, or that turn the direction of the text around them. */
const hidden = /[\p{Bidi_Control}\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\u{200B}\u{FEFF}]/gv;

/** Text of an origin in one line, with hidden characters as escapes. */
export const visible = (text: string): string => text.replaceAll(hidden, character => String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
