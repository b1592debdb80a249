import {setTimeout as delay} from 'node:timers/promises';
import {withinBudgetOf, type Exchange} from '../../cache/exchange.ts';
import {lookUp} from '../../cache/look-up.ts';
import type {Leader} from '../../coalescing/flights.ts';
import type {Lease, Leases} from '../../coalescing/lease.ts';
import {flushWrites, isAllSent} from '../../resource/variant-queue.ts';
import {endGuard} from '../../resource/write-guard.ts';
import {isSpent, spentMsOf} from '../../store/guard/budget.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import {failureCooldownMs} from './resolve-flight.ts';
import {longestWaitMs, type Participant} from './participation.ts';

const pollIntervalMs = (waitedMs: number): number => {
	const part = waitedMs * (0.1 + (Math.random() / 5));
	return Math.min(Math.max(part, 5 + (Math.random() * 10)), 250);
};

const giveBack = (context: GotContext, lease: Lease, leader: Leader<StoredResponse>): void => {
	const settle = async (isResting: boolean, cooldownMs: number) => {
		if (isResting) {
			await lease.coolDown(cooldownMs);
			return;
		}

		// The next holder of the lease is to find the stored response. Where that is on the same connection, the lease may follow it at once: the process may be about to end.
		await lease.release(isAllSent(context) ? undefined : flushWrites(context));
	};

	leader.onEnd((ending, cooldownMs) => {
		void settle(ending.kind === 'released' && cooldownMs > 0, cooldownMs);
	});
};

type Acquired = Awaited<ReturnType<Leases['acquire']>>;

const giveBackLate = async (acquiring: Promise<Acquired>): Promise<void> => {
	const lease = await acquiring;
	if (typeof lease === 'object') {
		await lease.release();
	}
};

/** A slow store delays a request once, whatever it is asked: what the look-up has taken is not there for the lease. */
const acquireInTime = async (leases: Leases, key: string, exchange: Exchange, context: GotContext): Promise<Acquired> => {
	const {store} = withinBudgetOf(context, exchange);
	const acquiring = leases.acquire(key);
	const lease = await (store.withinBudget?.<Acquired | 'too late'>(acquiring, 'too late') ?? acquiring);
	if (lease !== 'too late') {
		return lease;
	}

	void giveBackLate(acquiring);
	return 'unavailable';
};

/**
Goes ahead for the fleet, or waits until another process has.

@returns The response that the other process has stored.
*/
const awaitLease = async (participant: Participant, leases: Leases, leader: Leader<StoredResponse>, abort: AbortSignal): Promise<StoredResponse | undefined> => {
	const {context, options, state: {exchange}} = participant;
	const {budget} = exchange;
	const {timeoutMs} = context.settings;
	const startedMonoMs = ownTimers.now();
	const waitMs = longestWaitMs(options);
	const isOver = () => abort.aborted || leader.isOver;

	while (!isOver() && ownTimers.now() - startedMonoMs < waitMs) {
		const spentMs = spentMsOf(budget);
		// eslint-disable-next-line no-await-in-loop -- one look after the other
		const lease = await acquireInTime(leases, `${exchange.key}:lease:${leader.id}`, exchange, context);
		if (lease === 'unavailable') {
			return undefined;
		}

		if (lease === 'cooling-down') {
			leader.release(failureCooldownMs);
			return undefined;
		}

		// eslint-disable-next-line no-await-in-loop
		const {decision, versions, guard} = await lookUp(context, exchange);
		// The request has a guard of its own.
		void endGuard(context.store, guard);
		if (decision.kind === 'reuse') {
			if (lease !== 'taken') {
				void lease.release();
			}

			leader.resolve(decision.stored);
			return decision.stored;
		}

		if (lease !== 'taken') {
			if (isOver()) {
				void lease.release();
			} else {
				giveBack(context, lease, leader);
			}

			return undefined;
		}

		if (isSpent(budget, timeoutMs) || [exchange.key, ...versions.keys()].some(key => !context.store.isReadable(key))) {
			// The other process's response cannot be seen in time.
			return undefined;
		}

		// The holder of the lease waits for the origin, not for the store: that look was no delay.
		budget.spentMs = spentMs;
		// eslint-disable-next-line no-await-in-loop
		await delay(pollIntervalMs(ownTimers.now() - startedMonoMs), undefined, {signal: abort}).catch(() => undefined);
	}

	return undefined;
};

/**
Leads a flight: for the fleet, if it is to be one of the whole fleet.

@returns The response that another process has stored meanwhile.
@throws If got has given the request up.
*/
export const acquireLease = async (participant: Participant, leader: Leader<StoredResponse>): Promise<StoredResponse | undefined> => {
	const {context: {leases}, participation} = participant;
	if (participation.isOver) {
		// The participant was chosen to lead at the moment it left.
		leader.promoteNext();
		throw new Error('The request was given up when it was its turn');
	}

	participation.leader = leader;
	if (!leases || leader.hasListener) {
		return undefined;
	}

	const controller = new AbortController();
	participation.leave = () => {
		controller.abort();
	};

	const stored = await awaitLease(participant, leases, leader, controller.signal);
	participation.leave = undefined;
	if (controller.signal.aborted) {
		throw new Error('The request was given up while another process made an equal one');
	}

	return stored;
};
