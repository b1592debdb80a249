import type {RedisCache} from '../../index.ts';
import {check, purge, readSwitches, setSwitch} from './actions.ts';
import {createExchangeLog} from './exchange-log.ts';
import {createHealthReader} from './health.ts';
import {explain} from './explaining.ts';
import {preview} from './preview.ts';
import {count} from './request.ts';
import {createSearches} from './searches.ts';
import {readStatistics} from './statistics.ts';
import {readBody, readStored} from './stored.ts';
import type {WireSettings} from './wire.ts';

/** One thing that the page can ask for. A result of bytes is sent as they are, any other as JSON. */
export type Route = {
	/** A POST changes something, unless it only reads. */
	readonly method: 'GET' | 'POST';
	/** Whether a POST only reads: its parameters are not for a URL. */
	readonly isReading?: boolean;
	run(query: URLSearchParams): unknown;
};

/** All routes, by their names. */
export const createRoutes = (cache: RedisCache, isReadOnly: boolean): ReadonlyMap<string, Route> => {
	const searches = createSearches(cache);
	const exchanges = createExchangeLog(cache);
	const readHealth = createHealthReader(cache);

	return new Map<string, Route>([
		['settings', {method: 'GET', run: () => ({isReadOnly} satisfies WireSettings)}],
		['health', {method: 'GET', run: readHealth}],
		['statistics', {method: 'GET', run: async query => readStatistics(cache, query)}],
		['entries', {method: 'GET', run: async query => searches.read(query)}],
		['entry', {method: 'GET', run: async query => readStored(cache, query)}],
		['body', {method: 'GET', run: async query => readBody(cache, query)}],
		['exchanges', {method: 'GET', run: query => exchanges.read(count(query, 'after', [0, Number.MAX_SAFE_INTEGER], 0))}],
		['explain', {method: 'POST', isReading: true, run: async query => explain(cache, query)}],
		['switches', {method: 'GET', run: async () => readSwitches(cache)}],
		['preview', {method: 'GET', run: async query => preview(cache, query)}],
		['purge', {method: 'POST', run: async query => purge(cache, query)}],
		['switch', {method: 'POST', run: async query => setSwitch(cache, query)}],
		['check', {method: 'POST', run: async () => check(cache)}],
	]);
};
