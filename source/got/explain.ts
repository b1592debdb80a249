import type {NormalizedOptions, OptionsInit} from 'got';
import type {Asked} from '../cache/exchange.ts';
import {withOnlyIfCached} from '../http/directives.ts';
import {requestOfUser, settingsOfUser} from '../http/identity.ts';
import {checkRequest} from '../management/arguments.ts';
import {explainRequest} from '../management/explain.ts';
import type {Explanation} from '../management/explanation.ts';
import type {RequestLike} from '../management/filters.ts';
import {givenRequest} from '../options/user-functions.ts';
import type {GotContext} from './state/context.ts';
import {gotModule} from './state/got-module.ts';
import type {GotOptions} from './state/got-options.ts';
import {contentOf, requestHead} from './state/request.ts';

class StopError extends Error {}

/** The options of plain got for a request that is asked about: got adds its own header fields, and encodes the content. */
const optionsFor = ({method = 'GET', headers, body, json, form}: RequestLike): OptionsInit => ({
	method,
	headers: headers as OptionsInit['headers'],
	...body !== undefined && {body},
	...json !== undefined && {json},
	...form !== undefined && {form},
	allowGetBody: true,
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

	const asking = gotModule.default(request.url, {...optionsFor(request), hooks: {beforeRequest: [beforeRequest]}});

	return Promise.race([promise, asking.then(async () => promise)]);
};

/** The request as the hooks of the cache would see it, if the functions `user` and `key` said what is given. */
const askedFor = async ({settings}: GotContext, request: RequestLike): Promise<Asked> => {
	const options = await normalize(request);
	const sent = requestHead(options);
	const head = settings.request.isOnlyIfCached ? withOnlyIfCached(sent) : sent;
	const content = contentOf(options) ?? {body: undefined, isEncoded: false};
	const given = givenRequest(head, options as unknown as NormalizedOptions, content.body);
	const keyInput = {...content, extra: request.key, user: request.user};

	return request.user === undefined
		? {request: {...head, given}, settings: settings.request, keyInput}
		: {request: {...requestOfUser(head), given}, settings: {...settings.request, http: settingsOfUser(settings.request.http)}, keyInput};
};

export const explain = async (context: GotContext, given: string | URL | RequestLike): Promise<Explanation> => {
	const request = checkRequest(given, 'explain()', context.settings);

	return explainRequest(context, await askedFor(context, request));
};
