import {setTimeout as delay} from 'node:timers/promises';
import {startOrigin, type Handler, type Origin, type PlainResponse} from '../helpers/origin.ts';

/*
The API that the examples of the guide talk to, `https://api.example.com` to their readers.
*/

const json = (value: unknown, cacheControl = 'max-age=60', more: Readonly<Record<string, string>> = {}): PlainResponse => ({
	headers: {'content-type': 'application/json', 'cache-control': cacheControl, ...more},
	body: JSON.stringify(value),
});

type Ask = {
	readonly url: URL;
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	readonly method: string;
	/** How often the path has been asked for, this time included. */
	readonly count: number;
};

const routes: Record<string, (ask: Ask) => PlainResponse | Promise<PlainResponse>> = {
	'/items': () => json([]),
	/** Answers once, then fails. */
	'/flaky': ({count}) =>
		count === 1
			? {headers: {'cache-control': 'max-age=0'}, body: 'the last good answer'}
			: {status: 503, headers: {'cache-control': 'max-age=0'}, body: 'out of order'},
	/** No header field of caching at all. */
	'/plain': ({count}) => ({body: `answer ${count}`}),
	'/secret': () => ({headers: {'cache-control': 'no-store'}, body: 'secret'}),
	/** Stale at once, with a validator. */
	'/validated': ({headers}) =>
		headers['if-none-match'] === '"1"'
			? {status: 304, headers: {'cache-control': 'max-age=0', etag: '"1"'}}
			: {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'validated'},
	'/counter': ({count}) => json(count),
	'/me': ({headers}) => json({token: headers.authorization ?? null}, 'private, max-age=60'),
	'/greeting': ({headers}) => ({
		headers: {'cache-control': 'max-age=60', vary: 'accept-language'},
		body: String(headers['accept-language'] ?? '').startsWith('de') ? 'Hallo' : 'Hello',
	}),
	'/search': ({url, count}) => json({query: url.searchParams.get('q'), count}),
	'/graphql': ({count}) => json({data: {items: [], count}}),
	'/tagged': () => json([], 'max-age=60', {'cache-tag': 'items'}),
	async '/slow'() {
		await delay(20);
		return json('slow');
	},
	'/large': () => ({headers: {'cache-control': 'max-age=60'}, body: 'x'.repeat(1024 * 1024)}),
};

/** Starts the API. A path without a route of its own answers like `/items`. */
export const startExampleApi = async (): Promise<Origin> => {
	const counts = new Map<string, number>();
	const handler: Handler = async (request, response) => {
		const url = new URL(request.url, 'http://localhost');
		const count = (counts.get(url.pathname) ?? 0) + 1;
		counts.set(url.pathname, count);
		const route = routes[url.pathname] ?? routes['/items']!;
		const {status = 200, headers = {}, body = ''} = await route({url, headers: request.headers, method: request.method, count});
		response.writeHead(status, headers as Record<string, string>).end(body);
	};

	return startOrigin(handler);
};
