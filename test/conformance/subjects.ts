/**
The caches that the suite is run on, each by its name.
*/
import got, {type ExtendOptions} from 'got';
import {Agent, interceptors} from 'undici';
import {fetchWithGot, fetchWithUndici} from './clients.ts';
import type {Audience, SuiteFetch} from './suite.ts';

export type Subject = {
	readonly name: string;
	readonly isPeer: boolean;
	readonly audience: Audience;
	open(redisUrl: string): Promise<SuiteFetch>;
};

type Store = 'memory' | 'redis';

const redisCacheSubject = (store: Store, audience: Audience): Subject => ({
	name: `${audience}, ${store === 'redis' ? 'Redis' : 'in memory'}`,
	isPeer: false,
	audience,
	async open(redisUrl) {
		const {redisCache} = await import('../../source/index.ts');
		return fetchWithGot(got.extend(redisCache({
			store: store === 'redis' ? redisUrl : 'memory',
			namespace: audience,
			shared: audience === 'shared',
			targets: ['cdn-cache-control'],
			// What a busy machine delays would count as a miss. It is asked what the cache does, not how fast.
			timeout: '10s',
		})));
	},
});

const peer = (name: string, open: () => SuiteFetch): Subject => ({
	name,
	isPeer: true,
	audience: 'shared',
	open: async () => open(),
});

const gotWith = (options: ExtendOptions) => fetchWithGot(got.extend(options));

export const subjects: readonly Subject[] = [
	redisCacheSubject('memory', 'shared'),
	redisCacheSubject('redis', 'shared'),
	redisCacheSubject('memory', 'private'),
	redisCacheSubject('redis', 'private'),
	peer('undici, interceptors.cache', () => fetchWithUndici(new Agent().compose(interceptors.cache({type: 'shared'})))),
	peer('got, cache option', () => gotWith({cache: new Map()})),
	peer('got, no cache', () => gotWith({})),
];

export const subjectNamed = (name: string): Subject => {
	const named = subjects.find(subject => subject.name === name);
	if (!named) {
		throw new Error(`No such cache: ${name}. There are: ${subjects.map(subject => subject.name).join('; ')}`);
	}

	return named;
};
