import type {BeforeRequestHook, Options} from 'got';
import type {RedisCacheOptions} from '../../options/options.ts';
import {warnOfUnsafeMethods} from '../../options/resolve-options.ts';

/*
Unsafe methods that `context.cache` of a client, and not of one request, makes cacheable: they hold for all of its requests, as the option `methods` does.
*/

const optionsOfCaches = new WeakMap<BeforeRequestHook, RedisCacheOptions>();

const warned = new WeakSet<BeforeRequestHook>();

/**
@param hook - By which got's options lead to the cache.
*/
export const noteOptions = (hook: BeforeRequestHook, options: RedisCacheOptions): void => {
	optionsOfCaches.set(hook, options);
};

const methodsIn = ({context}: Pick<Options, 'context'>): readonly string[] | undefined => {
	const {methods} = (context.cache ?? {}) as {readonly methods?: unknown};

	return Array.isArray(methods) && methods.every(method => typeof method === 'string') ? methods : undefined;
};

const warnOfClient = (client: Options): void => {
	const hook = client.hooks.beforeRequest.findLast(candidate => optionsOfCaches.has(candidate));
	const methods = methodsIn(client);
	if (hook === undefined || methods === undefined || warned.has(hook)) {
		return;
	}

	const isWarned = warnOfUnsafeMethods({...optionsOfCaches.get(hook), methods}, '`context.cache` of a client');
	if (isWarned) {
		warned.add(hook);
	}
};

/**
To be called when options are merged that may have `methods`.

@param options - What they are merged into: of a client, which has no URL, or of a request, which is given its URL after that.
*/
export const watchMethods = (options: Options): void => {
	queueMicrotask(() => {
		if (options.url === undefined) {
			warnOfClient(options);
		}
	});
};
