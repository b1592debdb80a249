import {createClient} from '@redis/client';
import {embeddedRedis, type EmbeddedRedis} from '../../source/embedded.ts';

/** A Redis of one's own, or what takes its place. */
export type DemoStore = EmbeddedRedis | Map<string, {value: Uint8Array; expires: number}>;

export type Entry = {
	readonly key: string;
	readonly ttlMs: number;
	readonly bytes: number;
};

/** @param onMissing - Called with the reason where there is no Redis. */
export const openStore = async (onMissing: (reason: string) => void): Promise<DemoStore> => {
	try {
		return await embeddedRedis();
	} catch (error) {
		const [reason = ''] = (error as Error).message.replace('embeddedRedis(): ', '').split(/\. |\n/v, 1);
		onMissing(reason);
		return new Map();
	}
};

/** The keys in Redis, without the guards, which are gone in a minute. */
export const readEntries = async (store: DemoStore): Promise<Entry[]> => {
	if (store instanceof Map) {
		return [...store].map(([key, {value, expires}]) => ({key, ttlMs: expires - Date.now(), bytes: value.length}));
	}

	const redis = createClient(store.clientOptions);
	await redis.connect();
	const keys = await redis.keys('*');
	const entries = await Promise.all(keys.filter(key => !key.endsWith(':guard')).map(async key => ({key, ttlMs: await redis.pTTL(key), bytes: await redis.strLen(key)})));
	redis.destroy();
	return entries;
};
