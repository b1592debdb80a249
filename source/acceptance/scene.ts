import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import got, {type Got, type OptionsOfBufferResponseBody} from 'got';
import {cacheInfo} from '../got/cache-info.ts';
import {redisCache} from '../got/plugin.ts';
import type {RedisCache} from '../got/redis-cache.ts';
import type {RedisCacheOptions} from '../options/options.ts';
import type {StoreOption} from '../store/backends/connection.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {startOrigin, type Answering, type Origin} from './origin.ts';

/** A cache on the store, and a client that uses it. */
export type Subject = {
	readonly cache: RedisCache;
	readonly client: Got;
	/** The errors of the `error` events, in order. */
	readonly errors: Error[];
};

/** Two caches on one store, in front of one origin. */
export type Scene = {
	readonly origin: Origin;
	readonly one: Subject;
	/** The same as `one`, where the store is not shared. */
	readonly other: Subject;
	readonly isShared: boolean;
	/** One more on the same store, and in the same namespace unless told otherwise. */
	open(options?: RedisCacheOptions): Promise<Subject>;
	/** One more origin. */
	openOrigin(): Promise<Origin>;
	/** Of all caches. */
	errors(): Error[];
};

export type SceneOptions = {
	readonly connect: () => StoreOption | Promise<StoreOption>;
	readonly isShared: boolean;
	readonly isReliable: boolean;
	readonly cacheOptions: Pick<RedisCacheOptions, 'timeout' | 'memory' | 'compression' | 'encryption'>;
};

export type Act = (scene: Scene) => Promise<void>;

/** The longest that a check waits for what is to happen by itself. */
const patienceMs = 5000;

/** Fresh for a minute; the number of the request is the body, and the last segment of the path tag and group. */
const numbered = (requests: () => number): Answering => ({path}) => {
	const name = path.split('?', 1)[0]?.split('/').at(-1) ?? '';
	return {
		headers: {'cache-control': 'max-age=60', etag: '"1"', 'cache-tag': `tag-${name}`, 'cache-groups': `"group-${name}"`},
		body: String(requests()),
	};
};

const openOrigin = async (): Promise<Origin> => {
	const origin: Origin = await startOrigin(numbered(() => origin.requests.length));
	return origin;
};

/** Nobody needs the responses that the check stored. */
const tidy = async (subjects: readonly Subject[]): Promise<void> => {
	await Promise.allSettled(subjects.map(async ({cache}) => cache.clear()));
	await Promise.all(subjects.map(async ({cache}) => cache.close()));
};

export const playScene = async (options: SceneOptions, act: Act): Promise<void> => {
	const {connect, isShared, isReliable, cacheOptions} = options;
	const namespace = `acceptance-${randomUUID()}`;
	const subjects: Subject[] = [];
	const origins: Origin[] = [];

	const open = async (more: RedisCacheOptions = {}): Promise<Subject> => {
		const cache = redisCache({timeout: '5s', tagField: 'cache-tag', namespace, ...cacheOptions, ...more, store: await connect()});
		const errors: Error[] = [];
		cache.on('error', error => {
			errors.push(error);
		});
		const client = got.extend({retry: {limit: 0}, throwHttpErrors: false}, cache);
		const subject = {cache, client, errors};
		subjects.push(subject);
		return subject;
	};

	const openAnother = async () => {
		const origin = await openOrigin();
		origins.push(origin);
		return origin;
	};

	try {
		const origin = await openAnother();
		const one = await open();
		const other = isShared ? await open() : one;
		const errors = () => subjects.flatMap(subject => subject.errors);
		await act({origin, one, other, isShared, open, openOrigin: openAnother, errors});
		if (isReliable) {
			assert.deepEqual(errors(), [], 'the store failed');
		}
	} finally {
		await tidy(subjects);
		await Promise.all(origins.map(async origin => origin.stop()));
	}
};

export const until = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
	const dueMs = ownTimers.now() + patienceMs;
	while (!await isSo()) {
		assert.ok(ownTimers.now() < dueMs, `${what}: not so after ${patienceMs / 1000} s`);
		await delay(2);
	}
};

/** Writes are not waited for by the response that is written. */
export const arrival = async ({cache}: Subject, url: string, headers?: Record<string, string>): Promise<void> =>
	until(async () => cache.has({url, headers}, {stale: true}), `${url} can be read`);

/** With its next answer, a store has reported all earlier changes. */
export const hear = async ({cache}: Subject): Promise<unknown> => cache.has('http://nowhere.invalid/');

export type Given = {
	readonly status: string | undefined;
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly bytes: Uint8Array;
	readonly body: string;
};

export const ask = async ({client}: Subject, url: string, options: Partial<OptionsOfBufferResponseBody> = {}): Promise<Given> => {
	const response = await client(url, {...options, responseType: 'buffer'});
	return {
		status: cacheInfo(response)?.status,
		statusCode: response.statusCode,
		headers: response.headers,
		bytes: response.body,
		body: new TextDecoder().decode(response.body),
	};
};

/** Stores the response to a URL through one cache, until another can read it. */
export const store = async ({one, other}: Scene, url: string, headers?: Record<string, string>): Promise<Given> => {
	const given = await ask(one, url, {headers});
	await arrival(other, url, headers);
	return given;
};

/** Asserts what the cache did, and the body. */
export const assertGiven = async (subject: Subject, url: string, expected: {readonly status: string; readonly body?: string}, options?: Partial<OptionsOfBufferResponseBody>): Promise<void> => {
	const {status, body} = await ask(subject, url, options);
	assert.deepEqual({status, body: expected.body === undefined ? undefined : body}, {body: undefined, ...expected}, url);
};
