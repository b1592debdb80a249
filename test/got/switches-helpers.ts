import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import type {Origin} from '../helpers/origin.ts';
import {setUp} from './helpers.ts';

/** Counts its answers, so that a body tells when it was made. */
export const serve = (origin: Origin, headers: Record<string, string> = {}) => {
	let count = 0;
	origin.handler = ({method}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': 'items', ...headers});
		response.end(method === 'HEAD' ? '' : String(++count));
	};
};

export const setUpServing = async (options: RedisCacheOptions = {}, headers?: Record<string, string>) => {
	const setup = await setUp({tagField: 'cache-tag', ...options});
	serve(setup.origin, headers);

	/** What came of a request, in short: `hit fresh 1`. */
	const ask = async (url: string, more: Record<string, unknown> = {}, client = setup.client): Promise<string> => {
		const response = await client(url, {throwHttpErrors: false, ...more});
		const {status, reason} = cacheInfo(response) ?? {};
		return `${status} ${reason} ${response.statusCode === 200 ? response.body : response.statusCode}`;
	};

	return {...setup, ask};
};

/** Asks until the answer is the expected one: a process hears of a switch together with, or just after, the one that set it. */
export const askUntil = async (ask: () => Promise<string>, expected: string): Promise<void> => {
	let answer = await ask();
	while (answer !== expected) {
		answer = await ask();
	}
};
