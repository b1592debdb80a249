import type {PlainResponse, RequestError} from 'got';
import {exchangeOf, type GotExchange} from './request-state.ts';
import {unmadeOf} from './lazy-property.ts';

/** The exchange that led to a response, on the ordinary way or the fast path. */
export const exchangeBehind = (response: PlainResponse): GotExchange | undefined => unmadeOf(response)?.state ?? exchangeOf(response.request.options);

/** The exchange that led to an error; `undefined` if the error has no request, or one that no cache has seen. */
export const exchangeBehindError = (error: Error): GotExchange | undefined => {
	const {request} = error as Partial<RequestError>;

	return request?.options && exchangeOf(request.options);
};

/** Whether it is got's, with a cache or without. */
export const isResponse = (value: unknown): value is PlainResponse =>
	typeof value === 'object' && value !== null && (unmadeOf(value as PlainResponse) !== undefined || (value as Partial<PlainResponse>).request !== undefined);
