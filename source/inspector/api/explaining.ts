import type {RedisCache} from '../../index.ts';
import {HttpError, optional, required} from './request.ts';
import {explanationToWire} from './to-wire.ts';
import type {WireExplanation} from './wire.ts';

/** Header fields, from lines such as `accept-language: de`. */
const headersOf = (lines: readonly string[]): Record<string, string> => Object.fromEntries(lines.map(line => {
	const [name = '', ...rest] = line.split(':');
	if (name.trim() === '' || rest.length === 0) {
		throw new HttpError(400, `The header field is ${line}: expected a name, a colon and a value, such as accept-language: de`);
	}

	return [name.trim().toLowerCase(), rest.join(':').trim()];
}));

const parse = (json: string): unknown => {
	try {
		return JSON.parse(json) as unknown;
	} catch (error) {
		throw new HttpError(400, `The content is no JSON (${(error as Error).message})`);
	}
};

/** Says what the cache would do with the request that the parameters `url`, `method`, `header`, `user`, `key` and `json` describe. */
export const explain = async (cache: RedisCache, query: URLSearchParams): Promise<WireExplanation> => {
	const headers = headersOf(query.getAll('header').filter(line => line.trim() !== ''));
	const [user, key] = [optional(query, 'user'), optional(query, 'key')];
	const json = optional(query, 'json');
	const explanation = await cache.explain({
		url: required(query, 'url'),
		method: optional(query, 'method') ?? 'GET',
		headers,
		...user !== undefined && {user},
		...key !== undefined && {key},
		...json !== undefined && {json: parse(json)},
	});

	return explanationToWire(explanation, Date.now());
};
