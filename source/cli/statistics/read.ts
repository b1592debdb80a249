import type {CacheStats, RedisCache} from '../../index.ts';
import type {CommandContext} from '../commands/command.ts';
import type {OptionRow} from '../commands/options.ts';
import {isEncrypted, missingKeys} from '../commands/request.ts';

export const since = (standard: string): OptionRow => ({type: 'string', value: 'DURATION', description: `how far to go back, two days at most (default: ${standard})`});

export const readStats = async (cache: RedisCache, duration: string): Promise<CacheStats> => cache.fleetStats({since: duration as '1h'});

/** Tells why origins and URLs look as they do. */
export const warnIfSealed = async ({output, store}: Pick<CommandContext, 'output' | 'store'>): Promise<void> => {
	if (await isEncrypted(store)) {
		output.warn(`The URLs and origins of this namespace are encrypted: ${missingKeys}`);
	}
};
