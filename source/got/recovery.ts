import type {RequestError} from 'got';
import type {GotOptions} from './context.ts';

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

const recoveries = new WeakMap<CalculateDelay, Recovery>();

/**
Lets the cache take over from an attempt that failed. Got offers a way back from an error in one place only, the retry: so the attempt is "retried" at once, whatever the retry options say, and without the user's `beforeRetry` hooks, as nothing is tried again that they know of. All that got and the user's hooks do with a response then happens as ever.

@param answerFor - What the next attempt is to take, if the cache takes over from this error.
@param answering - The hooks that make the next request, where the cache itself answers it: nothing is to be prepared by the user's then.
*/
export const prepareRecovery = (options: GotOptions, answerFor: (error: RequestError) => unknown, answering?: GotOptions['hooks']['beforeRequest']): void => {
	takeRecovery(options);
	const retry = options.retry as Retry;
	const {calculateDelay, enforceRetryRules} = retry;
	const recovery: Recovery = {retry: {calculateDelay, enforceRetryRules}, hooks: {}, answer: undefined};

	const calculate: CalculateDelay = async retryObject => {
		recovery.answer = answerFor(retryObject.error);
		if (recovery.answer !== undefined) {
			const {beforeRequest, beforeRetry} = options.hooks;
			recovery.hooks = {beforeRequest, beforeRetry};
			Object.assign(options.hooks, {beforeRequest: answering ?? beforeRequest, beforeRetry: []});

			return 1;
		}

		Object.assign(retry, recovery.retry);
		if (calculateDelay === undefined || (enforceRetryRules && retryObject.computedValue === 0)) {
			return retryObject.computedValue;
		}

		return calculateDelay(retryObject);
	};

	recoveries.set(calculate, recovery);
	Object.assign(retry, {calculateDelay: calculate, enforceRetryRules: false});
};

/**
Gives the user's retry options and hooks back.

@returns What the attempt before left for this one, if the cache takes over.
*/
export const takeRecovery = (options: GotOptions): unknown => {
	const retry = options.retry as Retry;
	const recovery = retry.calculateDelay && recoveries.get(retry.calculateDelay);
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
