import type {ClientRequest} from 'node:http';
import type {HTTPError, Options, OptionsInit, Request} from 'got';
import {addCacheStatus} from '../../observe/add-cache-status.ts';
import {isAsked} from '../../observe/observed-exchange.ts';
import {abortFlight} from '../coalescing/resolve-flight.ts';
import {leaderOf} from '../coalescing/participation.ts';
import {createAsking} from '../origin/asking.ts';
import {collectBody} from '../origin/collect-body.ts';
import {interceptRequest} from '../origin/intercept-request.ts';
import {overrideEmit} from '../patches/override-emit.ts';
import {refreshInBackground} from '../refresh/refresh.ts';
import type {GotContext, Hooks} from '../state/context.ts';
import {endExchange, exchangeOf, stateOf, type GotExchange, type Watcher} from '../state/request-state.ts';
import {showCookies} from '../state/hidden-cookies.ts';
import {noteFailure, reportClosed} from '../state/report.ts';
import {passed, settleStream, type StreamResponse} from './settle-stream.ts';
import {watchSlowConsumer} from './slow-consumer.ts';

type CreateRetryStream = (options?: OptionsInit) => Request;

const watchersOf = Symbol('caches that watch a stream');

/** @returns Whether it is the first time. */
const isNew = (context: GotContext, stream: Request): boolean => {
	const watched = stream as Request & {[watchersOf]?: Set<GotContext>};
	const contexts = watched[watchersOf] ?? new Set();
	Object.defineProperty(watched, watchersOf, {value: contexts, configurable: true});

	return !contexts.has(context) && contexts.add(context).size > 0;
};

/**
Makes a stream of got's use the cache: what its hooks looked up and decided is settled here, since got gives the response of a stream to no hook.

@param hooks - The hooks of the same cache.
*/
export const watchStream = (context: GotContext, hooks: Hooks, stream: Request): void => {
	if (!isNew(context, stream)) {
		return;
	}

	const currentState = (): GotExchange | undefined => {
		const state = exchangeOf(stream.options);
		return state && hooks.beforeRequest.includes(state.owner) ? state : undefined;
	};

	const fail = (error: Error) => {
		stream.destroy(error);
	};

	const isCutShort = ({complete}: {complete?: boolean}, state: GotExchange) => stream.destroyed || stream.isAborted || complete === false || state.isCutShort === true;

	const onResponse = (response: StreamResponse) => {
		const state = currentState();
		if (!state) {
			return;
		}

		showCookies(response, state.hiddenCookies);
		const {settings} = state.exchange;
		if (isAsked(state)) {
			settleStream({context, options: stream.options, state, fail}, response, {
				collect(done) {
					const stopWatching = watchSlowConsumer(response, leaderOf(stream.options));
					collectBody(response, {maxBytes: settings.maxBodyBytes, expectedBytes: Number(response.headers['content-length'])}, body => {
						stopWatching();
						if (body !== 'too-large' && isCutShort(response, state)) {
							// Waiting requests go by the end of the stream: it fails, or was given up.
							state.settlement = passed('incomplete');
						} else {
							done(body);
						}
					});
				},
				whenWhole(done) {
					response.once('end', () => {
						if (!isCutShort(response, state)) {
							done();
						}
					});
				},
			});
		}

		refreshInBackground(context, stream.options, state);
		addCacheStatus(response, state, context.now());
	};

	/** Got emits no `'response'` where the status code is an error to the caller; it has read the body then. */
	const onError = (error: unknown) => {
		const {name, response} = (error ?? {}) as Partial<HTTPError>;
		const state = name === 'HTTPError' && response === stream.response ? currentState() : undefined;
		if (!state || !response) {
			return;
		}

		showCookies(response, state.hiddenCookies);
		if (isAsked(state) && response.rawBody !== undefined) {
			settleStream({context, options: stream.options, state, fail}, response, {
				collect(done) {
					done(state.isCutShort ? 'incomplete' : response.rawBody);
				},
				whenWhole(done) {
					if (!state.isCutShort) {
						done();
					}
				},
			});
		}

		addCacheStatus(response, state, context.now());
	};

	const watcher: Watcher = {
		isGivenUp: () => stream.destroyed,
		failure: () => stream.errored ?? undefined,
		fail(error) {
			abortFlight(stream.options, error);
			stream.destroy(error);
		},
	};

	/** Got's own cache makes its requests itself. */
	const onRequest = (request: ClientRequest) => {
		const {options} = stream;
		const state = options.cache === undefined ? undefined : currentState();
		if (state) {
			interceptRequest(createAsking(watcher, {context, options, state}), request);
		}
	};

	const close = (state: GotExchange) => {
		void reportClosed(context, stream.options, state, {statusCode: stream.response?.statusCode, bytes: stream.downloadProgress.transferred});
	};

	overrideEmit(stream, emit => (event, ...arguments_) => {
		switch (event) {
			case 'request': {
				onRequest(arguments_[0] as ClientRequest);
				break;
			}

			case 'response': {
				onResponse(arguments_[0] as StreamResponse);
				break;
			}

			case 'redirect': {
				stateOf(arguments_[0] as Options).watcher = watcher;
				break;
			}

			case 'error': {
				onError(arguments_[0]);
				noteFailure(currentState(), arguments_[0] as Error);
				break;
			}

			case 'end': {
				const state = currentState();
				if (state) {
					close(state);
				}

				break;
			}

			case 'close': {
				const state = currentState();
				if (state) {
					endExchange(context, state);
					close(state);
				}

				abortFlight(stream.options);
				break;
			}

			case 'retry': {
				const [retryCount, error, createRetryStream] = arguments_ as [number, Error, CreateRetryStream];
				onError(error);
				return emit(event, retryCount, error, ((options?: OptionsInit) => {
					const again = createRetryStream(options);
					watchStream(context, hooks, again);
					return again;
				}) satisfies CreateRetryStream);
			}

			default:
		}

		return emit(event, ...arguments_);
	});
	stateOf(stream.options).watcher = watcher;
};
