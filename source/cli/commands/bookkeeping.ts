import {isUrl} from './request.ts';
import type {StoreAccess} from './store-access.ts';

/*
Keys of the cache in Redis that hold no response.
*/

const kinds: ReadonlyArray<readonly [key: RegExp, what: string]> = [
	[/^stats\./v, 'the statistics of the fleet, which `got-redis-cache stats` shows'],
	[/^\{[^\}]*\}:guard$/v, 'the guard of a URL, which refuses responses that were requested before a purge'],
	[/^\{origin:/v, 'the version of an origin, which purges and switches change'],
	[/^\{(?:tag|group|path):/v, 'the version of a tag, a cache group or a path, which purges change'],
	[/^[^\{]/v, 'no URL has this key'],
];

/** Says what a key is for that is in Redis and holds no response; `undefined` for any other key, and for a URL. */
export const bookkeepingAt = async (target: string, store: StoreAccess): Promise<string | undefined> => {
	const prefix = `${store.namespace}:`;
	const isNamed = target.startsWith(prefix);
	if (store.file !== undefined || isUrl(target) || !(isNamed || target.startsWith('{'))) {
		return undefined;
	}

	const key = isNamed ? target.slice(prefix.length) : target;
	const what = kinds.find(([pattern]) => pattern.test(key))?.[1];
	if (what === undefined) {
		return undefined;
	}

	const {connectForKeys} = await import('./server.ts');
	try {
		const {send, close} = await connectForKeys(store);
		const isThere = Number(await send('EXISTS', prefix + key)) === 1;
		close();
		return isThere ? what : undefined;
	} catch {
		// The cache tells of a store that does not answer.
		return undefined;
	}
};
