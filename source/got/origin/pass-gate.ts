import {addAbortListener} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {lookUp} from '../../cache/look-up.ts';
import {staleForNow} from '../../cache/decide-outcome.ts';
import {endGuard} from '../../resource/write-guard.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {longestWaitMs} from '../coalescing/participation.ts';
import {resolveAfterFailure} from '../coalescing/resolve-flight.ts';
import {markRefusal} from '../state/failure.ts';
import type {ExchangeGate, OriginPermission} from '../state/origin-gate.ts';
import {isRefresh} from '../state/refreshes.ts';
import {endExchange} from '../state/request-state.ts';
import {urlOf} from '../state/request.ts';
import type {Asking} from './asking.ts';

/*
Where a request waits for leave to be sent: a rate limit, for instance. Got's request function is the place, so that whatever got does to a request that waits holds here as well.
*/

type AskPermission = Extract<OriginPermission, {kind: 'ask'}>;

const allowed: AskPermission = {kind: 'ask'};

const toSeconds = (milliseconds: number): number => milliseconds / 1000;

/** Asks the gate. The request ends its wait if got gives it up. */
const askGate = async ({context, options, state}: Asking, gate: ExchangeGate, mayBeStale: boolean): Promise<OriginPermission> => {
	const wait = new AbortController();
	const abort = () => {
		state.isGivenUp = true;
		wait.abort();
	};

	using _listener = options.signal && addAbortListener(options.signal, abort);
	state.endWait = abort;
	try {
		return await gate({
			method: options.method.toUpperCase(),
			url: new URL(urlOf(options)),
			isRefresh: isRefresh(options),
			signal: wait.signal,
			patienceMs: longestWaitMs(options),
			canBeStale: mostStaleMs => mayBeStale && staleForNow(context, state.exchange, toSeconds(mostStaleMs)) !== undefined,
		}, state.exchange);
	} catch (error) {
		context.reportError('The gate before the origin failed', error);
		return allowed;
	} finally {
		state.endWait = undefined;
	}
};

/** The response that another request has stored while this one waited. */
const storedMeanwhile = async ({context, options, state}: Asking): Promise<StoredResponse | undefined> => {
	const {exchange} = state;
	if (exchange.key === '' || isRefresh(options) || (exchange.decision.kind !== 'validate' && exchange.decision.kind !== 'fetch')) {
		return undefined;
	}

	const found = await lookUp(context, exchange);
	if (found.decision.kind !== 'reuse') {
		// The request has a guard of its own.
		void endGuard(context.store, found.guard);
		return undefined;
	}

	void endGuard(context.store, exchange.guard);
	state.exchange = found;
	resolveAfterFailure(context, options, state);

	return found.decision.stored;
};

/** The stale response that answers for now. */
const serveStale = ({context, options, state}: Asking, mostStaleMs: number): StoredResponse | undefined => {
	const outcome = staleForNow(context, state.exchange, toSeconds(mostStaleMs));
	if (!outcome) {
		return undefined;
	}

	state.settlement = {outcome, answer: outcome.answer};
	state.staleForNowMs = mostStaleMs;
	resolveAfterFailure(context, options, state);
	endExchange(context, state);

	return outcome.answer;
};

/**
Has a request pass the gate before the origin.

@param mayBeStale - Whether a stored response may answer in the origin's place.
@returns The stored response to answer with; `undefined`: the origin is to be asked.
@throws The error of the gate's refusal, or if got has given the request up.
*/
export const passGate = async (asking: Asking, gate: ExchangeGate, mayBeStale = true): Promise<StoredResponse | undefined> => {
	const {state} = asking;
	const startedMonoMs = ownTimers.now();
	state.permission = undefined;
	const permission = await askGate(asking, gate, mayBeStale);
	if (permission.kind === 'refuse') {
		markRefusal(permission.error);
		throw permission.error;
	}

	if (permission.kind === 'stale') {
		return serveStale(asking, permission.mostStaleMs);
	}

	const giveUpIfOver = () => {
		if (!asking.isGivenUp()) {
			return;
		}

		permission.onUnsent?.();
		throw new Error('The request was given up while it waited to be sent');
	};

	giveUpIfOver();
	if (permission.hasWaited) {
		state.waitedMs = (state.waitedMs ?? 0) + ownTimers.now() - startedMonoMs;
		const stored = mayBeStale ? await storedMeanwhile(asking) : undefined;
		if (stored) {
			permission.onUnsent?.();
			return stored;
		}

		giveUpIfOver();
	}

	state.permission = permission;
	// The exchange begins after the wait.
	state.exchange = {...state.exchange, startedMonoMs: ownTimers.now()};

	return undefined;
};

/** Tells the gate of the origin's response to a request that it let pass. */
export const tellGate = ({context, state}: Asking, {statusCode = 0, headers}: Pick<IncomingMessage, 'statusCode' | 'headers'>): void => {
	const {permission} = state;
	if (!permission?.onResponse) {
		return;
	}

	state.permission = undefined;
	try {
		permission.onResponse({statusCode, headers});
	} catch (error) {
		context.reportError('The gate before the origin failed', error);
	}
};
