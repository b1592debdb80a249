import {addAbortListener} from 'node:events';
import {redactedUrl} from '../../http/credentials.ts';
import type {Ending} from '../../observe/exchange-report.ts';
import {isTraced, startTrace, type Trace} from '../../observe/tracing.ts';
import type {GotContext} from './context.ts';
import type {GotOptions} from './got-options.ts';
import {isRefresh} from './refreshes.ts';
import {urlOf} from './request.ts';
import {endExchange, findState, stateOf, type GotExchange} from './request-state.ts';

/*
Each attempt is reported once, at the first of its ends that is seen: got has one for responses, one for errors, one for redirects, and none for a promise that is aborted. A stream ends when it has been read, or is closed: got leaves one that was read open.
*/

export const traceOf = (options: GotOptions): Trace | undefined => isTraced() ? findState(options)?.trace : undefined;

const endIfRejected = ({trace, result}: {readonly trace: Trace; readonly result: unknown}): void => {
	if (result instanceof Promise) {
		result.catch((error: unknown) => {
			trace.fail(error);
		});
	}
};

/**
Starts the trace of an attempt with its look-up. Only to be called if exchanges are traced.

@throws What the look-up throws.
*/
export const startTracedLookUp = <Result>({cache, settings}: GotContext, options: GotOptions, lookUp: () => Result): {readonly trace: Trace; readonly result: Result} => {
	const url = redactedUrl(urlOf(options), settings.request.http.ignoredParameters);
	const started = startTrace({method: options.method.toUpperCase(), url, cache}, lookUp);
	endIfRejected(started);

	return started;
};

/** Runs the look-up of an attempt in the context of its trace, which it starts unless a direct answer has been tried before. */
export const traceLookUp = <Result>(context: GotContext, options: GotOptions, lookUp: () => Result): Result => {
	const state = stateOf(options);
	const {trace: known} = state;
	if (!known) {
		const {trace, result} = startTracedLookUp(context, options, lookUp);
		state.trace = trace;
		return result;
	}

	const result = known.run(lookUp);
	endIfRejected({trace: known, result});
	return result;
};

/** Runs a function in the context of an attempt's trace, if there is one. */
export const runInTrace = <Result>(options: GotOptions, operation: () => Result): Result => {
	const trace = traceOf(options);

	return trace ? trace.run(operation) : operation();
};

/** To be called when another state takes over an attempt. */
export const handOver = (state: GotExchange): Pick<GotExchange, 'trace'> => {
	state.isReported = true;
	state.abortListener?.[Symbol.dispose]();

	return {trace: state.trace};
};

/** To be called when an attempt is over. Later calls for the same attempt do nothing. */
export const reportEnd = (context: GotContext, options: GotOptions, state: GotExchange, ending: Ending): void => {
	if (state.isReported) {
		return;
	}

	state.isReported = true;
	state.abortListener?.[Symbol.dispose]();
	context.observer.end(state, {...ending, isStream: options.isStream, isRefresh: isRefresh(options)}, state.trace);
};

/** To be called with the error of an attempt. A response whose status code the caller does not want is no failure. */
export const noteFailure = (state: GotExchange | undefined, error: Error): void => {
	if (state && error.name !== 'HTTPError') {
		state.failure ??= error;
	}
};

/** To be called when an attempt has failed. A stream is over when it is closed, and the error is kept until then. */
export const reportFailure = (context: GotContext, options: GotOptions, state: GotExchange, error: Error): void => {
	noteFailure(state, error);
	if (options.isStream && findState(options)?.watcher) {
		return;
	}

	const {response} = error as {readonly response?: {readonly statusCode: number}};
	reportEnd(context, options, state, {statusCode: response?.statusCode, error: state.failure});
};

/** Whether a stream was closed before its whole body had come. */
const isCut = ({settlement}: GotExchange): boolean => {
	const kind = settlement?.outcome.kind;
	return (kind === 'store' || kind === 'combine') && settlement?.written === undefined && settlement?.refusal === undefined;
};

/** To be called when a stream has been read to its end, or has closed. The response may still be on its way to the store. */
export const reportClosed = async (context: GotContext, options: GotOptions, state: GotExchange, {statusCode, bytes}: Pick<Ending, 'statusCode' | 'bytes'>): Promise<void> => {
	await state.settling;
	if (isCut(state)) {
		state.settlement = {outcome: {kind: 'pass', reason: 'incomplete', change: {kind: 'leave', reason: 'incomplete'}}};
	}

	reportEnd(context, options, state, {statusCode, bytes, error: state.failure});
};

/** Ends an attempt whose stream has closed during the look-up, when nothing was known that could be reported. */
export const reportGivenUp = (context: GotContext, options: GotOptions, state: GotExchange, error: Error | undefined): void => {
	endExchange(context, state);
	reportEnd(context, options, state, {error, bytes: 0});
};

/** Reports an attempt that its caller aborts: no hook of got is told. */
export const reportAbort = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	const {signal, isStream} = options;
	if (!signal || isStream) {
		return;
	}

	state.abortListener = addAbortListener(signal, () => {
		const {reason} = signal as {readonly reason: unknown};
		reportEnd(context, options, state, {error: reason instanceof Error ? reason : new Error('The request was aborted', {cause: reason})});
	});
};
