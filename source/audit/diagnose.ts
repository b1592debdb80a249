import {validatorsOf} from '../http/validators.ts';
import type {Ask, Change} from './ask.ts';
import {differencesOf, isOfContent, type AuditedResponse, type ComparisonRules, type Difference} from './compare.ts';
import {tracedSuspect, without, type Suspect, type Suspects} from './suspects.ts';

/** The likeliest cause of a wrong answer. */
export type AuditCause =
	/** The origin's response depends on a header field that its `Vary` does not name, RFC 9110 §12.5.5. */
	| 'vary'
	/** The origin's response depends on who asks. */
	| 'credentials'
	/** The origin's response depends on a parameter that the option `ignoredParameters` leaves out. */
	| 'parameter'
	/** The origin's response changed before its lifetime was over. */
	| 'lifetime'
	/** The cause could not be told. */
	| 'unknown';

export type Diagnosis =
	/** The stored response is what the origin says. */
	| {readonly kind: 'right'}
	/** The origin says something else at each request, so that nothing can be told. */
	| {readonly kind: 'unstable'}
	| {
		readonly kind: 'wrong';
		readonly cause: AuditCause;
		/** The parts of the request that the response depends on; one of them if they could not be told apart. */
		readonly names: readonly string[];
		/** Whether the stored response came back when these were changed, or the current one says that it is newer. */
		readonly isProven: boolean;
		readonly differences: readonly Difference[];
		readonly current: AuditedResponse;
	};

type Wrong = Omit<Extract<Diagnosis, {kind: 'wrong'}>, 'kind' | 'differences' | 'current'>;

/** The most requests that one wrong answer costs, beyond the one that found it. */
const maxRequests = 4;

type Subject = {
	readonly url: string;
	readonly stored: AuditedResponse;
	readonly suspects: Suspects;
	readonly ask: Ask;
	readonly rules: ComparisonRules;
};

/** The effect of a change to the request on the response. */
type Effect =
	/** The response is that to the unchanged request. */
	| 'none'
	/** The stored response comes back. */
	| 'stored'
	/** The response is another one. */
	| 'other'
	/** The response is missing, or says that the request lacks something. */
	| 'refused';

/** Status codes by which an origin says that it does not give this client what it may give others. */
const deniedStatusCodes: ReadonlySet<number> = new Set([401, 403, 407]);

const isRefusal = ({statusCode}: AuditedResponse, current: AuditedResponse): boolean => statusCode >= 300 && statusCode !== current.statusCode;

/** Whether the current response says by its `Last-Modified` that it is newer than the stored one. */
const isNewer = (stored: AuditedResponse, current: AuditedResponse): boolean => {
	const [former, latter] = [stored, current].map(({headers}) => Date.parse(validatorsOf(headers).lastModified ?? ''));

	return latter! > former!;
};

/** Whether the entity tags differ, so that the origin tells the two apart. */
const hasOtherTag = (stored: AuditedResponse, current: AuditedResponse): boolean => {
	const [former, latter] = [stored, current].map(({headers}) => validatorsOf(headers).etag);

	return former !== undefined && latter !== undefined && former !== latter;
};

/** Makes the requests of one diagnosis, as long as there may be more. */
const createTrials = ({stored, ask, rules}: Subject, current: AuditedResponse, noise: ReadonlySet<Difference>) => {
	let remaining = maxRequests - 1;
	const isSame = (one: AuditedResponse, other: AuditedResponse): boolean => differencesOf(one, other, rules).isSubsetOf(noise);

	return {
		get isOver(): boolean {
			return remaining <= 0;
		},
		/**
		@param change - None to ask the same once more.
		*/
		async effectOf(change?: Change): Promise<Effect> {
			remaining--;
			try {
				const response = await ask(change);
				if (isSame(stored, response)) {
					return 'stored';
				}

				if (isSame(current, response)) {
					return 'none';
				}

				return isRefusal(response, current) ? 'refused' : 'other';
			} catch {
				return 'refused';
			}
		},
	};
};

type Trials = ReturnType<typeof createTrials>;

const isTelling = (effect: Effect | undefined): effect is 'stored' | 'other' => effect === 'stored' || effect === 'other';

