import {deltaSeconds, hasUnqualified, type CacheControl} from './cache-control.ts';
import {note, warning, type Check, type Exam, type Finding} from './finding.ts';
import {canEverBeStale} from './stale.ts';
import {qualifiedNames} from './stored-fields.ts';

/*
Checks of directives: values, contradictions, and names that mean nothing.
*/

const known: ReadonlySet<string> = new Set([
	'immutable',
	'max-age',
	'must-revalidate',
	'must-understand',
	'no-cache',
	'no-store',
	'no-transform',
	'private',
	'proxy-revalidate',
	'public',
	's-maxage',
	'stale-if-error',
	'stale-while-revalidate',
]);

const misspelled: ReadonlyMap<string, string> = new Map([
	['maxage', 'max-age'],
	['max_age', 'max-age'],
	['s-max-age', 's-maxage'],
	['smaxage', 's-maxage'],
	['s_maxage', 's-maxage'],
	['nocache', 'no-cache'],
	['nostore', 'no-store'],
	['mustrevalidate', 'must-revalidate'],
	['proxyrevalidate', 'proxy-revalidate'],
	['stale-while-revalidation', 'stale-while-revalidate'],
	['stale-on-error', 'stale-if-error'],
]);

/** The directives that only requests have. */
const ofRequests: ReadonlySet<string> = new Set(['max-stale', 'min-fresh', 'only-if-cached']);

const unknownDirective = (name: string): Finding | undefined => {
	if (known.has(name)) {
		return undefined;
	}

	const meant = misspelled.get(name);
	if (meant !== undefined) {
		return warning(name, `The directive \`${name}\` means nothing.`, {rfc: 'RFC 9111 §5.2.3', mend: `Send \`${meant}\`.`});
	}

	return ofRequests.has(name)
		? warning(name, `The directive \`${name}\` is one of requests, and means nothing in a response.`, {rfc: 'RFC 9111 §5.2.1', mend: 'Leave it out.'})
		: note(name, `The directive \`${name}\` is none that this cache knows, and is ignored.`, 'RFC 9111 §5.2.3');
};

const withSeconds = ['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'] as const;

const wrongSeconds = (name: string, directives: CacheControl): Finding | undefined => {
	const values = directives.get(name);
	if (values === undefined) {
		return undefined;
	}

	const seconds = values.map(value => deltaSeconds(value));
	if (seconds.includes(undefined)) {
		return warning(name, `\`${name}\` has a value that is no number of seconds, and counts as 0.`, {rfc: 'RFC 9111 §1.2.2', mend: `Send \`${name}=…\` with a whole number.`});
	}

	return new Set(seconds).size > 1
		? warning(name, `\`${name}\` is there more than once, with different values, and counts as 0.`, {rfc: 'RFC 9111 §4.2.1', mend: 'Send it once: a proxy or a framework may add one of its own.'})
		: undefined;
};

type Contradiction = readonly [about: string, isThere: (exam: Exam) => boolean, text: string, advice: Pick<Finding, 'rfc' | 'mend'>];

const has = ({appraisal: {directives}}: Exam, ...names: readonly string[]): boolean => names.every(name => directives.has(name));

const hasAny = (exam: Exam, ...names: readonly string[]): boolean => names.some(name => has(exam, name));

const isAlwaysValidated = ({appraisal: {directives}}: Exam): boolean => hasUnqualified(directives, 'no-cache');

const contradictions: readonly Contradiction[] = [
	[
		'no-store',
		exam => has(exam, 'no-store') && !has(exam, 'must-understand') && hasAny(exam, 'max-age', 's-maxage', 'public', 'immutable', 'stale-while-revalidate', 'stale-if-error'),
		'`no-store` forbids what the other directives allow, and wins.',
		{rfc: 'RFC 9111 §5.2.2.5', mend: 'Send `no-store` alone, or leave it out.'},
	],
	[
		'private',
		exam => has(exam, 'private') && hasAny(exam, 'public', 's-maxage'),
		'`private` and `public` or `s-maxage` contradict each other; `private` wins.',
		{rfc: 'RFC 9111 §5.2.2.7', mend: 'Send `private` for one user, or `public` for everybody.'},
	],
	[
		'no-cache',
		exam => isAlwaysValidated(exam) && !has(exam, 'no-store') && exam.lifetime.seconds > 0,
		'`no-cache` demands validation before each use, so that the lifetime has no effect.',
		{rfc: 'RFC 9111 §5.2.2.4', mend: 'Leave `no-cache` out if the response may be used without asking while it is fresh.'},
	],
	[
		'stale-while-revalidate',
		exam => exam.appraisal.policy.isMustRevalidate && hasAny(exam, 'stale-while-revalidate', 'stale-if-error'),
		'`must-revalidate`, or in a shared cache `proxy-revalidate` or `s-maxage`, forbids the stale use that `stale-while-revalidate` or `stale-if-error` allows.',
		{rfc: 'RFC 9111 §5.2.2.10', mend: 'Leave the one or the other out; `max-age` in place of `s-maxage` allows stale use.'},
	],
	[
		'immutable',
		exam => has(exam, 'immutable') && exam.lifetime.seconds === 0,
		'`immutable` has no effect without a lifetime.',
		{rfc: 'RFC 8246 §2', mend: 'Send `max-age` with it.'},
	],
];

const alwaysValidated: Check = exam => isAlwaysValidated(exam) && exam.lifetime.seconds === 0 && !has(exam, 'no-store')
	? note('no-cache', '`no-cache` lets it be stored, and demands validation before each use.', 'RFC 9111 §5.2.2.4')
	: undefined;

const ofOneUser: Check = exam => has(exam, 'private') && !exam.settings.isShared
	? note('private', '`private` keeps it from shared caches; this one is that of one user.', 'RFC 9111 §5.2.2.7')
	: undefined;

const qualified: Check = ({appraisal: {directives}, settings}) => {
	const names = qualifiedNames(directives, settings);

	return names.length === 0 ? undefined : note('no-cache', `The fields ${names.join(', ')} are not stored.`, 'RFC 9111 §5.2.2.4');
};

const pragma: Check = ({field}) => field === 'pragma'
	? warning('pragma', '`Pragma: no-cache` means nothing in a response; this cache takes it for `no-cache`.', {rfc: 'RFC 9111 §5.4', mend: 'Send `Cache-Control`.'})
	: undefined;

const targeted: Check = ({field}) => field === undefined || ['cache-control', 'pragma'].includes(field)
	? undefined
	: note(field, `The directives of \`${field}\` count, those of \`Cache-Control\` and \`Expires\` do not.`, 'RFC 9213 §2.2');

const ignored: Check = ({settings}) => settings.heedsCacheControl ? undefined : note('cache-control', 'The option `cacheControl: false` ignores all directives, `Expires` and `Last-Modified`.');

const staleUse: Check = ({appraisal: {policy}, settings}) => canEverBeStale(policy, settings) ? note('stale', 'It may be used for a while when it is stale.', 'RFC 5861 §3') : undefined;

export const examineDirectives = (exam: Exam): readonly Finding[] => {
	const {directives} = exam.appraisal;

	return [
		...[pragma, targeted, ignored].map(check => check(exam)),
		...directives.keys().map(name => unknownDirective(name)),
		...withSeconds.map(name => wrongSeconds(name, directives)),
		...contradictions.map(([about, isThere, text, advice]) => isThere(exam) ? warning(about, text, advice) : undefined),
		...[alwaysValidated, ofOneUser, qualified, staleUse].map(check => check(exam)),
	].filter(finding => finding !== undefined);
};
