import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Got, OptionsInit, Response} from 'got';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {settleWrites, type Setup} from './helpers.ts';
import {readStream, type Received} from './read-stream.ts';

export type Ask = (client: Got, options?: OptionsInit) => Promise<Received>;

const askPromise: Ask = async (client, options) => {
	const response = await client('items', {throwHttpErrors: false, ...options}) as Response<string>;
	const {statusCode, headers, isFromCache, body} = response;

	return {statusCode, headers, isFromCache, info: cacheInfo(response), body};
};

export const interfaces: Readonly<Record<string, Ask>> = {
	promise: askPromise,
	stream: async (client, options) => readStream(client.stream('items', {throwHttpErrors: false, ...options})),
};

export type Place = {
	readonly where: string;
	readonly options: RedisCacheOptions;
	/** Whether other processes have the same store. */
	readonly isShared: boolean;
	readonly isStream: boolean;
	readonly ask: Ask;
};

const stores: Readonly<Record<string, RedisCacheOptions>> = {Redis: {}, memory: {store: 'memory'}};

/** Each store with each interface of got's. */
export const places: readonly Place[] = Object.entries(stores).flatMap(([store, options]) => Object.entries(interfaces).map(([name, ask]) => ({
	where: `${store}, ${name}`,
	options,
	isShared: store === 'Redis',
	isStream: name === 'stream',
	ask,
})));

/** Lets a refresh in the background end, after which the origin has been asked so many times. */
export const refreshed = async (setup: Setup, requests: number): Promise<void> => {
	while (setup.origin.requests.length < requests) {
		await nextTurn();
	}

	await settleWrites(setup);
	await settleWrites(setup);
};

/** All that is in Redis, as text. */
export const dump = async ({client}: TestRedis): Promise<string> => {
	const keys = await client.keys('*');
	// The statistics, which are written from time to time, are no strings.
	const read: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
		string: async key => client.get(key),
		hash: async key => JSON.stringify(await client.hGetAll(key)),
		zset: async key => JSON.stringify(await client.zRange(key, 0, -1)),
	};
	const values = await Promise.all(keys.map(async key => read[await client.type(key)]?.(key)));

	return [...keys, ...values].join('\n');
};
