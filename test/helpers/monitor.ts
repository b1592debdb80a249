import {setImmediate as nextTurn} from 'node:timers/promises';
import type {TestRedis} from './redis.ts';

/** A command with its arguments, as `MONITOR` shows them. */
export type SeenCommand = readonly string[];

const parse = (line: string): string[] => line.slice(line.indexOf(']')).matchAll(/"(?<argument>(?:[^"\\]|\\.)*)"/gv).map(match => match.groups?.argument ?? '').toArray();

/**
What some servers are asked for by others than scripts while `action` runs.
*/
export const commandsDuring = async (servers: readonly TestRedis[], action: () => Promise<unknown>): Promise<SeenCommand[]> => {
	const seen: string[] = [];
	const monitors = await Promise.all(servers.map(async ({client}) => {
		const monitor = client.duplicate();
		await monitor.connect();
		await monitor.monitor(line => {
			seen.push(line);
		});
		return monitor;
	}));
	await action();
	await Promise.all(servers.map(async ({client}) => client.echo('the end')));
	while (seen.filter(line => line.includes('"the end"')).length < servers.length) {
		await nextTurn();
	}

	for (const monitor of monitors) {
		monitor.destroy();
	}

	return seen.filter(line => !line.includes('"the end"') && !/^\S+ \[\d+ lua\]/v.test(line)).map(line => parse(line));
};
