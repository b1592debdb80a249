import type {CacheStats, RedisCache} from '../../index.ts';
import type {OptionRow} from '../commands/options.ts';
import {toCommandLine} from '../commands/advice.ts';
import {Failure} from '../terminal/failure.ts';

export const since = (standard: string): OptionRow => ({type: 'string', value: 'DURATION', description: `how far to go back, two days at most (default: ${standard})`});

/** The statistics of the fleet; the error of a store that does not answer has its cause. */
export const readStats = async (cache: RedisCache, duration: string): Promise<CacheStats> => {
	try {
		return await cache.fleetStats({since: duration as '1h'});
	} catch (error) {
		const isUnexplained = error instanceof Error && error.cause === undefined && error.message.startsWith('got-redis-cache: ');
		throw isUnexplained ? new Failure('unreachable', toCommandLine(error.message), error) : error;
	}
};
