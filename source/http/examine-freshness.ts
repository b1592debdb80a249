import {ageValueSeconds} from './age.ts';
import {parseHttpDate} from './dates.ts';
import {note, pass, warning, type Check, type Exam, type Finding} from './finding.ts';
import {fieldValue} from './header-fields.ts';
import {inWords, sourceInWords} from './in-words.ts';

/*
Checks of freshness: lifetime, age, dates and clocks.
*/

const lifetime: Check = ({lifetime: {seconds, source}, appraisal: {policy}, settings}) => {
	if (source === 'none' && settings.heedsCacheControl) {
		return warning('lifetime', 'Nothing says how long it is fresh: it is not used without asking the origin.', {
			rfc: 'RFC 9111 §4.2',
			mend: 'Send `Cache-Control: max-age=…`, with the seconds for which it may be used without asking.',
		});
	}

	if (source === 'heuristic') {
		return warning(
			'lifetime',
			`It does not say how long it is fresh: ${inWords(seconds)} is a guess, a tenth of the time since \`Last-Modified\`, a week at most.`,
			{rfc: 'RFC 9111 §4.2.2', mend: 'Send `Cache-Control: max-age=…`, so that nobody has to guess.'},
		);
	}

	if (seconds === 0) {
		return note('lifetime', `Its lifetime is 0 s, by ${sourceInWords[source]}: the origin is asked before each use.`, 'RFC 9111 §4.2');
	}

	const {correctedInitialAgeSeconds} = policy;

	return correctedInitialAgeSeconds >= seconds
		? undefined
		: pass('lifetime', `It is fresh for ${inWords(seconds)}, by ${sourceInWords[source]}.`, 'RFC 9111 §4.2.1');
};

const staleOnArrival: Check = ({lifetime: {seconds}, appraisal: {policy}}) => {
	const {correctedInitialAgeSeconds} = policy;

	return seconds > 0 && correctedInitialAgeSeconds >= seconds
		? warning('lifetime', `It is stale when it arrives: its age is ${inWords(correctedInitialAgeSeconds)}, its lifetime ${inWords(seconds)}.`, {
			rfc: 'RFC 9111 §4.2.3',
			mend: 'Have caches before this one validate earlier, or see whether the clock of the origin is right.',
		})
		: undefined;
};

const ownLifetime: Check = ({appraisal: {ownLifetime: own}, lifetime: {explicitSeconds}}) => typeof own === 'number' && explicitSeconds !== undefined && explicitSeconds !== own
	? note('lifetime', `An option of this cache takes the place of the ${inWords(explicitSeconds)} that the response states.`)
	: undefined;

const expires: Check = ({headers, lifetime: {source}, responseTimeMs}) => {
	const value = fieldValue(headers, 'expires');
	if (value === undefined) {
		return undefined;
	}

	if (source !== 'expires') {
		return note('expires', '`Expires` does not count beside the lifetime that is used.', 'RFC 9111 §5.3');
	}

	return parseHttpDate(value, responseTimeMs) === undefined
		? warning('expires', '`Expires` is no date, and means that the response is stale.', {rfc: 'RFC 9111 §5.3', mend: 'Send a date, or better `Cache-Control: max-age=…`.'})
		: undefined;
};

const age: Check = ({headers}) => {
	const value = fieldValue(headers, 'age');
	if (value === undefined) {
		return undefined;
	}

	return /^\d+$/v.test(value)
		? note('age', `It comes from another cache, where it was for ${inWords(ageValueSeconds(value))}.`, 'RFC 9111 §5.1')
		: warning('age', '`Age` is no single number of seconds.', {rfc: 'RFC 9111 §5.1', mend: 'Send `Age` once, with a whole number.'});
};

/** More than transit and the rounding to seconds explain. */
const toleratedSkewSeconds = 5;

/** How far the origin's clock is ahead of this one; negative if it is behind. Time in another cache and in transit count for nothing. */
const skewSeconds = ({headers, requestTimeMs, responseTimeMs}: Exam, dateMs: number): number => {
	const sentMs = dateMs + (ageValueSeconds(fieldValue(headers, 'age')) * 1000);
	if (sentMs > responseTimeMs) {
		return (sentMs - responseTimeMs) / 1000;
	}

	return sentMs < requestTimeMs ? (sentMs - requestTimeMs) / 1000 : 0;
};

const date: Check = exam => {
	const {headers, responseTimeMs} = exam;
	const value = fieldValue(headers, 'date');
	if (value === undefined) {
		return warning('date', 'It has no `Date`: its age before it arrived is not known.', {rfc: 'RFC 9110 §6.6.1', mend: 'Send `Date`.'});
	}

	const dateMs = parseHttpDate(value, responseTimeMs);
	if (dateMs === undefined) {
		return warning('date', '`Date` is no date.', {rfc: 'RFC 9110 §5.6.7', mend: 'Send `Date` in the form `Sun, 06 Nov 1994 08:49:37 GMT`.'});
	}

	const skew = skewSeconds(exam, dateMs);
	if (Math.abs(skew) <= toleratedSkewSeconds) {
		return pass('date', 'The clocks of the origin and of this machine agree.', 'RFC 9110 §6.6.1');
	}

	const effect = skew < 0 ? ', which counts as age' : '';

	return warning(
		'clock',
		`The clock of the origin is ${inWords(Math.abs(skew))} ${skew < 0 ? 'behind' : 'ahead of'} this machine's${effect}, or a cache before this one sends no \`Age\`.`,
		{rfc: 'RFC 9111 §4.2.3', mend: 'Set both clocks by NTP.'},
	);
};

const lastModified: Check = ({headers, responseTimeMs}) => {
	const value = fieldValue(headers, 'last-modified');
	if (value === undefined) {
		return undefined;
	}

	const modifiedMs = parseHttpDate(value, responseTimeMs);
	if (modifiedMs === undefined) {
		return warning('last-modified', '`Last-Modified` is no date, and is ignored.', {rfc: 'RFC 9110 §8.8.2', mend: 'Send it in the form `Sun, 06 Nov 1994 08:49:37 GMT`.'});
	}

	return modifiedMs > (parseHttpDate(fieldValue(headers, 'date'), responseTimeMs) ?? responseTimeMs)
		? warning('last-modified', '`Last-Modified` is later than the response itself.', {rfc: 'RFC 9110 §8.8.2.1', mend: 'Send no time that is ahead of `Date`.'})
		: undefined;
};

export const examineFreshness = (exam: Exam): readonly Finding[] =>
	[lifetime, staleOnArrival, ownLifetime, expires, age, date, lastModified].map(check => check(exam)).filter(finding => finding !== undefined);
