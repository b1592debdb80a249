/*
Parameters of a request of the page. They are in the query or in a header field, also of a POST: a body might already have been read by the server that the handler is mounted in.
*/

/** A failure that the page is told, with a status code. */
export class HttpError extends Error {
	readonly statusCode: number;

	constructor(statusCode: number, message: string) {
		super(message);
		this.statusCode = statusCode;
	}
}

/**
@throws {HttpError} If the parameter is missing or empty.
*/
export const required = (query: URLSearchParams, name: string): string => {
	const value = query.get(name);
	if (value === null || value === '') {
		throw new HttpError(400, `The parameter ${name} is missing`);
	}

	return value;
};

/** A parameter that is left out or empty is `undefined`. */
export const optional = (query: URLSearchParams, name: string): string | undefined => {
	const value = query.get(name);
	return value === null || value === '' ? undefined : value;
};

/**
@throws {HttpError} If the parameter is no whole number from `least` to `most`.
*/
export const count = (query: URLSearchParams, name: string, [least, most]: readonly [least: number, most: number], otherwise: number): number => {
	const text = optional(query, name);
	const value = Number(text ?? otherwise);
	if (!Number.isSafeInteger(value) || value < least || value > most) {
		throw new HttpError(400, `The parameter ${name} is ${text ?? ''}: expected a whole number from ${least} to ${most}`);
	}

	return value;
};