/** Leaves half of the suspects out at a time, until there is one, or no request is left. */
const narrow = async (trials: Trials, suspects: readonly Suspect[], url: string): Promise<readonly Suspect[]> => {
	let remaining = suspects;
	while (remaining.length > 1 && !trials.isOver) {
		const half = remaining.slice(0, Math.ceil(remaining.length / 2));
		// eslint-disable-next-line no-await-in-loop -- The next half depends on it.
		const effect = await trials.effectOf(without(half, url));
		remaining = isTelling(effect) ? half : remaining.slice(half.length);
	}

	return remaining;
};

const causeOf = (suspects: readonly Suspect[]): AuditCause => suspects.every(({kind}) => kind === 'parameter') ? 'parameter' : 'vary';

const namesOf = (suspects: readonly Suspect[]): string[] => suspects.map(({name}) => name);

/** Looks for a part of the request, other than credentials, that the response depends on. */
const findVariance = async (trials: Trials, {url, stored, suspects}: Subject, current: AuditedResponse): Promise<Wrong | undefined> => {
	const traced = tracedSuspect(stored, current, suspects);
	if (traced && await trials.effectOf({headers: {[traced.suspect.name]: traced.value}}) === 'stored') {
		return {cause: 'vary', names: [traced.suspect.name], isProven: true};
	}

	let tried = suspects.all;
	let effect = tried.length > 0 ? await trials.effectOf(without(tried, url)) : undefined;
	if (effect === 'refused' && suspects.negotiable.length > 0 && suspects.negotiable.length < tried.length && !trials.isOver) {
		tried = suspects.negotiable;
		effect = await trials.effectOf(without(tried, url));
	}

	// A newer response has another content whatever the request.
	if (!isTelling(effect) || (effect === 'other' && isNewer(stored, current))) {
		return undefined;
	}

	const found = await narrow(trials, tried, url);

	return {cause: causeOf(found), names: namesOf(found), isProven: effect === 'stored'};
};

/** Whether the stored response was given to somebody whom the origin gives none. */
const findDenial = ({stored, suspects}: Subject, current: AuditedResponse): Wrong | undefined => deniedStatusCodes.has(current.statusCode) && stored.statusCode < 400
	? {cause: 'credentials', names: namesOf(suspects.credentials), isProven: true}
	: undefined;

/** Says which cause is left when no header field or parameter makes a difference. */
const findOther = async (trials: Trials, {url, stored, suspects: {credentials}}: Subject, current: AuditedResponse): Promise<Wrong> => {
	const names = namesOf(credentials);
	const isModified = isNewer(stored, current);
	const effect = credentials.length > 0 && !trials.isOver ? await trials.effectOf(without(credentials, url)) : undefined;
	if (effect === 'stored' || (effect === 'other' && !isModified)) {
		return {cause: 'credentials', names, isProven: effect === 'stored'};
	}

	const isLikely = isModified || hasOtherTag(stored, current) || effect !== 'refused';

	return isLikely ? {cause: 'lifetime', names: [], isProven: isModified} : {cause: 'unknown', names, isProven: false};
};

/**
Finds the likeliest cause of a difference between the stored response and the origin's, with four requests at most.

@param first - The origin's response.
@param differences - The differences between the stored response and that.
@throws If the origin does not answer the same request once more.
@throws What the user's function throws.
*/
export const diagnose = async (subject: Subject, first: AuditedResponse, differences: ReadonlySet<Difference>): Promise<Diagnosis> => {
	const {ask, rules} = subject;
	const noise = differencesOf(first, await ask(), rules);
	if (noise.values().some(difference => isOfContent(difference))) {
		return {kind: 'unstable'};
	}

	const remaining = differences.difference(noise);
	if (remaining.size === 0) {
		return {kind: 'right'};
	}

	const trials = createTrials(subject, first, noise);
	const found = findDenial(subject, first) ?? await findVariance(trials, subject, first) ?? await findOther(trials, subject, first);
	// Servers of one origin may take turns with two versions: the stored one then comes back whatever is changed.
	if (found.isProven && found.cause !== 'lifetime' && !trials.isOver && await trials.effectOf() === 'stored') {
		return {kind: 'unstable'};
	}

	return {kind: 'wrong', ...found, differences: [...remaining].toSorted(), current: first};
};
