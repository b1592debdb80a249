import {request as send, type IncomingHttpHeaders, type IncomingMessage} from 'node:http';
import {text} from 'node:stream/consumers';
import {once} from 'node:events';
import {setUp, type Setup} from '../got/helpers.ts';
import {startInspector, type Inspector} from '../../source/inspector.ts';
import type {RedisCacheOptions} from '../../source/index.ts';

export type Answer = {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
};

export type AskOptions = {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string | undefined>>;
};

/** Sends a request as it is: the path is not normalised, and any `Host` may be given. */
export const ask = async (base: string, path: string, {method = 'GET', headers = {}}: AskOptions = {}): Promise<Answer> => {
	const {hostname, port} = new URL(base);
	const given = Object.fromEntries(Object.entries(headers).filter((field): field is [string, string] => field[1] !== undefined));
	const request = send({hostname, port, path, method, headers: given, agent: false});
	request.end();
	const [response] = await once(request, 'response') as [IncomingMessage];

	return {status: response.statusCode ?? 0, headers: response.headers, body: await text(response)};
};

export const tokenOf = ({url}: Inspector): string => new URL(url).hash.replace('#token=', '');

export type InspectorSetup = Setup & {
	readonly inspector: Inspector;
	readonly token: string;
	/** Asks the inspector, with the token if no other header field of that name is given. */
	readonly ask: (path: string, options?: AskOptions) => Promise<Answer>;
	/** The same, with the answer as JSON. */
	readonly json: <Result>(path: string, options?: AskOptions) => Promise<Result>;
};

/** A cache on a Redis and in front of an origin of the test's own, with an inspector. */
export const setUpInspector = async (options: RedisCacheOptions = {}): Promise<InspectorSetup> => {
	const setup = await setUp(options);
	const inspector = await startInspector({cache: setup.cache});
	const token = tokenOf(inspector);
	const askInspector = async (path: string, {method, headers}: AskOptions = {}) => ask(inspector.url, path, {...method !== undefined && {method}, headers: {'x-inspector': token, ...headers}});

	return {
		...setup,
		inspector,
		token,
		ask: askInspector,
		async json<Result>(path: string, askOptions?: AskOptions) {
			const {body} = await askInspector(path, askOptions);
			return JSON.parse(body) as Result;
		},
		async [Symbol.asyncDispose]() {
			await inspector.close();
			await setup[Symbol.asyncDispose]();
		},
	};
};
