import got from 'got';
import type {RequestCacheOptions} from '../options.ts';
import type {GotContext, GotOptions} from './context.ts';
import type {GotExchange} from './exchanges.ts';

/**
Asks the origin again while the caller already has the stored response, RFC 5861 §3. One refresh per resource at a time.
*/
export const refreshInBackground = async (context: GotContext, options: GotOptions, {exchange}: GotExchange): Promise<void> => {
	const {refreshing} = context;
	if (refreshing.has(exchange.key)) {
		return;
	}

	refreshing.add(exchange.key);
	try {
		// The same request as its options describe it, hooks included; `no-cache` makes the cache ask.
		await got(undefined, {
			context: {...options.context, cache: {...options.context.cache as RequestCacheOptions, mode: 'no-cache'}},
			isStream: false,
			resolveBodyOnly: false,
			responseType: 'buffer',
			throwHttpErrors: false,
		} as never, options as never);
	} catch (error) {
		context.reportError(error);
	} finally {
		refreshing.delete(exchange.key);
	}
};
