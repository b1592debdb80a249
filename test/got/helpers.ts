import type {MockTracker} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got, {type Got} from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';

/** Whether the tests run with got 15, or one that is older, in the place of got 16. */
export const isGot15 = /\/got-1[45]\//v.test(import.meta.resolve('got'));

export const isGot14 = import.meta.resolve('got').includes('/got-14/');

export type Setup = AsyncDisposable & {
	readonly origin: Origin;
	readonly redis: TestRedis;
	readonly cache: RedisCache;
	readonly client: Got;
	/** Another client, as in another process: it shares nothing but the Redis. */
	other(options?: RedisCacheOptions): {cache: RedisCache; client: Got};
};

/**
A got instance with a cache on a Redis of the test's own, in front of an origin of the test's own.

A failed request is not retried, so that what the origin saw is what the cache did. On a busy machine, Redis may take longer than the cache waits by default.
*/
export const setUp = async (options: RedisCacheOptions = {}): Promise<Setup> => {
	const [origin, redis] = await Promise.all([startOrigin(), startRedis()]);
	const caches: RedisCache[] = [];
	const create = (more: RedisCacheOptions = {}) => {
		const {encryption, ...others}: RedisCacheOptions = {store: redis.url, timeout: '10s', ...options, ...more};
		const cache = redisCache({...others, ...encryption && {encryption}});
		caches.push(cache);
		return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	};

	return {
		origin,
		redis,
		...create(),
		other: create,
		async [Symbol.asyncDispose]() {
			await Promise.all(caches.map(async cache => cache.close()));
			await Promise.all([origin.stop(), redis.stop()]);
		},
	};
};

const quietLooks = 5;
const maxLooks = 100;

/** Lets writes that nobody waits for reach Redis: until it was sent nothing but the question, several times in turn. */
export const settleWrites = async ({redis}: Pick<Setup, 'redis'>): Promise<void> => {
	const received: number[] = [];
	const isQuiet = () => {
		const last = received.slice(-quietLooks - 1);
		const [first = 0, second = 0] = last;
		return last.length > quietLooks && last.every((bytes, look) => bytes === first + (look * (second - first)));
	};

	while (!isQuiet() && received.length < maxLooks) {
		await nextTurn();
		const info = await redis.client.info('stats');
		received.push(Number(/total_net_input_bytes:(?<bytes>\d+)/v.exec(info)?.groups?.bytes));
	}
};

/** Memory believes what Redis said for a second after its last answer, and asks again before that, which a busy machine may take. */
export const firstWithoutCommands = async ({redis, cache}: Pick<Setup, 'redis' | 'cache'>, request: () => Promise<unknown>): Promise<boolean> => {
	for (let attempt = 0; attempt < 20; attempt++) {
		await cache.has(`http://example.com/answered-${attempt}`);
		const commands = await commandsDuring([redis], request);
		if (commands.length === 0) {
			return true;
		}
	}

	return false;
};

/** For who has faked `setTimeout`: lets time pass until it is over, and what is on its way arrive in between. */
export const passTime = async <Result>({timers}: MockTracker, action: Promise<Result>): Promise<Result> => {
	const waiting = {isOver: false};
	void action.catch(() => undefined).finally(() => {
		waiting.isOver = true;
	});
	while (!waiting.isOver) {
		await nextTurn();
		timers.tick(10);
	}

	return action;
};

/** What comes of a request that the origin never answers: once it has arrived there, time passes, by a clock that is the test's from here on. */
export const outwait = async <Result>(mock: MockTracker, origin: {handler: (...parameters: never[]) => unknown}, request: () => Promise<Result>): Promise<Result> => {
	const {promise: isAsked, resolve} = Promise.withResolvers<void>();
	origin.handler = () => {
		resolve();
	};

	mock.timers.enable({apis: ['setTimeout']});
	const action = request();
	await isAsked;
	return passTime(mock, action);
};
