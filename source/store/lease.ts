import {randomBytes} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {inBackground} from '../background.ts';
import {createHints} from '../hints.ts';
import type {Store} from './store.ts';

/**
The right to do something that one of a fleet is enough for. It is kept up until it is given back; if its holder dies, it expires.
*/
export type Lease = {
	/**
	Gives it back: the next one who asks has it.

	@param written - What others are to find has been written when it resolves. Who asks in this process needs not wait for that, and has the lease at once.
	*/
	release(written?: Promise<unknown>): Promise<void>;
	/** Gives it back, and tells all who ask for so long that there is nothing to wait for. */
	rest(restMs: number): Promise<void>;
};

export type Leases = {
	/**
	Never waits for another holder.

	@returns The lease; or that somebody else has it, that nobody should wait for it, or that the store cannot tell.
	*/
	acquire(key: string): Promise<Lease | 'taken' | 'resting' | 'unavailable'>;
};

/** What a holder that dies costs those who wait. */
const defaultLeaseMs = 3000;

/** So many are remembered, of connections that broke. */
const maxUnanswered = 1000;

const restingMark = 'resting';

const tokenShape = /^[\w\-]{16}$/v;

// `EVAL`, not `EVALSHA`: there is nothing that `SCRIPT FLUSH` or a failover could lose.
const ifOwned = (command: string) => `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call(${command}) end return false`;
const renewScript = ifOwned('\'PEXPIRE\', KEYS[1], ARGV[2]');
const releaseScript = ifOwned('\'DEL\', KEYS[1]');
const restScript = ifOwned(`'SET', KEYS[1], '${restingMark}', 'PX', ARGV[2]`);

/**
Leases in Redis, through the store's deadline and circuit breaker: a fault is no lease, never an exception.

@see https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/
*/
export const createLeases = (command: NonNullable<Store['command']>, leaseMs: number = defaultLeaseMs): Leases => {
	const runOn = (key: string, token: string) => async (script: string, ...arguments_: string[]) => command(key, wireKey => ['EVAL', script, '1', wireKey, token, ...arguments_]);

	/** A lease that is not given back, because a connection broke, makes others wait for nobody. */
	const insist = async (run: () => Promise<unknown>): Promise<void> => {
		const untilMs = performance.now() + leaseMs;
		while (await run() === undefined && performance.now() < untilMs) { // eslint-disable-line no-await-in-loop -- one attempt after the other
			await delay(leaseMs / 30, undefined, {ref: false}); // eslint-disable-line no-await-in-loop
		}
	};

	/** What is no token, or stays longer than any lease, was put there by somebody else: it is no reason to wait. */
	const isGenuine = async (key: string, holder: string): Promise<boolean> => {
		if (!tokenShape.test(holder)) {
			return false;
		}

		const remaining = await command(key, wireKey => ['PTTL', wireKey]);
		const remainingMs = Number(remaining?.reply);
		// -2: it has just ended.
		return remainingMs !== -1 && remainingMs <= leaseMs;
	};

	/** Tokens that were sent and not answered. They may arrive long after they were given up: what has one of them is this process's. */
	const unanswered = createHints<true>(maxUnanswered);

	/** Those of this process that nobody uses any more, and that are still held. */
	const idle = new Map<string, Lease>();

	const hold = (key: string, token: string): Lease => {
		const run = runOn(key, token);
		const timer = inBackground(setInterval(() => {
			void run(renewScript, String(leaseMs));
		}, leaseMs / 3));

		const lease: Lease = {
			async release(written) {
				idle.set(key, lease);
				await written;
				if (idle.get(key) !== lease) {
					return;
				}

				idle.delete(key);
				clearInterval(timer);
				await insist(async () => run(releaseScript));
			},
			async rest(restMs) {
				clearInterval(timer);
				await insist(async () => run(restScript, String(Math.ceil(restMs))));
			},
		};

		return lease;
	};

	return {
		async acquire(key) {
			const own = idle.get(key);
			if (own) {
				idle.delete(key);
				return own;
			}

			const token = randomBytes(12).toString('base64url');
			const [taken, holder] = await Promise.all([
				command(key, wireKey => {
					unanswered.set(token, true);
					return ['SET', wireKey, token, 'NX', 'PX', String(leaseMs)];
				}),
				command(key, wireKey => ['GET', wireKey]),
			]);

			if (!taken) {
				// It may have been given all the same.
				void insist(async () => unanswered.has(token) ? runOn(key, token)(releaseScript) : true);
				return 'unavailable';
			}

			unanswered.delete(token);
			if (taken.reply !== null) {
				return hold(key, token);
			}

			const held = String(holder?.reply);
			if (unanswered.delete(held)) {
				void runOn(key, held)(renewScript, String(leaseMs));
				return hold(key, held);
			}

			if (held === restingMark) {
				return 'resting';
			}

			// `null`: given back between the two commands, whoever asks next has it.
			if (holder?.reply === null || await isGenuine(key, held)) {
				return 'taken';
			}

			// Or since.
			const again = await command(key, wireKey => ['GET', wireKey]);
			const heldNow = String(again?.reply);
			if (heldNow === held) {
				return 'unavailable';
			}

			return heldNow === restingMark ? 'resting' : 'taken';
		},
	};
};
