import type {RedisCache} from '../../index.ts';
import {HttpError, optional} from './request.ts';
import {statisticsToWire} from './to-wire.ts';
import type {WireStatistics} from './wire.ts';

/** The periods that the page offers, each with the length of its steps. */
const steps = {
	'15m': '1m',
	'1h': '1m',
	'6h': '10m',
	'1d': '30m',
	'2d': '1h',
} as const;

const isPeriod = (text: string): text is keyof typeof steps => Object.hasOwn(steps, text);

/** Reads the statistics of the fleet, or without a Redis those of this process. */
export const readStatistics = async (cache: RedisCache, query: URLSearchParams): Promise<WireStatistics> => {
	const since = optional(query, 'since') ?? '1h';
	if (!isPeriod(since)) {
		throw new HttpError(400, `The parameter since is ${since}: expected one of ${Object.keys(steps).join(', ')}`);
	}

	try {
		const {timeline = [], ...stats} = await cache.fleetStats({since, step: steps[since]});
		return {...statisticsToWire(stats, timeline), isOfFleet: true};
	} catch (error) {
		// Without the option `statistics`, this throws as well, and says so.
		const why = error instanceof Error ? error.message : String(error);
		const isIncomplete = error instanceof Error && error.cause !== undefined;
		return {...statisticsToWire(cache.stats(), []), isOfFleet: false, why, ...isIncomplete && {isIncomplete}};
	}
};
