import type {CacheInfo} from '../../index.ts';

/** The result of a request for a URL. */
export type Warmed =
	| {readonly kind: 'stored' | 'fresh' | 'validated' | 'stale'}
	| {readonly kind: 'notStored'; readonly reason: string}
	| {readonly kind: 'failed'; readonly reason: string};

/** The number of failures that are kept for `--json`. */
const mostFailures = 100;

export const createCounts = () => {
	const counts = {urls: 0, stored: 0, fresh: 0, validated: 0, stale: 0, failed: 0};
	const notStored: Record<string, number> = {};
	const failures: Array<{readonly url: string; readonly reason: string}> = [];

	return {
		add(url: string, warmed: Warmed): void {
			counts.urls++;
			if (warmed.kind === 'notStored') {
				notStored[warmed.reason] = (notStored[warmed.reason] ?? 0) + 1;
				return;
			}

			counts[warmed.kind]++;
			if (warmed.kind === 'failed' && failures.length < mostFailures) {
				failures.push({url, reason: warmed.reason});
			}
		},
		get: () => ({...counts, notStored, failures}),
	};
};

export type Counts = ReturnType<ReturnType<typeof createCounts>['get']>;

const kinds: Readonly<Partial<Record<CacheInfo['status'], 'stored' | 'fresh' | 'validated' | 'stale'>>> = {hit: 'fresh', revalidated: 'validated', stale: 'stale', miss: 'stored'};

/** The result of a response, as `cacheInfo()` tells it. */
export const resultOf = (info: CacheInfo | undefined): Warmed => {
	const kind = info && kinds[info.status];
	return kind === undefined || info?.notStored !== undefined ? {kind: 'notStored', reason: info?.notStored ?? info?.reason ?? 'unknown'} : {kind};
};

export const describeCounts = ({urls, stored, fresh, validated, stale, failed, notStored}: Counts): string => [
	`${urls} ${urls === 1 ? 'URL' : 'URLs'}: ${stored} stored`,
	...fresh > 0 ? [`${fresh} were fresh`] : [],
	...validated > 0 ? [`${validated} validated`] : [],
	...stale > 0 ? [`${stale} stale, since the origin failed`] : [],
	...Object.entries(notStored).map(([reason, count]) => `${count} not stored (${reason})`),
	...failed > 0 ? [`${failed} failed`] : [],
].join(', ');
