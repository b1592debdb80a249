import type {Finding} from '../http/finding.ts';
import {inWords, sourceInWords} from '../http/in-words.ts';
import type {
	ExplainedDecision,
	ExplainedFleetRefusal,
	ExplainedFreshness,
	ExplainedKey,
	ExplainedPurge,
	ExplainedRefusal,
	ExplainedResponse,
	ExplainedStaleness,
	Explanation,
	OriginJudgement,
	ExplainedWindow,
} from './explanation.ts';

/*
An explanation as text for people.
*/

const sizeInWords = (bytes: number): string => {
	const [size, name] = ([[1024 * 1024, 'MiB'], [1024, 'KiB']] as const).find(([each]) => bytes >= each) ?? [1, bytes === 1 ? 'byte' : 'bytes'];

	return `${Number((bytes / size).toFixed(1))} ${name}`;
};

const instant = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

/** A time with its distance from now. */
const when = (date: Date, nowMs: number): string => {
	const seconds = (date.getTime() - nowMs) / 1000;

	return `${instant(date)} (${seconds < 0 ? `${inWords(-seconds)} ago` : `in ${inWords(seconds)}`})`;
};

const withSection = (text: string, rfc: string | undefined): string => rfc === undefined ? text : `${text.replace(/\.$/v, '')} (${rfc}).`;

/** One subject: its name, and its lines. */
type Paragraph = readonly [name: string, ...lines: string[]];

/** The stored response that answers if the origin fails. */
const standInLines = (failures: ExplainedDecision['standsInFor']): string[] => {
	if (failures.includes('error-status')) {
		return ['If the origin answers with a 5xx or cannot be reached, the stored response answers, stale.'];
	}

	return failures.length === 0 ? [] : ['If the origin cannot be reached, the stored response answers, stale; a 5xx is passed on (`staleIfError`).'];
};

const decisionLines = ({kind, reason, text, rfc, mend, insteadOf, standsInFor, addedHeaders}: ExplainedDecision, isRefusalKnown: boolean): Paragraph => {
	const names = Object.keys(addedHeaders);
	const isSwitched = reason === 'frozen' || reason === 'bypassed-by-operator';

	return [
		'Decision',
		`${kind} (${reason}): ${withSection(text, rfc)}`,
		...insteadOf === undefined ? [] : [`It may not be used as it is: ${insteadOf}.`],
		...names.length === 0 ? [] : [`The origin is sent ${names.join(' and ')}.`],
		...standInLines(standsInFor),
		// That the response was refused says more, unless nothing is stored whatever the response.
		...mend === undefined || (isRefusalKnown && !isSwitched) ? [] : [`What to do: ${mend}`],
	];
};

const refusalLines = ({reason, text, rfc, mend, statusCode, at}: ExplainedRefusal, nowMs: number): Paragraph => [
	'Last time',
	`Not stored at ${when(at, nowMs)}${statusCode === undefined ? '' : `, the origin answered ${statusCode}`}`,
	`${reason}: ${withSection(text, rfc)}`,
	...mend === undefined ? [] : [`To mend it: ${mend}`],
];

const counted = (count: number): string => count.toLocaleString('en-US');

/** All refusals of the fleet as one subject, the most frequent reason first. */
const fleetRefusalLines = (refusals: readonly ExplainedFleetRefusal[]): Paragraph[] => {
	const total = refusals.reduce((sum, {responses}) => sum + responses, 0);
	const reasons = refusals.flatMap(({reason, text, rfc, mend, responses}) => [
		`${refusals.length === 1 ? '' : `${counted(responses)} with `}${reason}: ${withSection(text, rfc)}`,
		...mend === undefined ? [] : [`To mend it: ${mend}`],
	]);

	return total === 0 ? [] : [['Not stored', `${counted(total)} ${total === 1 ? 'response' : 'responses'} to this URL in the last hour, of all processes`, ...reasons]];
};

const keyLines = ({storeKey, method, url, ignoredParameters, host, content, user, extra, noVarySearch}: ExplainedKey): Paragraph => [
	'Key',
	storeKey,
	`of ${[
		`${method} ${url}`,
		...host === undefined ? [] : [`the host ${host}`],
		...content === undefined ? [] : [`the content (as ${content})`],
		...user === undefined ? [] : [`the user ${user}`],
		...extra === undefined ? [] : [`the key '${extra}'`],
	].join(', ')}`,
	...ignoredParameters.length === 0 ? [] : [`without the ignored parameters ${ignoredParameters.join(', ')}`],
	...noVarySearch === undefined ? [] : [`shared by equivalent URLs if one is stored: No-Vary-Search: ${noVarySearch}`],
];

const otherSource = '`touch()`, an option of the request, or other options than those of this cache';

