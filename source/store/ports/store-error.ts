import {durationInWords} from '../../types/duration.ts';
import {adviceFor} from './advice.ts';

type Details = {
	readonly store: string;
	readonly code?: string | undefined;
	readonly cause: unknown;
};

/**
An error of the store. The message names the package, the store and the likeliest cause; `cause` is the original error.
*/
export class StoreError extends Error {
	/** `'StoreError'`, or `'StoreTimeoutError'`. */
	override readonly name: string = 'StoreError';

	/** The address of the store, without credentials: `'redis://localhost:6379'`. */
	readonly store: string;

	/** The code from Node.js, such as `'ECONNREFUSED'`, if the connection failed. */
	readonly code: string | undefined;

	/** @internal */
	constructor(message: string, {store, code, cause}: Details) {
		super(message, {cause});
		this.store = store;
		this.code = code;
	}

	/** The form for logs: `JSON.stringify()` would keep nothing of an error. */
	// eslint-disable-next-line @typescript-eslint/naming-convention -- JavaScript's
	toJSON(): Pick<StoreError, 'name' | 'message' | 'code' | 'store'> {
		const {name, message, code, store} = this;
		return {name, message, code, store};
	}
}

/**
The store did not answer within the option `timeout`.
*/
export class StoreTimeoutError extends StoreError {
	/** The name tells it from other errors, also across copies of this package. */
	override readonly name = 'StoreTimeoutError';
}

/** The error of an operation that exceeded its deadline. */
export class DeadlineError extends Error {
	/** @param address - The address of the cluster node concerned. */
	constructor(timeoutMs: number, address?: string) {
		super(`The store did not answer within ${durationInWords(timeoutMs)}${address === undefined ? '' : `, from its node ${address}`}`);
	}
}

const codeOf = (error: Error): string | undefined => 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** A host with two addresses fails with one error for each, and no message of its own. */
const reasonOf = (error: Error): string => {
	const messages = error instanceof AggregateError && error.message === '' ? error.errors.map(each => (each as Error).message) : [error.message];
	const message = [messages.join(', '), codeOf(error)].find(Boolean) ?? error.name;

	return message.replace(/\.$/v, '');
};

/**
Creates the function that turns errors into `StoreError`s: the same error gives the same object.

@param address - The store's address, without credentials.
*/
export const storeErrors = (address: () => string): ((error: Error) => StoreError) => {
	const told = new WeakMap<Error, StoreError>();

	const toStoreError = (error: Error): StoreError => {
		const store = address();
		const advice = adviceFor(error, store);
		const message = `got-redis-cache: ${reasonOf(error)} (store: ${store})${advice === undefined ? '' : `. ${advice}`}`;
		const details = {store, code: codeOf(error), cause: error};

		return error instanceof DeadlineError ? new StoreTimeoutError(message, details) : new StoreError(message, details);
	};

	return error => {
		const known = told.get(error) ?? toStoreError(error);
		told.set(error, known);
		return known;
	};
};

/** The message of an error, without the name of the package, for a message that begins with it. */
export const messageOf = ({message}: Error): string => message.replace(/^got-redis-cache: /v, '');
