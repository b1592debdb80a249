import type {EntryFilter} from '../../index.ts';
import {Failure} from '../terminal/failure.ts';
import type {Given} from './given.ts';
import type {OptionRows} from './options.ts';

export const filterOptions: OptionRows = {
	url: {type: 'string', value: 'URL', description: 'one URL, for every method, body and user'},
	prefix: {type: 'string', short: 'p', value: 'URL', description: 'URLs that begin with this'},
	pattern: {type: 'string', value: 'PATTERN', description: 'URLs that match, such as \'*.example.com/items/*\''},
	origin: {type: 'string', short: 'o', value: 'URL', description: 'URLs of this origin'},
	tag: {type: 'string', short: 't', value: 'TAG', multiple: true, description: 'responses with this tag; of several, any'},
	'older-than': {type: 'string', value: 'DURATION', description: 'responses stored or validated longer ago, such as 1h or 7d'},
	stale: {type: 'boolean', description: 'responses that are not fresh'},
};

/** The filter that options name; without one, everything matches. */
export const filterOf = (given: Given): EntryFilter => {
	if (given.flag('fresh') && given.flag('stale')) {
		throw new Failure('wrongUsage', '--fresh and --stale exclude each other, and filters have to match together: leave one of them out');
	}

	const tags = given.all('tag');
	const filter: Record<keyof EntryFilter, unknown> = {
		url: given.text('url'),
		prefix: given.text('prefix'),
		pattern: given.text('pattern'),
		origin: given.text('origin'),
		tag: tags.length === 0 ? undefined : tags,
		olderThan: given.text('older-than'),
		stale: given.flag('stale') ? true : (given.flag('fresh') ? false : undefined),
	};

	return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
};