const lifetimeInWords = ({lifetimeSeconds, source, field}: ExplainedFreshness): string => {
	const isDirective = source === 's-maxage' || source === 'max-age';

	return `lifetime ${inWords(lifetimeSeconds)}, by ${source === 'other' ? otherSource : sourceInWords[source]}${isDirective && field !== undefined ? ` in ${field}` : ''}`;
};

const freshnessLine = ({isFresh, freshness}: ExplainedResponse, nowMs: number): string => {
	const {ageSeconds, until} = freshness;
	const end = until === undefined ? 'without end' : when(until, nowMs);
	const byAge = freshness.isFresh ? 'fresh by its age, but to be validated before each use' : 'not fresh';

	return `${isFresh ? 'fresh' : byAge}: age ${inWords(ageSeconds)}, ${lifetimeInWords(freshness)}, ${until !== undefined && until.getTime() <= nowMs ? 'ended' : 'ends'} ${end}`;
};

const windowInWords = ({seconds, source}: ExplainedWindow, option: string): string => {
	if (seconds === 0) {
		return 'no';
	}

	const origin = source === 'option' ? `by the option \`${option}\`` : 'by the response';

	return seconds === 'unlimited' ? `yes, ${origin}` : `for ${inWords(seconds)}, ${origin}`;
};

const stalenessLine = ({forbiddenBy, whileRevalidate, ifError, ifDisconnected}: ExplainedStaleness): string => forbiddenBy === undefined
	? `stale: while it is refreshed: ${windowInWords(whileRevalidate, 'staleWhileRevalidate')}; in place of a 5xx: ${windowInWords(ifError, 'staleIfError')}; while the origin cannot be reached: ${windowInWords(ifDisconnected, 'staleIfError')}`
	: `stale: never, by ${forbiddenBy}`;

const purgeNames: Readonly<Record<ExplainedPurge['kind'], string>> = {
	url: 'the URL (by delete(), by an unsafe request or by another process)',
	all: 'everything, or whatever a prefix, a pattern or an age matched',
	origin: 'the origin',
	tag: 'the tag',
	group: 'the group',
	path: 'the path',
};

const purgeInWords = ({kind, name, isSoft, isLost, purgedAt}: ExplainedPurge, nowMs: number): string => {
	const subject = `${purgeNames[kind]}${name === undefined ? '' : ` ${name}`}`;
	if (isLost) {
		return `${subject}: the store has lost what tells of purges, so that the response counts as purged`;
	}

	const time = purgedAt === undefined ? ', in the last hour' : `, at ${when(purgedAt, nowMs)}`;

	return `${subject}${isSoft ? ', softly' : ''}${kind !== 'url' && purgedAt === undefined ? '' : time}`;
};

const ttlLine = (ttlMs: ExplainedResponse['ttlMs']): string[] => {
	if (ttlMs === undefined) {
		return [];
	}

	return [ttlMs === 'unlimited' ? 'kept in Redis without limit' : `kept in Redis for ${inWords(ttlMs / 1000)}`];
};

const summaryLine = ({method, statusCode, size, range, isSelected, isPurged, isEncoded, isInMemory, hasValidator}: ExplainedResponse): string => [
	`${statusCode} to ${method}, ${sizeInWords(size)}`,
	...range ? [`the bytes ${range.firstByte}-${range.lastByte} of ${range.completeLength}`] : [],
	...isEncoded ? ['for requests with `decompress: false`'] : [],
	...isInMemory ? ['also in memory'] : [],
	hasValidator ? 'with a validator' : 'without a validator',
	...isPurged ? ['purged'] : [],
	...isSelected ? ['selected by this request'] : [],
].join(', ');

const namesLines = ({tags, groups}: Pick<ExplainedResponse, 'tags' | 'groups'>): string[] => [
	...tags.length === 0 ? [] : [`tags ${tags.join(', ')}`],
	...groups.length === 0 ? [] : [`groups ${groups.join(', ')}`],
];

const responseLines = (response: ExplainedResponse, nowMs: number): Paragraph => {
	const {storeKey, vary, tags, groups, purges, staleness, isPurged, ttlMs} = response;

	return [
		'Stored',
		summaryLine(response),
		`key ${storeKey}`,
		...Object.entries(vary).map(([name, value]) => `for ${name}: ${value}`),
		...purges.map(purge => `purged since it was requested: ${purgeInWords(purge, nowMs)}`),
		...isPurged ? [] : [freshnessLine(response, nowMs), stalenessLine(staleness)],
		...ttlLine(ttlMs),
		...namesLines({tags, groups}),
	];
};

