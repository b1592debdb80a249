import {Buffer} from 'node:buffer';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {RedisCache} from '../index.ts';
import {HttpError} from './api/request.ts';
import {createRoutes} from './api/routes.ts';
import type {WireError} from './api/wire.ts';
import {readAssets, type Asset} from './assets.ts';
import {createTokenCheck, headerName, isSameOrigin, parametersName, setSecurityHeaders} from './security.ts';

export type HandlerOptions = {
	readonly cache: RedisCache;
	/** The path below which the page lies, without a slash at its end. By default that of Express, or none. */
	readonly basePath?: string | undefined;
	/** Whether nothing may be purged or switched. */
	readonly isReadOnly?: boolean | undefined;
	/** The token that each request for data has to bear. */
	readonly token?: string | undefined;
	/** Whether a `Host` is one of this server's. Any other may be a name that somebody else has pointed to it. */
	readonly isOwnHost?: ((host: string | undefined) => boolean) | undefined;
};

/** A request listener, as `http.createServer()` and the routers of Express and Fastify take it. */
export type InspectorHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Express cuts the path that a handler is mounted at off the URL, and keeps both. */
type MountedRequest = IncomingMessage & {
	readonly originalUrl?: string;
	readonly baseUrl?: string;
};

const urlOf = ({originalUrl, url}: MountedRequest): string => originalUrl ?? url ?? '';

const pathOf = (request: MountedRequest): string => urlOf(request).split('?', 1)[0] ?? '';

/** The path below the base path, with its slash at the beginning. */
const targetOf = (request: MountedRequest, basePath = request.baseUrl ?? ''): {readonly path: string; readonly query: URLSearchParams} | undefined => {
	const path = pathOf(request);
	const rest = path.slice(basePath.length);
	const query = new URLSearchParams(urlOf(request).slice(path.length));
	return path.startsWith(basePath) && (rest === '' || rest.startsWith('/')) ? {path: rest, query} : undefined;
};

/** Parameters that may be credentials come in a header field: it is in no access log, and no parser of bodies has read it before. */
const parametersOf = ({headers}: IncomingMessage, query: URLSearchParams): URLSearchParams => {
	const given = headers[parametersName];
	return typeof given === 'string' ? new URLSearchParams(given) : query;
};

const send = (response: ServerResponse, statusCode: number, {type, bytes}: Asset): void => {
	response.writeHead(statusCode, {'content-type': type, 'content-length': bytes.length});
	response.end(bytes);
};

const sendJson = (response: ServerResponse, statusCode: number, value: unknown): void => {
	send(response, statusCode, {type: 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(value))});
};

const refuse = (response: ServerResponse, statusCode: number, error: string): void => {
	sendJson(response, statusCode, {error} satisfies WireError);
};

const refuseMethod = (response: ServerResponse, allowed: string): void => {
	response.setHeader('allow', allowed);
	refuse(response, 405, `Only ${allowed} is possible here`);
};

/** A `TypeError` of the cache is about what was given. */
const statusCodeOf = (error: unknown): number => error instanceof HttpError ? error.statusCode : (error instanceof TypeError ? 400 : 500);

export const createHandler = ({cache, basePath, isReadOnly = false, token, isOwnHost}: HandlerOptions): InspectorHandler => {
	const routes = createRoutes(cache, isReadOnly);
	const hasToken = createTokenCheck(token);
	let assets: ReadonlyMap<string, Asset> | undefined;

	const answerRoute = async (request: IncomingMessage, response: ServerResponse, name: string, query: URLSearchParams): Promise<void> => {
		if (!hasToken(request)) {
			refuse(
				response,
				401,
				token === undefined
					? `The header field ${headerName} is missing`
					: 'The token is missing or wrong: open the address that was printed when the inspector was started',
			);
			return;
		}

		if (!isSameOrigin(request)) {
			refuse(response, 403, 'This request comes from another page');
			return;
		}

		const route = routes.get(name);
		if (!route) {
			refuse(response, 404, 'There is nothing here');
		} else if (isReadOnly && route.method === 'POST' && !route.isReading) {
			refuse(response, 403, 'This inspector is read-only');
		} else if (route.method === request.method) {
			const result = await route.run(parametersOf(request, query));
			if (result instanceof Uint8Array) {
				response.setHeader('content-disposition', 'attachment');
				send(response, 200, {type: 'application/octet-stream', bytes: result});
			} else {
				sendJson(response, 200, result);
			}
		} else {
			refuseMethod(response, route.method);
		}
	};

	const answerAsset = (request: IncomingMessage, response: ServerResponse, name: string): void => {
		assets ??= readAssets();
		const asset = assets.get(name);
		if (!asset) {
			refuse(response, 404, 'There is nothing here');
		} else if (request.method === 'GET' || request.method === 'HEAD') {
			send(response, 200, asset);
		} else {
			refuseMethod(response, 'GET, HEAD');
		}
	};

	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		setSecurityHeaders(response);
		if (isOwnHost && !isOwnHost(request.headers.host)) {
			refuse(response, 421, 'The host is not that of the inspector: open the address that was printed when it was started');
			return;
		}

		const target = targetOf(request, basePath);
		if (!target) {
			refuse(response, 404, 'There is nothing here: the option basePath of inspectorHandler() has to be the path that it is mounted at');
		} else if (target.path === '') {
			// The addresses in the page are relative to its own.
			response.writeHead(308, {location: `./${pathOf(request).split('/').at(-1) ?? ''}/`});
			response.end();
		} else if (target.path.startsWith('/api/')) {
			await answerRoute(request, response, target.path.slice('/api/'.length), target.query);
		} else {
			answerAsset(request, response, target.path === '/' ? 'index.html' : target.path.slice(1));
		}
	};

	return (request, response) => {
		void (async () => {
			try {
				await answer(request, response);
			} catch (error) {
				if (!response.headersSent) {
					refuse(response, statusCodeOf(error), error instanceof Error ? error.message : String(error));
				}
			}
		})();
	};
};
