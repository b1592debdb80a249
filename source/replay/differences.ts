import {isDeepStrictEqual} from 'node:util';
import {isJsonObject} from '../fixtures/json-file.ts';
import {editDistance} from '../options/similarity.ts';
import {describe} from '../options/validate.ts';
import type {Content, DescribedRequest} from './described-request.ts';
import {differingFields, isSameContent} from './matching.ts';
import type {MatchingRules} from './options.ts';
import type {RecordedRequest} from './recording.ts';

/*
The differences between a request and the nearest recorded one, in words.
*/

/** One difference, and how much it separates two requests. */
type Difference = {
	readonly text: string;
	readonly weight: number;
};

const compared = (name: string, recorded: unknown, requested: unknown): string => {
	if (recorded === undefined) {
		return `${name}: not in the recording, requested with ${describe(requested)}`;
	}

	return requested === undefined ? `${name}: recorded with ${describe(recorded)}, not in the request` : `${name}: recorded ${describe(recorded)}, requested ${describe(requested)}`;
};

const locationWeights = {protocol: 1, host: 8} as const;

/** How far two paths are from one another: from 0 to 1. Long ones are not compared letter by letter. */
const pathDistance = (one: string, other: string): number => {
	const [first, second] = [one.slice(0, 200), other.slice(0, 200)];

	return editDistance(first, second) / Math.max(first.length, second.length, 1);
};

const urlDifferences = (requested: URL, recorded: URL): Difference[] => {
	const differences: Difference[] = [];
	for (const name of ['protocol', 'host'] as const) {
		if (requested[name] === recorded[name]) {
			continue;
		}

		differences.push({text: compared(name, recorded[name], requested[name]), weight: locationWeights[name]});
	}

	if (requested.pathname !== recorded.pathname) {
		differences.push({text: compared('path', recorded.pathname, requested.pathname), weight: 2 + (6 * pathDistance(requested.pathname, recorded.pathname))});
	}

	const names = new Set([...recorded.searchParams.keys(), ...requested.searchParams.keys()]);
	for (const name of names) {
		const [before, now] = [recorded, requested].map(url => url.searchParams.getAll(name));
		if (isDeepStrictEqual(before, now)) {
			continue;
		}

		const [was, is] = [before, now].map(values => values && values.length > 1 ? values : values?.[0]);
		differences.push({text: compared(`query parameter \`${name}\``, was, is), weight: 1});
	}

	return differences;
};

const mostJsonDifferences = 5;

/** The places in which two values differ, such as `items[0].id`. */
const jsonDifferences = (recorded: unknown, requested: unknown, place: string): string[] => {
	if (isDeepStrictEqual(recorded, requested)) {
		return [];
	}

	if (isJsonObject(recorded) && isJsonObject(requested)) {
		const names = new Set([...Object.keys(recorded), ...Object.keys(requested)]);
		return [...names].flatMap(name => jsonDifferences(recorded[name], requested[name], place === '' ? name : `${place}.${name}`));
	}

	if (Array.isArray(recorded) && Array.isArray(requested) && recorded.length === requested.length) {
		return recorded.flatMap((value, index) => jsonDifferences(value, requested[index], `${place}[${index}]`));
	}

	return [compared(`body${place === '' ? '' : ` at \`${place}\``}`, recorded, requested)];
};

const contentValue = (content: Content): unknown => {
	switch (content.kind) {
		case 'none': {
			return undefined;
		}

		case 'json': {
			return content.json;
		}

		case 'form': {
			return content.form;
		}

		case 'text': {
			return content.text;
		}

		case 'bytes': {
			return `${content.bytes} bytes, SHA-256 ${content.sha256.slice(0, 12)}…`;
		}
	}
};

const contentDifferences = (request: DescribedRequest, recorded: RecordedRequest): Difference[] => {
	if (request.content.kind === 'json' && recorded.content.kind === 'json') {
		const texts = jsonDifferences(recorded.content.json, request.content.json, '');
		const more = texts.length > mostJsonDifferences ? [`body: ${texts.length - mostJsonDifferences} more differences`] : [];
		return [...texts.slice(0, mostJsonDifferences), ...more].map(text => ({text, weight: 0.5}));
	}

	return [{text: compared('body', contentValue(recorded.content), contentValue(request.content)), weight: 1.5}];
};

const differencesFrom = (request: DescribedRequest, recorded: RecordedRequest, rules: MatchingRules): Difference[] => [
	...request.method === recorded.method ? [] : [{text: compared('method', recorded.method, request.method), weight: 3}],
	...urlDifferences(new URL(request.url), new URL(recorded.url)),
	...differingFields(request, recorded, rules).map(name => ({text: compared(`header field \`${name}\``, recorded.fields[name] ?? undefined, request.fields[name]), weight: 0.5})),
	...isSameContent(request, recorded, rules) ? [] : contentDifferences(request, recorded),
];

export type Nearest<Candidate> = {
	readonly candidate: Candidate;
	readonly differences: readonly string[];
};

/** The candidate whose request differs least from a request; `undefined` if there is none. */
export const findNearest = <Candidate extends {readonly request: RecordedRequest}>(
	request: DescribedRequest,
	candidates: readonly Candidate[],
	rules: MatchingRules,
): Nearest<Candidate> | undefined => {
	let nearest: Nearest<Candidate> | undefined;
	let least = Infinity;
	for (const candidate of candidates) {
		const differences = differencesFrom(request, candidate.request, rules);
		const weight = differences.reduce((sum, difference) => sum + difference.weight, 0);
		if (weight >= least) {
			continue;
		}

		least = weight;
		nearest = {candidate, differences: differences.map(({text}) => text)};
	}

	return nearest;
};
