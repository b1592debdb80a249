import {warn} from '../types/warning.ts';
import {isOptionName, isRequestOption, isRequestOptionName} from './option-rules.ts';
import {editDistance} from './similarity.ts';

/*
Options of the cache for one request that got's `context` has in the wrong place, where nobody would find them. The rest of a `context` is the user's own.
*/

const isOptions = (value: unknown): boolean => {
	const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);

	return isObject && Object.keys(value).length > 0 && Object.keys(value).every(name => isRequestOptionName(name));
};

/** Whether they can only have been meant for the cache as got's own cache has them. */
const isCacheOptions = (name: string, value: unknown): boolean => {
	const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);

	return name === 'cacheoptions' && isObject && Object.keys(value).length > 0 && Object.keys(value).every(each => isOptionName(each));
};

/** The names that nobody has in a `context` for another reason. */
const distinctiveNames: ReadonlySet<string> = new Set([
	'alwaysRevalidate',
	'expireAfter',
	'onlyIfCached',
	'refreshAhead',
	'retryFirst',
	'staleAfter',
	'staleIfError',
	'staleWhileRevalidate',
	'ttlOffset',
]);

const isNearMiss = (name: string, value: unknown): boolean => {
	const lowerCased = name.toLowerCase();
	if (lowerCased.trim() === 'cache') {
		return true;
	}

	const isLikely = lowerCased.includes('cache') || editDistance(lowerCased, 'cache') <= 2;

	return (isLikely && isOptions(value)) || isCacheOptions(lowerCased, value);
};

/** Names that were warned of: each is told once in a process. */
const told = new Set<string>();

/** The property may be meant for the cache, or may be the user's own: `tags` and `mode` are names of both. */
const warnOfLikely = (name: string, value: unknown): void => {
	const isLikely = isRequestOption(name, value) || (distinctiveNames.has(name) && value !== undefined);
	if (value === undefined || !isLikely || told.has(name)) {
		return;
	}

	told.add(name);
	warn(
		'GOT_REDIS_CACHE_CONTEXT',
		`the cache does not read the property \`${name}\` of got's \`context\`; if it is meant for the cache, it goes into \`context.cache\`, as in {context: {cache: {${name}: …}}}; if it is your own, give it another name, or run Node.js with --disable-warning=GOT_REDIS_CACHE_CONTEXT`,
	);
};

/**
@throws {TypeError} If a property can only have been meant for `context.cache`.
*/
export const refuseNearMisses = (context: Readonly<Record<string, unknown>>): void => {
	for (const [name, value] of Object.entries(context)) {
		if (name === 'cache') {
			continue;
		}

		if (isNearMiss(name, value)) {
			throw new TypeError(`Unknown property \`${name}\` in got's \`context\`: options of the cache for one request go into \`context.cache\``);
		}

		if (distinctiveNames.has(name) && isRequestOption(name, value)) {
			throw new TypeError(`Unknown property \`${name}\` in got's \`context\`: options of the cache for one request go into \`context.cache\`, as in {context: {cache: {${name}: …}}}`);
		}

		warnOfLikely(name, value);
	}
};
