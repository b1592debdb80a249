import type {Command, CommandContext} from '../commands/command.ts';
import type {Outcome} from '../terminal/failure.ts';
import {readStats, since, warnIfSealed} from './read.ts';
import {reportOf} from './report.ts';

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const reading = await readStats(store.open({isCounting: true}), given.text('since') ?? '1h');
	const {stats} = reading;
	if (output.isJson) {
		await output.json(stats);
	} else if (stats.requests > 0) {
		await output.line(reportOf(reading, output).join('\n'));
	}

	if (stats.requests > 0) {
		await warnIfSealed({output, store});
		return 'done';
	}

	output.warn(
		`No process has told of a request in ${store.place} since ${stats.since.toISOString()}: go further back with --since, or see whether your caches have the option \`statistics\`; they tell every ten seconds`,
	);
	return 'nothingFound';
};

export const stats: Command = {
	name: 'stats',
	summary: 'show what all processes have asked the cache for: hits, reasons, bytes, hottest URLs',
	usage: '[options]',
	arguments: [0, 0],
	options: {since: since('1h')},
	details:
		'The counts of all processes that share the Redis and the namespace, which each of them adds to Redis every ten seconds. Minutes count as a whole, origins and URLs in steps of ten minutes.',
	examples: [
		['the last hour', 'got-redis-cache stats'],
		['the hit ratio of a day, for a script', 'got-redis-cache stats --since 1d --json | jq \'(.statuses.hit + .statuses.stale) / .requests\''],
	],
	run,
};
