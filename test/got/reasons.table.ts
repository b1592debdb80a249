import {Readable} from 'node:stream';
import type {Response} from 'got';
import type {CacheInfo, RedisCacheOptions} from '../../source/index.ts';
import type {PlainResponse} from '../helpers/origin.ts';
import type {Setup} from './helpers.ts';

/** Reasons that no rule of HTTP leads to, but whoever carries the rules out: what is asked, and what `cacheInfo()` says then. */
export type ReasonRow = {
	readonly what: string;
	readonly options?: RedisCacheOptions;
	/** Default: one that is stored. */
	readonly response?: PlainResponse;
	readonly ask: (setup: Setup) => Promise<Response>;
	readonly expected: {readonly [Name in 'reason' | 'notStored']?: CacheInfo[Name]};
};

const get = async ({client}: Setup): Promise<Response> => client('items');

export const reasonsTable: readonly ReasonRow[] = [
	{
		what: 'the cache is switched off',
		ask: async ({client}) => client('items', {context: {cache: {disabled: true}}}),
		expected: {reason: 'disabled', notStored: 'bypassed'},
	},
	{
		what: 'a filter leaves the request out',
		options: {filter: ({url}) => !url.includes('items')},
		ask: get,
		expected: {reason: 'filtered', notStored: 'bypassed'},
	},
	{
		what: 'a body that can be read only once',
		ask: async ({client}) => client('items', {method: 'QUERY', body: Readable.from(['a'])}),
		expected: {reason: 'unkeyable-body', notStored: 'bypassed'},
	},
	{
		what: 'got\'s own cache is at work',
		ask: async ({client}) => client('items', {cache: new Map()}),
		expected: {reason: 'other-cache', notStored: 'bypassed'},
	},
	{
		what: 'other cookies when the request is sent than when it was looked up',
		async ask({client}) {
			let count = 0;
			return client('items', {cookieJar: {getCookieString: async () => `sid=${++count}`, setCookie: async () => undefined}});
		},
		expected: {reason: 'changing-request', notStored: 'bypassed'},
	},
	{
		what: 'a filter leaves the response out',
		options: {filter: (_request, response) => response === undefined},
		ask: get,
		expected: {reason: 'not-stored', notStored: 'filtered'},
	},
	{
		what: 'a purge comes in between',
		async ask(setup) {
			const {cache, origin} = setup;
			const url = `${origin.url}/items`;
			const {handler} = origin;
			origin.handler = async (...parameters) => {
				await cache.delete(url);
				return handler(...parameters);
			};

			return get(setup);
		},
		expected: {reason: 'not-stored', notStored: 'invalidated'},
	},
	{
		what: 'the cache was closed',
		async ask(setup) {
			await setup.cache.close();
			return get(setup);
		},
		expected: {reason: 'not-stored', notStored: 'store-unavailable'},
	},
	{
		what: 'more bytes than `Content-Range` says',
		response: {status: 206, headers: {'cache-control': 'max-age=60', etag: '"1"', 'content-range': 'bytes 0-0/2'}, body: '01'},
		ask: async ({client}) => client('items', {headers: {range: 'bytes=0-0'}}),
		expected: {reason: 'not-stored', notStored: 'incomplete'},
	},
	{
		what: 'a body that is larger than the user allows',
		options: {maxBodySize: 1},
		ask: get,
		expected: {reason: 'not-stored', notStored: 'too-large'},
	},
	{
		what: 'nothing that is left of its time',
		options: {ttlOffset: 0},
		response: {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: '01'},
		ask: get,
		expected: {reason: 'not-stored', notStored: 'past-time-to-live'},
	},
	{
		what: 'the origin is not asked yet',
		response: {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: '01'},
		async ask(setup) {
			await get(setup);
			setup.cache.beforeOrigin(() => ({kind: 'stale', mostStaleMs: 60_000}));
			return get(setup);
		},
		expected: {reason: 'rate-limited', notStored: undefined},
	},
	{
		what: 'an equal request was on its way',
		async ask(setup) {
			const {origin} = setup;
			const arrival = Promise.withResolvers<void>();
			const answer = Promise.withResolvers<void>();
			const {handler} = origin;
			origin.handler = async (...parameters) => {
				arrival.resolve();
				await answer.promise;
				return handler(...parameters);
			};

			const first = get(setup);
			await arrival.promise;
			const second = get(setup);
			// It waits from when it has been looked up.
			while (await reads(setup) < 2) {
				await setup.redis.client.ping();
			}

			for (let round = 0; round < 20; round++) {
				await setup.redis.client.ping();
			}

			answer.resolve();
			await first;
			return second;
		},
		options: {memory: false},
		expected: {reason: 'collapsed', notStored: undefined},
	},
];

const reads = async ({redis}: Setup): Promise<number> => Number(/cmdstat_mget:calls=(?<calls>\d+)/v.exec(await redis.client.info('commandstats'))?.groups?.calls ?? 0);
