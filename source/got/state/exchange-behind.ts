import type {PlainResponse, RequestError} from 'got';
import {exchangeOf, type GotExchange} from './request-state.ts';
import {unmadeOf} from './lazy-property.ts';

/** What a response came of, whichever way it took. */
export const exchangeBehind = (response: PlainResponse): GotExchange | undefined => unmadeOf(response)?.state ?? exchangeOf(response.request.options);

/** What an error came of; `undefined` where it has no request, or one of which no cache ever heard. */
export const exchangeBehindError = (error: Error): GotExchange | undefined => {
	const {request} = error as Partial<RequestError>;

	return request?.options && exchangeOf(request.options);
};

/** Whether it is got's, with a cache or without. */
export const isResponse = (value: unknown): value is PlainResponse =>
	typeof value === 'object' && value !== null && (unmadeOf(value as PlainResponse) !== undefined || (value as Partial<PlainResponse>).request !== undefined);
