import type {Options} from 'got';
import {warnOfUnsafeMethods} from '../../options/contradictions.ts';
import {cacheIn} from './cache-hook.ts';

/*
Unsafe methods that `context.cache` of a client, and not of one request, makes cacheable: they hold for all of its requests, as the option `methods` does.
*/

const methodsIn = ({context}: Pick<Options, 'context'>): readonly string[] | undefined => {
	const {methods} = (context.cache ?? {}) as {readonly methods?: unknown};

	return Array.isArray(methods) && methods.every(method => typeof method === 'string') ? methods : undefined;
};

const warnOfClient = (client: Options): void => {
	const cache = cacheIn(client);
	const methods = methodsIn(client);
	if (methods === undefined || cache === undefined || cache.isWarned) {
		return;
	}

	cache.isWarned = warnOfUnsafeMethods({...cache.options, methods}, '`context.cache` of a client');
};

/**
To be called when options are merged that may have `methods`.

@param options - The options that they are merged into: of a client, which has no URL, or of a request, which is given its URL after that.
*/
export const watchMethods = (options: Options): void => {
	queueMicrotask(() => {
		if (options.url === undefined) {
			warnOfClient(options);
		}
	});
};
