import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import type {ClientRequest} from 'node:http';
import type {NormalizedOptions, OptionsInit, Response} from 'got';
import type {Asked} from '../cache/exchange.ts';
import {withOnlyIfCached} from '../http/directives.ts';
import {requestOfUser, settingsOfUser} from '../http/identity.ts';
import {isSafe} from '../http/invalidation.ts';
import {checkFlag} from '../management/arguments.ts';
import {explainRequest, type ExplainSources} from '../management/explain.ts';
import type {Explanation} from '../management/explanation.ts';
import type {RequestLike} from '../management/filters.ts';
import type {OriginAnswer} from '../management/judge.ts';
import {checkRequest} from '../management/request-arguments.ts';
import type {RequestCacheOptions} from '../options/options.ts';
import {resolveRequestOptions} from '../options/resolve-options.ts';
import {givenRequest} from '../options/user-functions.ts';
import {describe} from '../options/validate.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {GotContext} from './state/context.ts';
import {gotModule} from './state/got-module.ts';
import type {GotOptions} from './state/got-options.ts';
import {contentOf, requestHead} from './state/request.ts';
import {responseHead} from './state/response-head.ts';

const {default: got} = gotModule;

class StopError extends Error {}

const hasContent = ({body, json, form}: Pick<RequestLike, 'body' | 'json' | 'form'>): boolean => [body, json, form].some(each => each !== undefined);

/** The options of plain got for a request that is asked about: got adds its own header fields, and encodes the content. */
const optionsFor = ({method = 'GET', headers, body, json, form}: RequestLike): OptionsInit => ({
	method,
	headers: headers as OptionsInit['headers'],
	...body !== undefined && {body},
	...json !== undefined && {json},
	...form !== undefined && {form},
	allowGetBody: hasContent({body, json, form}),
	enableUnixSockets: true,
	retry: {limit: 0},
});

/**
The options that got would send a request with. The request is not sent.

@throws What got throws for a request that it refuses.
*/
const normalize = async (request: RequestLike): Promise<GotOptions> => {
	const {promise, resolve} = Promise.withResolvers<GotOptions>();
	const stop = new StopError('The request is not sent.');
	const beforeRequest = (options: NormalizedOptions) => {
		resolve(options);
		throw stop;
	};

	const asking = got(request.url, {...optionsFor(request), hooks: {beforeRequest: [beforeRequest]}});

	return Promise.race([promise, asking.then(async () => promise)]);
};

/** The request as the hooks of the cache would see it, if the functions `user` and `key` said what is given. */
const askedFor = async (context: GotContext, request: RequestLike, cacheOptions: RequestCacheOptions | false | undefined): Promise<Asked> => {
	const settings = cacheOptions === undefined ? context.settings.request : resolveRequestOptions(context.options, cacheOptions);
	const options = await normalize(request);
	const sent = requestHead(options);
	const head = settings.isOnlyIfCached ? withOnlyIfCached(sent) : sent;
	const content = contentOf(options) ?? {body: undefined, isEncoded: false};
	const given = givenRequest(head, options as unknown as NormalizedOptions, content.body);
	const keyInput = {...content, extra: request.key, user: request.user};

	return request.user === undefined
		? {request: {...head, given}, settings, keyInput}
		: {request: {...requestOfUser(head), given}, settings: {...settings, http: settingsOfUser(settings.http)}, keyInput};
};

/** No origin is waited for longer. */
const patienceMs = 30_000;

const contentEncodingOf = ({rawHeaders}: Pick<Response, 'rawHeaders'>): string | undefined => {
	const position = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-encoding');

	return position === -1 ? undefined : rawHeaders[position + 1];
};

/** The content of a response, unless there is more of it than is ever stored. */
const readBody = async (chunks: AsyncIterable<Uint8Array>, mostBytes: number): Promise<Uint8Array | 'too-large'> => {
	const read: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of chunks) {
		bytes += chunk.byteLength;
		if (bytes > mostBytes) {
			return 'too-large';
		}

		read.push(chunk);
	}

	return Buffer.concat(read);
};

/** Asks the origin by plain got: once, past every cache, and without following a redirect. A body that is too large to be stored is not read to its end. */
const askOrigin = async ({now, settings, store}: GotContext, request: RequestLike): Promise<OriginAnswer> => {
	const requestTimeMs = now();
	let sentMonoMs = ownTimers.now();
	const end = () => ({requestTimeMs, durationMs: ownTimers.now() - sentMonoMs});
	const mostBytes = Math.min(settings.request.maxBodyBytes, store.mostBodyBytes);
	const stream = got.stream(request.url, {...optionsFor(request), throwHttpErrors: false, followRedirect: false, timeout: {request: patienceMs}});
	// The first request of a process is slow to begin, which is not the origin's time.
	stream.once('request', (native: ClientRequest) => {
		native.once('finish', () => {
			sentMonoMs = ownTimers.now();
		});
	});
	if (!hasContent(request) && !['GET', 'HEAD'].includes(stream.options.method)) {
		stream.end();
	}

	try {
		const [response] = await once(stream, 'response') as [Response];
		const body = await readBody(stream, mostBytes);

		return {...end(), response: responseHead(response), body, contentEncoding: contentEncodingOf(response)};
	} catch (error) {
		return {...end(), error: error instanceof Error ? error.message : String(error)};
	} finally {
		stream.destroy();
	}
};

/** A request that may change something is not sent for a question. */
const refuseUnsafe = ({method = 'GET'}: RequestLike, {settings}: GotContext): void => {
	const name = method.toUpperCase();
	if (!isSafe(name) && !settings.request.http.methods.has(name)) {
		throw new TypeError(
			`The option \`ask\` in explain() would send a ${name} request, which may change something: leave it out, or add the method to the option \`methods\` if such requests only read`,
		);
	}
};

/** The options of `cache.explain()`. */
export type ExplainOptions = {
	/** Whether the origin is asked, past the cache, and its response judged. Default: `false`. */
	readonly ask?: boolean | undefined;

	/** The options that the request has in `context.cache`; `false` if the cache is left out. Default: none. */
	readonly cache?: RequestCacheOptions | false | undefined;
};

const checkExplainOptions = (options: ExplainOptions | undefined): ExplainOptions => {
	if (options !== undefined && (typeof options !== 'object' || options === null)) {
		throw new TypeError(`Expected an object such as {ask: true} in explain(), got ${describe(options)}`);
	}

	return options ?? {};
};

export const explain = async (
	context: GotContext,
	given: string | URL | RequestLike,
	options: ExplainOptions | undefined,
	refusalsOfFleet: ExplainSources['refusalsOfFleet'],
): Promise<Explanation> => {
	const request = checkRequest(given, 'explain()', context.settings);
	const {cache, ...flags} = checkExplainOptions(options);
	const {ask = false} = checkFlag(flags, 'ask', 'explain()');
	if (ask) {
		refuseUnsafe(request, context);
	}

	return explainRequest(context, await askedFor(context, request, cache), {
		askOrigin: ask ? async () => askOrigin(context, request) : undefined,
		refusalsOfFleet,
	});
};
