import {adviceFor} from './advice.ts';

type Details = {
	readonly store: string;
	readonly code?: string | undefined;
	readonly cause: unknown;
};

/**
What went wrong with a store. The message names the package, the store and the likeliest cause; `cause` is the error as it came.
*/
export class StoreError extends Error {
	override readonly name: string = 'StoreError';

	/** Where the store is, without credentials: `'redis://localhost:6379'`. */
	readonly store: string;

	/** Of Node.js, such as `'ECONNREFUSED'`, if it is an error of the connection. */
	readonly code: string | undefined;

	/** @internal */
	constructor(message: string, {store, code, cause}: Details) {
		super(message, {cause});
		this.store = store;
		this.code = code;
	}

	/** For logs: of an error, `JSON.stringify()` keeps nothing by itself. */
	// eslint-disable-next-line @typescript-eslint/naming-convention -- JavaScript's
	toJSON(): {readonly name: string; readonly message: string; readonly code: string | undefined; readonly store: string} {
		const {name, message, code, store} = this;
		return {name, message, code, store};
	}
}

/**
The store did not answer in the time that the option `timeout` gives it.
*/
export class StoreTimeoutError extends StoreError {
	override readonly name = 'StoreTimeoutError';
}

/** An operation was given up. */
export class DeadlineError extends Error {
	/** @param address - Of the node of a cluster that it is about. */
	constructor(timeoutMs: number, address?: string) {
		super(`The store did not answer within ${timeoutMs} ms${address === undefined ? '' : `, from its node ${address}`}`);
	}
}

const codeOf = (error: Error): string | undefined => 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** A host with two addresses fails with an error for each, and no message of its own. */
const reasonOf = (error: Error): string => {
	const messages = error instanceof AggregateError && error.message === '' ? error.errors.map(each => (each as Error).message) : [error.message];
	const message = [messages.join(', '), codeOf(error)].find(Boolean) ?? error.name;

	return message.replace(/\.$/v, '');
};

/**
Makes what is told of the errors that come up: of the same one, the same each time.

@param address - Where the store is, without credentials.
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
