import type {RequestError} from 'got';
import type {GotOptions} from './context.ts';

type CalculateDelay = NonNullable<GotOptions['retry']['calculateDelay']>;

type Retry = {
	calculateDelay?: CalculateDelay;
	enforceRetryRules?: boolean;
};

type Recovery = {
	readonly given: Readonly<Retry>;
	answer: unknown;
};

const recoveries = new WeakMap<CalculateDelay, Recovery>();

/**
Lets a stale response stand in for a network error. Got offers a way back from an error in one place only, the retry: so the attempt is "retried" at once, whatever the retry options say, and the cache answers in place of the origin. All that got and the user's hooks do with a response then happens as ever.

@param answerFor - The answer to give, if the error is of the kind that allows it.
*/
export const prepareRecovery = (options: GotOptions, answerFor: (error: RequestError) => unknown): void => {
	const retry = options.retry as Retry;
	const {calculateDelay, enforceRetryRules} = retry;
	const recovery: Recovery = {given: {calculateDelay, enforceRetryRules}, answer: undefined};

	const calculate: CalculateDelay = async retryObject => {
		recovery.answer = answerFor(retryObject.error);
		if (recovery.answer !== undefined) {
			return 1;
		}

		if (calculateDelay === undefined || (enforceRetryRules && retryObject.computedValue === 0)) {
			return retryObject.computedValue;
		}

		return calculateDelay(retryObject);
	};

	recoveries.set(calculate, recovery);
	Object.assign(retry, {calculateDelay: calculate, enforceRetryRules: false});
};

/**
Gives the user's retry options back.

@returns The answer that the attempt before settled for, if it did.
*/
export const takeRecovery = (options: GotOptions): unknown => {
	const retry = options.retry as Retry;
	const recovery = retry.calculateDelay && recoveries.get(retry.calculateDelay);
	if (!recovery) {
		return undefined;
	}

	Object.assign(retry, recovery.given);

	return recovery.answer;
};