const selectingLines = (fields: Explanation['selectedBy']): Paragraph[] => {
	const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value ?? '(not there)'}`);

	return lines.length === 0 ? [] : [['Selects', 'Variants are told apart by these fields, of which this request has:', ...lines]];
};

const storedLines = ({stored, store}: Pick<Explanation, 'stored' | 'store'>, nowMs: number): Paragraph[] => {
	if (stored.length > 0) {
		return stored.map(response => responseLines(response, nowMs));
	}

	return [['Stored', store.isAnswering ? 'nothing' : 'not known, for the store does not answer']];
};

const storeLines = ({state, isAnswering, lastError}: Explanation['store']): Paragraph[] => isAnswering && ['ok', 'unknown'].includes(state)
	? []
	: [['Store', `${state}${isAnswering ? '' : ', does not answer: requests go on without it'}`, ...lastError === undefined ? [] : [lastError]]];

/** Findings that ask for something come first. */
const levels = [['failure', 'also not met'], ['warning', 'warning'], ['note', 'note']] as const satisfies ReadonlyArray<readonly [Finding['level'], string]>;

const findingLines = ({about, text, rfc, mend}: Finding, title: string): string[] => [
	`${title}: ${about}: ${withSection(text, rfc)}`,
	...mend === undefined ? [] : [`  To mend it: ${mend}`],
];

/** The rules that a response complies with, where the name of the clause alone would tell the opposite. */
const metInWords: ReadonlyMap<string, string> = new Map([
	['request-no-store', 'no `no-store` in the request'],
	['must-understand', 'no unknown status code with `must-understand`'],
	['no-store', 'no `no-store`'],
	['private', 'not `private`'],
	['authorization', 'no `Authorization` that forbids it'],
	['vary-star', 'no `Vary: *`'],
	['credentials', 'no credential that is left out'],
	['partial', 'whole, or a part with a place'],
	['not-explicit', 'may be stored by its status code or its fields'],
	['set-cookie', 'no `Set-Cookie` that forbids it'],
	['not-reusable', 'can be used again'],
]);

/** The findings but the one that the judgement tells already; the clauses that are met by their names. */
const allFindings = (findings: readonly Finding[], reason: OriginJudgement['reason']): string[] => {
	const others = levels.flatMap(([level, title]) =>
		findings
			.filter(finding => finding.level === level && (level !== 'failure' || finding.about !== reason))
			.flatMap(finding => findingLines(finding, title)),
	);
	const met = new Set(findings.filter(({level}) => level === 'pass').map(({about}) => about));

	return [...others, `met: ${[...met].map(about => metInWords.get(about) ?? about).join(', ')}`];
};

const originLines = ({statusCode, error, durationMs, isStored, reason, text, rfc, mend, freshness, staleness, ttlMs, tags, groups, findings}: OriginJudgement): Paragraph => {
	const time = inWords(durationMs / 1000);
	if (error !== undefined) {
		return ['Origin', `no response after ${time}: ${error}`];
	}

	return [
		'Origin',
		`answered ${statusCode} in ${time}: ${isStored ? withSection(text, rfc) : `${reason}: ${withSection(text, rfc)}`}`,
		...mend === undefined ? [] : [`To mend it: ${mend}`],
		...freshness ? [lifetimeInWords(freshness)] : [],
		...staleness ? [stalenessLine(staleness)] : [],
		...ttlLine(ttlMs),
		...namesLines({tags, groups}),
		// Advice for the owner of a document says nothing of a failure.
		...!isStored && statusCode !== undefined && statusCode >= 500 ? [] : allFindings(findings, reason),
	];
};

const columns = 11;

const layOut = ([name, ...lines]: Paragraph): string => lines.map((line, position) => `${(position === 0 ? name : '').padEnd(columns)}${line}`.trimEnd()).join('\n');

export const textOfExplanation = (explained: Omit<Explanation, 'text'>, nowMs: number): string => {
	const {method, url, decision, lastRefusal, fleetRefusals, key, selectedBy, purges, originSwitch, store, origin} = explained;
	const paragraphs: Paragraph[] = [
		decisionLines(decision, lastRefusal !== undefined || fleetRefusals.length > 0),
		...originSwitch ? [['Switch', `${originSwitch.kind}() is in force for the origin until ${when(originSwitch.until, nowMs)}`, `\`got-redis-cache thaw ${new URL(url).origin}\` ends it.`] as const] : [],
		...storeLines(store),
		...lastRefusal ? [refusalLines(lastRefusal, nowMs)] : [],
		// A stored response answers: earlier refusals explain nothing.
		...decision.kind === 'reuse' ? [] : fleetRefusalLines(fleetRefusals),
		...purges.map((purge): Paragraph => ['Purged', purgeInWords(purge, nowMs)]),
		keyLines(key),
		...selectingLines(selectedBy),
		...storedLines(explained, nowMs),
		...origin ? [originLines(origin)] : [],
	];

	return [`${method} ${url}`, '', ...paragraphs.map(paragraph => layOut(paragraph))].join('\n');
};
