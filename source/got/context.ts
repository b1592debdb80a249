import type {Options} from 'got';
import type {ExchangeContext} from '../exchange.ts';
import type {RedisCacheOptions} from '../options.ts';

/** What the cache needs of got's options, as hooks see them and as responses carry them. */
export type GotOptions = Pick<Options, 'allowGetBody' | 'body' | 'cache' | 'context' | 'decompress' | 'headers' | 'hooks' | 'isStream' | 'method' | 'request' | 'retry' | 'url'>;

export type GotContext = ExchangeContext & {
	/** What `redisCache()` was called with. */
	readonly options: RedisCacheOptions;
	/** For what goes wrong where no caller waits for it. */
	readonly reportError: (error: unknown) => void;
	/** Resources that are being refreshed in the background. */
	readonly refreshing: Set<string>;
};
