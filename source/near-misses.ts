import {isRequestOption, isRequestOptionName} from './resolve-options.ts';
import {editDistance} from './similarity.ts';

/*
Options of the cache for one request that got's `context` has in the wrong place, where nobody would find them. The rest of a `context` is the user's own.
*/

const isOptions = (value: unknown): boolean => {
	const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);

	return isObject && Object.keys(value).length > 0 && Object.keys(value).every(name => isRequestOptionName(name));
};

/** The names that nobody has in a `context` for another reason. */
const distinctiveNames: ReadonlySet<string> = new Set(['alwaysRevalidate', 'expireAfter', 'onlyIfCached', 'refreshAhead', 'retryFirst', 'staleAfter', 'staleIfError', 'staleWhileRevalidate', 'ttlOffset']);

const isNearMiss = (name: string, value: unknown): boolean => {
	const lowerCased = name.toLowerCase();
	if (lowerCased.trim() === 'cache') {
		return true;
	}

	const isLikely = lowerCased.includes('cache') || editDistance(lowerCased, 'cache') <= 2;

	return isLikely && isOptions(value);
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
	}
};
