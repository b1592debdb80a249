import type {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {durationInWords} from '../../types/duration.ts';
import {atDeadline, forgetDeadline} from '../guard/deadline.ts';
import {isErrorReply} from '../ports/error-reply.ts';
import {ownTimers} from '../ports/own-timers.ts';
import {toError} from './ioredis-commands.ts';
import type {IoredisClient} from './ioredis-kinds.ts';
import type {Argument, Tracker} from './redis-link.ts';

/*
Client tracking for a connection that speaks RESP 2, or that is its owner's: a second connection hears of each key of the namespace that anybody changes (`CLIENT TRACKING … BCAST`). The owner's own stays as it is.

Word of a change and a reply to a command take different ways, so that a reply proves nothing: the second connection is asked itself. And the two may lead to different servers, behind a balancer or during a failover: nothing counts before a key that is written through the one was heard of on the other.
*/

export type Tracking = {
	readonly isOn: boolean;
	/** To be called when commands may be sent: begins, or begins anew after a failure, without waiting. */
	ensure(): void;
	/** Has the tracker told when all that Redis had to tell so far has arrived. */
	prove(): void;
	/** The owner's connection is lost, or another one. */
	restart(): void;
	close(): void;
};

export type TrackingOptions = {
	readonly client: IoredisClient;
	/** The beginning of all keys that are tracked. */
	readonly prefix: string;
	readonly tracker: Tracker;
	/** Sends a command on the owner's connection. */
	readonly send: (arguments_: readonly Argument[]) => Promise<unknown>;
};

const channel = '__redis__:invalidate';

/** Shorter than the second for which the memory tier believes a connection. */
const proofEveryMs = 200;
const patienceMs = 2000;
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** The owner's options about where Redis is and who asks hold; these take the place of others. */
const listenerOptions = {
	lazyConnect: true,
	enableOfflineQueue: false,
	enableReadyCheck: false,
	enableAutoPipelining: false,
	autoResubscribe: false,
	autoResendUnfulfilledCommands: false,
	retryStrategy: null,
	reconnectOnError: null,
	commandTimeout: undefined,
	socketTimeout: undefined,
	keyPrefix: '',
	stringNumbers: false,
	scripts: undefined,
	himportFieldsets: undefined,
	// Of ioredis 6.
	protocol: 2,
	replyMapping: 'legacy',
};

const ignore = () => undefined;

const ask = async (client: IoredisClient, ...arguments_: readonly string[]): Promise<unknown> => {
	const [name = '', ...rest] = arguments_;
	return client.callBuffer(name, ...rest);
};

const within = async <Result>(promise: Promise<Result>): Promise<Result> => {
	const {promise: late, reject} = Promise.withResolvers<never>();
	const deadline = atDeadline(patienceMs, patienceMs, () => {
		reject(new Error(`Redis did not answer within ${durationInWords(patienceMs)}`));
	}, {isInBackground: true});
	try {
		return await Promise.race([promise, late]);
	} finally {
		forgetDeadline(deadline);
	}
};

export const createTracking = ({client, prefix, tracker, send}: TrackingOptions): Tracking => {
	let listener: IoredisClient | undefined;
	let isOn = false;
	let isRefused = false;
	let isClosed = false;
	let nextTryMs = -Infinity;
	let pauseMs = firstPauseMs;
	let provedMs = -Infinity;
	/** When the proof that is under way was asked for. */
	let askedMs: number | undefined;
	let heard: {readonly key: string; readonly resolve: () => void} | undefined;

	const stop = () => {
		const stopped = listener;
		listener = undefined;
		askedMs = undefined;
		if (isOn) {
			isOn = false;
			tracker.lose();
		}

		stopped?.disconnect();
	};

	const onMessage = (name: Buffer, keys: readonly Buffer[] | null) => { // eslint-disable-line @typescript-eslint/no-restricted-types -- Redis's, after `FLUSHALL`
		if (name.toString() !== channel) {
			return;
		}

		if (keys === null) {
			tracker.lose();
			return;
		}

		for (const each of keys) {
			const key = each.toString();
			if (key === heard?.key) {
				heard.resolve();
			}

			tracker.invalidate(key);
		}
	};

	/** A key that is written through the owner's connection is heard of on the other. */
	const isSameServer = async (): Promise<void> => {
		const key = `${prefix}{tracking ${randomBytes(9).toString('base64url')}}`;
		const {promise, resolve} = Promise.withResolvers<void>();
		heard = {key, resolve};
		await within(send(['SET', key, '', 'PX', '1']));
		await within(promise);
	};

	const listen = async (opened: IoredisClient): Promise<void> => {
		await opened.connect();
		opened.stream?.unref?.();
		const id = await within(ask(opened, 'client', 'ID'));
		await within(ask(opened, 'client', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', `${prefix}{`));
		await within(opened.subscribe(channel));
		await isSameServer();
	};

	const start = async (): Promise<void> => {
		const opened = client.duplicate({...listenerOptions, connectTimeout: Math.min(client.options.connectTimeout ?? patienceMs, patienceMs)});
		listener = opened;
		opened.on('error', ignore);
		opened.on('messageBuffer', onMessage);
		opened.on('end', () => {
			if (listener === opened) {
				stop();
			}
		});

		try {
			await listen(opened);
			if (listener !== opened) {
				return;
			}

			isOn = true;
			pauseMs = firstPauseMs;
			provedMs = ownTimers.now();
			// Keys that are being read now may have changed before.
			tracker.lose();
			tracker.confirm();
		} catch (error) {
			if (listener !== opened) {
				return;
			}

			const refusal = toError(error);
			// An old server, or a user without the right to.
			if (isErrorReply(refusal)) {
				isRefused = true;
				tracker.refused(refusal);
			}

			nextTryMs = ownTimers.now() + pauseMs;
			pauseMs = Math.min(2 * pauseMs, longestPauseMs);
			stop();
		}
	};

	const proveBy = async (asked: IoredisClient): Promise<void> => {
		askedMs = ownTimers.now();
		try {
			await ask(asked, 'ping');
		} catch {
			// A connection that does not answer ends, and its end is handled elsewhere.
			return;
		}

		if (listener !== asked) {
			return;
		}

		askedMs = undefined;
		provedMs = ownTimers.now();
		tracker.confirm();
	};

	return {
		get isOn() {
			return isOn;
		},
		ensure() {
			if (listener === undefined && !isRefused && !isClosed && ownTimers.now() >= nextTryMs) {
				void start();
			}
		},
		prove() {
			const nowMs = ownTimers.now();
			const asked = listener;
			if (asked === undefined || !isOn || nowMs - provedMs < proofEveryMs) {
				return;
			}

			if (askedMs !== undefined) {
				if (nowMs - askedMs > patienceMs) {
					stop();
				}

				return;
			}

			void proveBy(asked);
		},
		restart() {
			nextTryMs = -Infinity;
			stop();
		},
		close() {
			isClosed = true;
			stop();
		},
	};
};
