const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const imfFixdate = /^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) gmt$/v;
const rfc850Date = /^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) gmt$/v;
const asctimeDate = /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[\d ]\d) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) (?<year>\d{4})$/v;

const longestDate = 'Wednesday, 09-Nov-94 08:49:37 GMT'.length;

/**
Parses an HTTP-date in any of its three formats (RFC 9110 §5.6.7) and any case, to milliseconds since the epoch; `undefined` for anything else.

A two-digit year of the RFC 850 format is at most 50 years in the future.
*/
export const parseHttpDate = (value: string | undefined, nowMs: number): number | undefined => {
	if (value === undefined || value.length > longestDate) {
		return undefined;
	}

	const text = value.toLowerCase();
	const rfc850 = rfc850Date.exec(text);
	const parts = (rfc850 ?? imfFixdate.exec(text) ?? asctimeDate.exec(text))?.groups;
	if (!parts) {
		return undefined;
	}

	const {day = '', month = '', hour = '', minute = '', second = ''} = parts;
	const year = rfc850 ? fullYear(Number(parts.year), nowMs) : Number(parts.year);

	return utcTime({
		year, monthIndex: months.indexOf(month), day: Number(day), hour: Number(hour), minute: Number(minute), second: Number(second),
	});
};

/** RFC 9110 §5.6.7: a year that appears to be more than 50 years in the future is the most recent year in the past with the same last two digits. */
const fullYear = (twoDigits: number, nowMs: number): number => {
	const thisYear = new Date(nowMs).getUTCFullYear();
	const year = thisYear - (thisYear % 100) + twoDigits;

	return year > thisYear + 50 ? year - 100 : year;
};

type CivilTime = {readonly year: number; readonly monthIndex: number; readonly day: number; readonly hour: number; readonly minute: number; readonly second: number};

const utcTime = ({year, monthIndex, day, hour, minute, second}: CivilTime): number | undefined => {
	const date = new Date(0);
	// `Date.UTC` would map the years 0 to 99 to 1900 to 1999.
	date.setUTCFullYear(year, monthIndex, day);
	const isInCalendar = monthIndex >= 0 && day >= 1 && date.getUTCMonth() === monthIndex && date.getUTCDate() === day;
	// The grammar allows a leap second.
	return !isInCalendar || hour > 23 || minute > 59 || second > 60 ? undefined : date.setUTCHours(hour, minute, second);
};

/** The last moment that a `Date` can represent; the first is its negative. */
const lastMs = 8.64e15;

/** Converts a time to a `Date`, limited to the range of `Date`. */
export const dateOf = (timeMs: number): Date => new Date(Math.max(-lastMs, Math.min(timeMs, lastMs)));

/** An IMF-fixdate, RFC 9110 §5.6.7. */
export const formatHttpDate = (timeMs: number): string => new Date(timeMs).toUTCString();
