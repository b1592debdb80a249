import type {WireError} from '../api/wire.ts';

/*
Requests to the handler that has served the page. Each bears the token, which came with the address of the page and is kept for this tab.
*/

const headerName = 'x-inspector';
const storageKey = 'got-redis-cache-inspector';

/** Takes the token out of the address, so that nobody reads it there or bookmarks it. */
export const takeToken = (): void => {
	const token = /^#token=(?<token>[\w\-]+)$/v.exec(location.hash)?.groups?.token;
	if (token === undefined) {
		return;
	}

	sessionStorage.setItem(storageKey, token);
	history.replaceState(undefined, '', '#/overview');
};

/** A failure that the handler tells, or that the handler cannot be reached. */
export class ApiError extends Error {
	readonly statusCode: number;

	constructor(statusCode: number, message: string) {
		super(message);
		this.statusCode = statusCode;
	}
}

/** Parameters; of an array, each value is given. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

const request = async (method: 'GET' | 'POST', name: string, parameters: Parameters, signal?: AbortSignal): Promise<Response> => {
	const query = new URLSearchParams(Object.entries(parameters).flatMap(([key, value]) => [value ?? []].flat().map(each => [key, each])));
	const headers = {[headerName]: sessionStorage.getItem(storageKey) ?? ''};
	let response: Response;
	try {
		response = await fetch(`api/${name}?${query.toString()}`, {method, headers, signal: signal ?? null});
	} catch (error) {
		if (signal?.aborted) {
			throw error;
		}

		throw new ApiError(0, 'The inspector does not answer. Does its process still run?');
	}

	if (!response.ok) {
		const {error} = await response.json().catch(() => ({error: `${response.status} ${response.statusText}`})) as WireError;
		throw new ApiError(response.status, error);
	}

	return response;
};

export const get = async <Result>(name: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Result> => {
	const response = await request('GET', name, parameters, signal);
	return response.json() as Promise<Result>;
};

export const getBytes = async (name: string, parameters: Parameters, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> => {
	const response = await request('GET', name, parameters, signal);
	return new Uint8Array(await response.arrayBuffer());
};

export const post = async <Result>(name: string, parameters: Parameters = {}): Promise<Result> => {
	const response = await request('POST', name, parameters);
	return response.json() as Promise<Result>;
};
