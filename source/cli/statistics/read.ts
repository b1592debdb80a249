import type {CacheStats, RedisCache} from '../../index.ts';
import type {CommandContext} from '../commands/command.ts';
import type {OptionRow} from '../commands/options.ts';
import {isEncrypted, missingKeys} from '../commands/request.ts';

export const since = (standard: string): OptionRow => ({type: 'string', value: 'DURATION', description: `how far to go back, two days at most (default: ${standard})`});

export type ReadStats = CacheStats & {
	/** The time at which the statistics were read, and to which requests are counted. */
	readonly until: Date;
};

export type Reading = {
	readonly stats: ReadStats;
	/** The length of the minutes in which there were requests, as far as they are over. */
	readonly activeSeconds: number;
};

const minuteMs = 60_000;

export const readStats = async (cache: RedisCache, duration: string): Promise<Reading> => {
	const {timeline = [], ...stats} = await cache.fleetStats({since: duration as '1h', step: '1m'});
	const until = new Date();
	const activeMs = timeline
		.filter(({requests}) => requests > 0)
		.map(({from}) => Math.min(Math.max(until.getTime() - from.getTime(), 0), minuteMs));

	return {stats: {...stats, until}, activeSeconds: activeMs.reduce((sum, each) => sum + each, 0) / 1000};
};

/** Tells why origins and URLs look as they do. */
export const warnIfSealed = async ({output, store}: Pick<CommandContext, 'output' | 'store'>): Promise<void> => {
	if (await isEncrypted(store)) {
		output.warn(`The URLs and origins of this namespace are encrypted: ${missingKeys}`);
	}
};
