import {randomBytes} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {StorePermissionError} from '../store/ports/error-reply.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {CommandResult} from '../store/ports/commands.ts';
import type {Store} from '../store/ports/store.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';

/**
The right to do something that only one process of a fleet should do. The holder renews the lease until release; if the holder dies, the lease expires.
*/
export type Lease = {
	/**
	Releases the lease to the next one who asks.

	@param written - Resolves when the data that other processes look for has been written; only then is the lease released. A caller in this process does not need to wait, and gets the lease at once.
	*/
	release(written?: Promise<unknown>): Promise<void>;
	/** Releases the lease, and makes `acquire()` return `'cooling-down'` to all callers during `cooldownMs`. */
	coolDown(cooldownMs: number): Promise<void>;
};

export type Leases = {
	/**
	Tries to acquire a lease, without waiting for another holder.

	@returns The lease, or: `'taken'` by another holder, `'cooling-down'` if nobody should wait, or `'unavailable'` if the store cannot tell.
	*/
	acquire(key: string): Promise<Lease | 'taken' | 'cooling-down' | 'unavailable'>;

	/** Resolves to the reason why Redis refuses leases to this process; `undefined` if it does not. */
	check(): Promise<Error | undefined>;
};

/** The longest time that waiters lose if the holder dies. */
const defaultLeaseMs = 3000;

/** How long no lease is asked for after Redis has refused one for want of a permission. */
const permissionRetryMs = 2000;

/** The number of unanswered tokens that are remembered after connections broke. */
const maxUnanswered = 1000;

const cooldownHolder = 'resting';

const tokenShape = /^[\w\-]{16}$/v;

/*
The scripts use `EVAL` instead of `EVALSHA`, so that `SCRIPT FLUSH` or a failover cannot lose them.

The script runs all commands that a lease needs later before it takes the lease. A Redis user who lacks a permission then takes no lease, for which others would wait until it expires. Each line has one command, because Redis's errors name the line.
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
const cooldownScript = ifOwned(`'SET', KEYS[1], '${cooldownHolder}', 'PX', ARGV[2]`);

/** Whether a value is a lease that somebody may hold. A value that is not a token, or that lives longer than any lease, was written by something else, and is no reason to wait. */
const isGenuine = (holder: string, leftMs: number, leaseMs: number): boolean => tokenShape.test(holder) && leftMs !== -1 && leftMs <= leaseMs;

/**
Leases in Redis, behind the store's deadline and circuit breaker: a fault means no lease, never an exception.

@see https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/
*/
export const createLeases = (command: NonNullable<Store['command']>, leaseMs: number = defaultLeaseMs): Leases => {
	/** The time until which Redis is known to refuse leases to this user, by `performance.now()`. */
	let refusedUntilMs = -Infinity;

	const runOn = (key: string, token: string) => async (script: string, ...arguments_: string[]) => command(key, wireKey => ['EVAL', script, '1', wireKey, token, ...arguments_]);

	/** Repeats a command until Redis answers: if a broken connection prevented the release, others would wait for nobody. */
	const retryUntilAnswered = async (run: () => Promise<CommandResult | undefined>): Promise<void> => {
		const untilMs = ownTimers.now() + leaseMs;
		const isDone = (result: CommandResult | undefined) => result !== undefined && (result.refusal === undefined || result.refusal instanceof StorePermissionError);
		while (!isDone(await run()) && ownTimers.now() < untilMs) { // eslint-disable-line no-await-in-loop -- one attempt after the other
			await delay(leaseMs / 30, undefined, {ref: false}); // eslint-disable-line no-await-in-loop
		}
	};

	/** Tokens that were sent but not answered. Their commands may arrive long after they were given up, so that a lease with such a token belongs to this process. */
	const unanswered = createHints<true>(maxUnanswered);

	/** Leases of this process that are still held although nobody uses them. */
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
				await retryUntilAnswered(async () => run(releaseScript));
			},
			async coolDown(cooldownMs) {
				clearInterval(timer);
				await retryUntilAnswered(async () => run(cooldownScript, String(Math.ceil(cooldownMs))));
			},
		};

		return lease;
	};

	/** Interprets a lease that has a holder already. */
	const heldBy = (key: string, holder: string, leftMs: number): Lease | 'taken' | 'cooling-down' | 'unavailable' => {
		if (unanswered.delete(holder)) {
			void runOn(key, holder)(renewScript, String(leaseMs));
			return hold(key, holder);
		}

		if (holder === cooldownHolder) {
			return 'cooling-down';
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
				// Redis may have granted the lease even so.
				void retryUntilAnswered(async () => unanswered.has(token) ? runOn(key, token)(releaseScript) : {reply: undefined});
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
