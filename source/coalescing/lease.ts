import {randomBytes} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {StorePermissionError} from '../store/guard/permissions.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {CommandResult, Store} from '../store/ports/store.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';

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

	/** Resolves to why Redis gives this process no leases, `undefined` if it does. */
	check(): Promise<Error | undefined>;
};

/** What a holder that dies costs those who wait. */
const defaultLeaseMs = 3000;

/** How long no lease is asked for after Redis has refused one for want of a permission. */
const permissionRetryMs = 2000;

/** So many are remembered, of connections that broke. */
const maxUnanswered = 1000;

const restingMark = 'resting';

const tokenShape = /^[\w\-]{16}$/v;

/*
`EVAL`, not `EVALSHA`: there is nothing that `SCRIPT FLUSH` or a failover could lose.

All commands that a lease needs until it is given back are run before it is taken: a user of Redis who lacks one of them takes no lease, which others would wait for until it expires. There is one command to a line, for Redis's errors name the line.
*/
const acquireScript = `
	local holder = redis.call('GET', KEYS[1])
	local leftMs = redis.call('PTTL', KEYS[1])
	if holder then return {holder, leftMs} end
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
	redis.call('UNLINK', KEYS[1])
	redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
	return false
`;
const ifOwned = (command: string) => `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call(${command}) end return false`;
const renewScript = ifOwned('\'PEXPIRE\', KEYS[1], ARGV[2]');
const releaseScript = ifOwned('\'UNLINK\', KEYS[1]');
const restScript = ifOwned(`'SET', KEYS[1], '${restingMark}', 'PX', ARGV[2]`);

/** Whether a value is a lease that somebody may hold. What is no token, or stays longer than any lease, was put there by somebody else, and is no reason to wait. */
const isGenuine = (holder: string, leftMs: number, leaseMs: number): boolean => tokenShape.test(holder) && leftMs !== -1 && leftMs <= leaseMs;

/**
Leases in Redis, through the store's deadline and circuit breaker: a fault is no lease, never an exception.

@see https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/
*/
export const createLeases = (command: NonNullable<Store['command']>, leaseMs: number = defaultLeaseMs): Leases => {
	/** By `performance.now()`: until when it is known that Redis gives this user no lease. */
	let refusedUntilMs = -Infinity;

	const runOn = (key: string, token: string) => async (script: string, ...arguments_: string[]) => command(key, wireKey => ['EVAL', script, '1', wireKey, token, ...arguments_]);

	/** A lease that is not given back, because a connection broke, makes others wait for nobody. */
	const insist = async (run: () => Promise<CommandResult | undefined>): Promise<void> => {
		const untilMs = ownTimers.now() + leaseMs;
		const isDone = (result: CommandResult | undefined) => result !== undefined && (result.refusal === undefined || result.refusal instanceof StorePermissionError);
		while (!isDone(await run()) && ownTimers.now() < untilMs) { // eslint-disable-line no-await-in-loop -- one attempt after the other
			await delay(leaseMs / 30, undefined, {ref: false}); // eslint-disable-line no-await-in-loop
		}
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

	/** What to make of a lease that somebody holds. */
	const heldBy = (key: string, holder: string, leftMs: number): Lease | 'taken' | 'resting' | 'unavailable' => {
		if (unanswered.delete(holder)) {
			void runOn(key, holder)(renewScript, String(leaseMs));
			return hold(key, holder);
		}

		if (holder === restingMark) {
			return 'resting';
		}

		return isGenuine(holder, leftMs, leaseMs) ? 'taken' : 'unavailable';
	};

	return {
		async check() {
			const token = randomBytes(12).toString('base64url');
			const run = runOn(`{ready ${token}}:lease`, token);
			const result = await run(acquireScript, String(leaseMs));
			if (result?.refusal === undefined) {
				await run(releaseScript);
			}

			return result?.refusal;
		},
		async acquire(key) {
			const own = idle.get(key);
			if (own) {
				idle.delete(key);
				return own;
			}

			if (ownTimers.now() < refusedUntilMs) {
				return 'unavailable';
			}

			const token = randomBytes(12).toString('base64url');
			const result = await command(key, wireKey => {
				unanswered.set(token, true);
				return ['EVAL', acquireScript, '1', wireKey, token, String(leaseMs)];
			});

			if (!result) {
				// It may have been given all the same.
				void insist(async () => unanswered.has(token) ? runOn(key, token)(releaseScript) : {reply: undefined});
				return 'unavailable';
			}

			unanswered.delete(token);
			if (result.refusal) {
				if (result.refusal instanceof StorePermissionError) {
					refusedUntilMs = ownTimers.now() + permissionRetryMs;
				}

				return 'unavailable';
			}

			if (result.reply === null) {
				return hold(key, token);
			}

			const [holder, leftMs] = result.reply as [Uint8Array, number];
			return heldBy(key, String(holder), leftMs);
		},
	};
};
