/*
A client for GraphQL: queries are cached for a minute, mutations go to the origin and purge.
*/
import process from 'node:process';
import got from 'got';
import {redisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';

/** No mutations, no batches. */
const isQuery = (body = ''): boolean => {
	try {
		const {query} = JSON.parse(body) as {readonly query?: unknown};

		return typeof query === 'string' && !/\b(?:mutation|subscription)\b/v.test(query);
	} catch {
		return false;
	}
};

const cache = redisCache({
	methods: ['POST'],
	expireAfter: '1m',
	filter: ({body}, response) => isQuery(body) && !response?.body.includes('"errors"'),
});
const client = got.extend(cache, {context: {cache: {tags: ['graphql']}}});

const query = async (text: string, variables: Readonly<Record<string, unknown>> = {}) => {
	const {isFromCache} = await client.post(`${api}/graphql`, {json: {query: text, variables}});

	return isFromCache;
};

const mutate = async (text: string) => {
	await client.post(`${api}/graphql`, {json: {query: text}});
	await cache.invalidate({tag: 'graphql'});
};

console.log(await query('{items}'), await query('{items}'), await query('{items}', {first: 10}));
//=> false true false

await mutate('mutation {addItem}');

console.log(await query('{items}'));
//=> false
