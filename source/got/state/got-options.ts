import type {Options} from 'got';

/** The options of got's that the cache needs, as hooks see them and as responses carry them. */
export type GotOptions = Pick<
	Options,
	'allowGetBody' | 'body' | 'cache' | 'context' | 'createNativeRequestOptions' | 'decompress' | 'getInternalHeaders' | 'getRequestFunction' | 'h2session' | 'headers' | 'hooks'
	| 'http2' | 'isStream' | 'method' | 'request' | 'responseType' | 'retry' | 'signal' | 'throwHttpErrors' | 'timeout' | 'url'
>;
