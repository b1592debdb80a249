import type {
	GotReturn,
	HandlerFunction,
	Options,
	Request,
} from 'got';
import {takeFastPath} from './fast-path/fast-path.ts';
import {registerHandler} from './fast-path/inner-handlers.ts';
import type {GotContext, Hooks} from './state/context.ts';
import {noteForm} from './state/form.ts';
import {watchStream} from './stream/stream.ts';

const isGotStream = (value: unknown): value is Request => typeof value === 'object' && value !== null && 'options' in value && 'redirectUrls' in value;

/** A cache without its hooks would cache nothing. Its fast path needs them anyway. */
const refuseWithoutHooks = (own: Hooks, {hooks}: Options): void => {
	const [hook] = own.beforeRequest;
	if (hook && !hooks.beforeRequest.includes(hook)) {
		throw new TypeError(
			'The handlers of redisCache() run without its hooks, so that nothing would be cached, as in got.extend({...redisCache(), hooks}): pass what redisCache() returns as it is, as in got.extend(redisCache(), {hooks})',
		);
	}
};

/**
The outermost call of a request: where what got makes of it can be seen before its caller.

@param hooks - The hooks of the same cache.
*/
export const createHandler = (context: GotContext, hooks: Hooks): HandlerFunction => registerHandler(((options: Options | undefined, next: Parameters<HandlerFunction>[1]): GotReturn => {
	// Got has none where it was called with what makes none.
	if (!options) {
		return next(options as never);
	}

	noteForm(options);
	const direct = options.isStream ? undefined : takeFastPath(context, hooks, options, next);
	if (direct) {
		return direct;
	}

	refuseWithoutHooks(hooks, options);
	const result = next(options);
	// Another handler may have put something of its own around a stream.
	if (options.isStream && isGotStream(result)) {
		watchStream(context, hooks, result);
	}

	return result;
}) as HandlerFunction);
