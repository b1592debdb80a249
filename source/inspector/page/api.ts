import type {WireError} from '../api/wire.ts';

/*
Requests to the handler that has served the page. Each bears the token, which came with the address of the page and is kept for this tab.
*/

const headerName = 'x-inspector';
const tokenHint = 'A link that is opened in a new tab does not take the token along.';
const parametersName = 'x-inspector-parameters';
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

/** A message about an argument of a function, for the person who has filled in a form. */
const forForms = (message: string): string =>
	message.replaceAll('`', '').replace(/Expected the (?:property|option) (?<name>\w+) in \w+\(\) to be/v, 'Expected the $<name> to be');

/** Parameters; of an array, each value is given. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

type Call = {
	readonly method: 'GET' | 'POST';
	readonly name: string;
	readonly parameters: Parameters;
	/** Whether the parameters may be credentials, which do not belong into a URL: servers in front log it. */
	readonly isPrivate?: boolean;
};

const request = async ({method, name, parameters, isPrivate = false}: Call, signal?: AbortSignal): Promise<Response> => {
	const query = new URLSearchParams(Object.entries(parameters).flatMap(([key, value]) => [value ?? []].flat().map(each => [key, each]))).toString();
	const headers = {[headerName]: sessionStorage.getItem(storageKey) ?? '', ...isPrivate && {[parametersName]: query}};
	let response: Response;
	try {
		response = await fetch(isPrivate ? `api/${name}` : `api/${name}?${query}`, {method, headers, signal: signal ?? null});
	} catch (error) {
		if (signal?.aborted) {
			throw error;
		}

		throw new ApiError(0, 'The inspector does not answer. Does its process still run?');
	}

	if (!response.ok) {
		const {error} = await response.json().catch(() => ({error: `${response.status} ${response.statusText}`})) as WireError;
		throw new ApiError(response.status, response.status === 401 ? `${error}. ${tokenHint}` : forForms(error));
	}

	return response;
};

export const get = async <Result>(name: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Result> => {
	const response = await request({method: 'GET', name, parameters}, signal);
	return response.json() as Promise<Result>;
};

export const getBytes = async (name: string, parameters: Parameters, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> => {
	const response = await request({method: 'GET', name, parameters}, signal);
	return new Uint8Array(await response.arrayBuffer());
};

/** Asks with parameters that stay out of the URL. */
export const ask = async <Result>(name: string, parameters: Parameters, signal?: AbortSignal): Promise<Result> => {
	const response = await request({method: 'POST', name, parameters, isPrivate: true}, signal);
	return response.json() as Promise<Result>;
};

export const post = async <Result>(name: string, parameters: Parameters = {}): Promise<Result> => {
	const response = await request({method: 'POST', name, parameters});
	return response.json() as Promise<Result>;
};
