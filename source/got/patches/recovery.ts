import type {RequestError} from 'got';
import type {GotOptions} from '../state/got-options.ts';

type CalculateDelay = NonNullable<GotOptions['retry']['calculateDelay']>;

type Retry = {
	calculateDelay?: CalculateDelay;
	enforceRetryRules?: boolean;
};

type Recovery = {
	readonly retry: Readonly<Retry>;
	hooks: Partial<GotOptions['hooks']>;
	answer: unknown;
};

type RecoveryOptions = {
	/** The hooks that make the next request, where the cache itself answers it: nothing is to be prepared by the user's then. */
	readonly answering?: GotOptions['hooks']['beforeRequest'];
	/** The cache takes over when nothing is retried any more. */
	readonly retriesFirst?: boolean;
};

const recoveryOf = Symbol('recovery');

/**
Lets the cache take over from an attempt that failed, before it is retried or when it is not. Got offers a way back from an error in one place only, the retry: so the attempt is "retried" at once, whatever the retry options say, and without the user's `beforeRetry` hooks, as nothing is tried again that they know of. All that got and the user's hooks do with a response then happens as ever.

@param answerFor - Returns the state for the next attempt if the cache takes over from this error.
*/
export const prepareRecovery = (options: GotOptions, answerFor: (error: RequestError) => unknown, {answering, retriesFirst = false}: RecoveryOptions = {}): void => {
	takeRecovery(options);
	const retry = options.retry as Retry;
	const {calculateDelay, enforceRetryRules} = retry;
	const recovery: Recovery = {retry: {calculateDelay, enforceRetryRules}, hooks: {}, answer: undefined};

	const usersDelay: CalculateDelay = retryObject => calculateDelay === undefined || (enforceRetryRules && retryObject.computedValue === 0) ? retryObject.computedValue : calculateDelay(retryObject);

	const calculate: CalculateDelay = async retryObject => {
		Object.assign(retry, recovery.retry);
		const delayMs = retriesFirst ? await usersDelay(retryObject) : 0;
		if (delayMs > 0) {
			return delayMs;
		}

		recovery.answer = answerFor(retryObject.error);
		if (recovery.answer === undefined) {
			return retriesFirst ? 0 : usersDelay(retryObject);
		}

		const {beforeRequest, beforeRetry} = options.hooks;
		recovery.hooks = {beforeRequest, beforeRetry};
		Object.assign(options.hooks, {beforeRequest: answering ?? beforeRequest, beforeRetry: []});
		Object.assign(retry, taken);

		return 1;
	};

	const taken: Retry = {calculateDelay: calculate, enforceRetryRules: false};
	Object.assign(calculate, {[recoveryOf]: recovery});
	Object.assign(retry, taken);
};

/**
Gives the user's retry options and hooks back.

@returns The state that the attempt before left for this one, if the cache takes over.
*/
export const takeRecovery = (options: GotOptions): unknown => {
	const retry = options.retry as Retry;
	const recovery = (retry.calculateDelay as Partial<Record<typeof recoveryOf, Recovery>> | undefined)?.[recoveryOf];
	if (!recovery) {
		return undefined;
	}

	Object.assign(retry, recovery.retry);
	for (const [name, hooks] of Object.entries(recovery.hooks)) {
		// The attempt before and this one have arrays of their own.
		Object.assign(options.hooks, {[name]: [...hooks]});
	}

	return recovery.answer;
};
