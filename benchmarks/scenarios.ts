import type {Profile} from './url.ts';

export type ScenarioName = 'hit' | 'hit-text' | 'hot' | 'miss' | 'hit-90' | 'revalidation' | 'stampede' | 'keyspace' | 'first-byte' | 'miss-unstorable' | 'miss-paced' | 'first-byte-paced';

export type Scenario = {
	readonly name: ScenarioName;
	readonly title: string;

	/** How the origin answers the URLs that are measured. */
	readonly profile: Profile;

	/**
	Which URLs are asked for.

	- `warm`: in turn those that were asked for before.
	- `new`: each one once.
	- `mixed`: every tenth is new.
	- `together`: a new one, by all at once.
	- `stream`: each one once, as a stream, up to its first byte.
	*/
	readonly pattern: 'warm' | 'new' | 'mixed' | 'together' | 'stream';

	/** The body is asked for as a string. */
	readonly isText?: boolean;

	/** Requests are sent at this rate, whether or not those before are answered, so that no latency has a queue in it. */
	readonly requestsPerSecond?: number;

	/** One URL alone is warm: equal requests meet, and the cache is as small as it can be. */
	readonly isSingle?: boolean;
};

export const scenarios: readonly Scenario[] = [
	{
		name: 'hit', title: 'Hit', profile: 'fresh', pattern: 'warm',
	},
	{
		name: 'hit-text', title: 'Hit, as text', profile: 'fresh', pattern: 'warm', isText: true,
	},
	{
		name: 'hot', title: 'Hit of a single URL', profile: 'fresh', pattern: 'warm', isSingle: true,
	},
	{
		name: 'miss', title: 'Miss', profile: 'fresh', pattern: 'new',
	},
	{
		name: 'hit-90', title: '90 % hit', profile: 'fresh', pattern: 'mixed',
	},
	{
		name: 'revalidation', title: 'Validation (304)', profile: 'validate', pattern: 'warm',
	},
	{
		name: 'stampede', title: 'Cold stampede', profile: 'slow', pattern: 'together',
	},
	{
		name: 'keyspace', title: 'Hit beside unrelated keys', profile: 'fresh', pattern: 'warm',
	},
	{
		name: 'first-byte', title: 'First byte of a stream on a miss', profile: 'drip', pattern: 'stream',
	},
	{
		name: 'miss-unstorable', title: 'Miss that may not be stored', profile: 'unstorable', pattern: 'new',
	},
	{
		name: 'miss-paced', title: 'Miss', profile: 'fresh', pattern: 'new', requestsPerSecond: 300,
	},
	{
		name: 'first-byte-paced', title: 'First byte of a stream on a miss', profile: 'fresh', pattern: 'stream', requestsPerSecond: 300,
	},
];

/** What one contender is measured at. */
export type Cell = {
	readonly scenario: Scenario;
	readonly size: number;
	readonly concurrency: number;

	/** How many keys of others are in Redis. */
	readonly unrelatedKeys: number;
};

/**
How many URLs are warm: as a rule more than are asked for at once, so that equal requests do not meet, and few enough for every cache's default limits.
*/
export const warmUrlCount = ({scenario, size}: Cell): number => {
	if (scenario.isSingle) {
		return 1;
	}

	return size >= 1024 * 1024 ? 40 : 300;
};

export const sizeName = (bytes: number): string => bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`;

const paceTitle = ({requestsPerSecond}: Scenario, concurrency: number): string => {
	if (requestsPerSecond !== undefined) {
		return `${requestsPerSecond} a second`;
	}

	return concurrency === 1 ? 'one at a time' : `${concurrency} at a time`;
};

export const cellTitle = ({scenario, size, concurrency, unrelatedKeys}: Cell): string => [
	scenario.title,
	sizeName(size),
	paceTitle(scenario, concurrency),
	...(unrelatedKeys > 0 ? [`${unrelatedKeys.toLocaleString('en')} unrelated keys`] : []),
].join(', ');

export const cellId = ({scenario, size, concurrency, unrelatedKeys}: Cell): string => [scenario.name, size, concurrency, unrelatedKeys].join('/');
