import type {LifetimeSource} from './lifetime.ts';

/** Each unit from the number of seconds that rounds to one of it. */
const units: ReadonlyArray<readonly [seconds: number, least: number, name: string]> = [[86_400, 84_600, 'd'], [3600, 3570, 'h'], [60, 59.5, 'min']];

/** A duration in its largest unit, such as `5 min`. */
export const inWords = (seconds: number | 'unlimited'): string => {
	if (seconds === 'unlimited' || seconds === Infinity) {
		return 'without limit';
	}

	if (seconds !== 0 && Math.abs(seconds) < 1) {
		return `${Math.round(seconds * 1000)} ms`;
	}

	const [size, , name] = units.find(([, least]) => Math.abs(seconds) >= least) ?? [1, 1, 's'];
	const amount = seconds / size;

	return `${Number(amount.toFixed(Math.abs(amount) < 10 ? 1 : 0))} ${name}`;
};

/** The origin of a lifetime, for a sentence. */
export const sourceInWords: Readonly<Record<LifetimeSource, string>> = {
	request: 'the option `expireAfter` of the request',
	urlsExpireAfter: 'the option `urlsExpireAfter`',
	expireAfter: 'the option `expireAfter`',
	's-maxage': '`s-maxage`',
	'max-age': '`max-age`',
	expires: '`Expires`',
	heuristic: 'a tenth of the time since `Last-Modified`, since nothing states one (RFC 9111 §4.2.2)',
	none: 'nothing that states one',
};
