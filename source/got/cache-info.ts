import {Stream} from 'node:stream';
import {isPromise} from 'node:util/types';
import {failed, infoOf, type CacheInfo} from '../observe/info.ts';
import {exchangeBehind, exchangeBehindError, isResponse} from './state/exchange-behind.ts';

/** Describes a value that has a response, or is a part of one. */
const describeNoResponse = (value: unknown): string => {
	if (isPromise(value)) {
		return 'a promise: await it first, as in cacheInfo(await client(url))';
	}

	return value instanceof Stream
		? 'a stream: pass its `response`, which is there from its \'response\' event on'
		: `a value of type ${typeof value}: it takes the whole response that a promise resolves to, or a stream's \`response\`, not a body`;
};

/**
Tells what the cache did for a response, and why.

@param value - A response of a got instance that was extended with `redisCache()`, the `response` of a stream, or an error of such an instance.
@returns `undefined` if no cache was involved, or if there is no response: an error that came before there was a request has none, nor has a stream that no origin answered.
@throws {TypeError} If it is neither a response of got's nor an error: the body of a response, say, or a promise that nobody awaited.

@example
```
const response = await client('https://api.example.com/items');

cacheInfo(response);
//=> {status: 'hit', reason: 'fresh', age: 12, …}
```

@example
```
try {
	await client('https://api.example.com/items');
} catch (error) {
	cacheInfo(error);
	//=> {status: 'miss', reason: 'not-stored', notStored: 'error', …}
}
```
*/
export const cacheInfo = (value: unknown): CacheInfo | undefined => {
	if (value === undefined) {
		return undefined;
	}

	if (value instanceof Error) {
		const state = exchangeBehindError(value);
		return state && infoOf(failed(state));
	}

	if (!isResponse(value)) {
		throw new TypeError(`Expected a response of got's in cacheInfo(), got ${describeNoResponse(value)}`);
	}

	const state = exchangeBehind(value);
	return state && infoOf(state);
};
