import type {Backend} from './backend.ts';
import {createBreaker} from './breaker.ts';
import {atDeadline, noteAnswer} from './deadline.ts';
import {createFaultLog, type StoreEvent, type StoreHealth} from './fault-log.ts';
import {DeadlineError, storeErrors, type StoreError} from './store-error.ts';

/** Silence is no proof of sickness until it is repeated: a single value may be too large for the deadline. */
const failureThreshold = 3;

/** Longer than connecting takes at most. */
const checkPatienceMs = 5000;

export type OperationKind = 'read' | 'write' | 'delete' | 'command';

export type GuardOptions = {
	readonly backend: Backend;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** The circuit breakers' first cooldown. */
	readonly cooldownMs: number | undefined;
	readonly onEvent: ((event: StoreEvent) => void) | undefined;
	/** Asks the store for a sign of life. */
	readonly probe: () => Promise<unknown>;
	/** The store has answered. */
	readonly onAnswer: () => void;
	readonly onRecovery: () => void;
};

export type Limits = {
	readonly deadlineMs?: number;
	readonly explain?: (error: Error) => Error;
};

/**
What stands between a request and a store that may be slow, silent or gone.
*/
export type Guard = {
	/**
	Runs an operation for as long as the deadline allows. Resolves to `undefined` when it failed or was not tried.

	@param limits.deadlineMs - Default: the guard's timeout.
	@param limits.explain - Makes the error that is reported of the one that came up.
	@param isWritten - Whether a result says that the store has written something, and so takes writes. Default: any but `false`.
	*/
	attempt<Result>(kind: OperationKind, operation: () => Promise<Result>, limits?: Limits, isWritten?: (result: Result) => boolean): Promise<{readonly result: Result} | undefined>;

	/**
	Runs an operation that somebody waits for who wants to know: whether or not the store is given up, and for longer than a request would.

	@throws {StoreError} What went wrong, which is also reported.
	*/
	check<Result>(operation: () => Promise<Result>): Promise<Result>;

	/** Reports a fault from elsewhere. */
	fail(kind: OperationKind, error: unknown): void;

	/** Reports an error that says nothing of the store's health. */
	report(error: Error): void;

	/** Whether operations are tried at all. */
	readonly isHealthy: boolean;

	/** Whether writes are: `false` while they rest. */
	readonly isWritable: boolean;

	/** Operations that failed or were given up. */
	readonly errors: number;

	health(): StoreHealth;

	/** Waits for what is under way, no longer than the deadline, and tries nothing any more. */
	close(): Promise<void>;
};

type Failure = {
	readonly isFatal?: boolean;
	readonly isSignOfSickness?: boolean;
	readonly explain?: (error: Error) => Error;
};

export const createGuard = ({backend, timeoutMs, cooldownMs, onEvent, probe, onAnswer, onRecovery}: GuardOptions): Guard => {
	const {answersInOrder = false} = backend;
	const toStoreError = storeErrors(() => backend.address);
	const faults = createFaultLog(onEvent, toStoreError);
	const underWay = new Set<Promise<unknown>>();
	let errors = 0;
	let isClosed = false;
	let isUnavailable = false;
	let isReadOnly = false;
	let lastError: StoreError | undefined;
	let lastErrorAt: Date | undefined;
	/** When an operation was last answered in time. */
	let answeredMs = -Infinity;
	/** Whether the store has ever answered. The memory of the process needs no proof. */
	let isProven = backend.isInProcess;
	let state: StoreHealth['state'] = isProven ? 'ok' : 'unknown';
	let since = new Date();

	const noteState = () => {
		const open = isReadOnly ? 'read-only' : (isProven ? 'ok' : 'unknown');
		const next = isClosed ? 'closed' : (isUnavailable ? 'unavailable' : open);
		if (next === state) {
			return;
		}

		state = next;
		since = new Date();
	};

	const prove = () => {
		if (isProven) {
			return;
		}

		isProven = true;
		noteState();
	};

	const reading = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		async probe() {
			await withPatience(async () => {
				await backend.connect();
				await probe();
			}, {patienceMs: backend.probePatienceMs, isInBackground: true});
		},
		onOpen(error) {
			isUnavailable = true;
			noteState();
			backend.reset();
			faults.degraded(error);
		},
		onClose() {
			isUnavailable = false;
			isProven = true;
			noteState();
			faults.recovered();
			onRecovery();
		},
	});

	// A store that is read-only or full still answers: only writing rests.
	const writing = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		// Each purge makes a little room in a store that is full.
		hasProbation: true,
		onOpen(error) {
			isReadOnly = true;
			noteState();
			faults.degraded(error);
		},
		onClose() {
			isReadOnly = false;
			noteState();
			faults.recovered();
		},
	});

	const withPatience = async <Result>(ask: () => Promise<Result>, {patienceMs, isInBackground}: {readonly patienceMs: number; readonly isInBackground: boolean}): Promise<Result> => {
		const {promise, reject} = Promise.withResolvers<never>();
		const forgetDeadline = atDeadline(patienceMs, patienceMs, () => {
			backend.reset();
			reject(new DeadlineError(patienceMs));
		}, {isInBackground});
		try {
			return await Promise.race([ask(), promise]);
		} finally {
			forgetDeadline();
		}
	};

	/** A client of the user's tries to connect again and again, and tells of each failure as an event. */
	const deadlineError = (ms: number, isConnected: boolean): Error => (isConnected ? undefined : backend.connectionError) ?? new DeadlineError(ms);

	const report = (error: Error): void => {
		lastError = toStoreError(error);
		lastErrorAt = new Date();
		faults.failed(error);
	};

	const fail = (kind: OperationKind, error: Error, {isFatal = false, isSignOfSickness = true, explain = (each: Error) => each}: Failure = {}): void => {
		errors++;
		// What falls with the connection belongs to the fault that was told already.
		if (!isUnavailable) {
			report(explain(error));
		}

		if (!isSignOfSickness || backend.isArgumentError(error)) {
			return;
		}

		if (kind === 'write' && !isFatal) {
			writing.failed(error);
		} else if (kind === 'read' || isFatal || !backend.isRefusal(error)) {
			reading.failed(error, {isFatal});
		}
	};

	/*
	The timer, not the socket, is what keeps the process alive meanwhile.
	*/
	const withDeadline = async <Result>(kind: OperationKind, operation: () => Promise<Result>, {deadlineMs = timeoutMs, explain}: Limits, isWritten: (result: Result) => boolean): Promise<{result: Result} | undefined> => new Promise(resolve => {
		let isOver = false;
		let isConnected = false;
		const sentMs = performance.now();

		const giveUp = (error: Error, failure: Failure) => {
			if (isOver) {
				return;
			}

			isOver = true;
			forgetDeadline();
			fail(kind, error, {...failure, ...explain && {explain}});
			resolve(undefined);
		};

		const forgetDeadline = atDeadline(deadlineMs, deadlineMs, () => {
			// Others were answered meanwhile: there is more to transfer than there is time, which is no sickness.
			giveUp(deadlineError(deadlineMs, isConnected), {isSignOfSickness: answeredMs < sentMs});
		});

		const run = async () => {
			try {
				const connecting = backend.connect();
				if (connecting !== undefined) {
					await connecting;
					noteAnswer(answersInOrder);
				}

				// Nobody waits any more, and what is done late may undo what came after.
				if (isOver) {
					return;
				}

				isConnected = true;
				const result = await operation();
				if (isOver) {
					return;
				}

				isOver = true;
				forgetDeadline();
				answeredMs = performance.now();
				noteAnswer(answersInOrder);
				onAnswer();
				prove();
				reading.succeeded();
				if (kind === 'write' && isWritten(result)) {
					writing.succeeded();
				}

				resolve({result});
			} catch (error) {
				giveUp(asError(error), {isFatal: !isConnected});
			}
		};

		void run();
	});

	return {
		async attempt(kind, operation, limits = {}, isWritten = result => result !== false) {
			if (isClosed || !reading.isClosed() || (kind === 'write' && !writing.isClosed())) {
				return undefined;
			}

			const attempted = withDeadline(kind, operation, limits, isWritten);
			underWay.add(attempted);
			try {
				return await attempted;
			} finally {
				underWay.delete(attempted);
			}
		},
		async check(operation) {
			if (isClosed) {
				throw toStoreError(new Error('The cache is closed'));
			}

			let isConnected = false;
			try {
				const result = await withPatience(async () => {
					await backend.connect();
					isConnected = true;
					return operation();
				}, {patienceMs: checkPatienceMs, isInBackground: false});
				onAnswer();
				prove();
				reading.succeeded();
				return result;
			} catch (error) {
				const failure = !isConnected && error instanceof DeadlineError ? deadlineError(checkPatienceMs, false) : asError(error);
				fail('command', failure, {isFatal: !isConnected});
				throw toStoreError(failure);
			}
		},
		fail(kind, error) {
			fail(kind, asError(error));
		},
		report,
		get isWritable() {
			return !isClosed && reading.isClosed() && !writing.isOpen;
		},
		get isHealthy() {
			return !isClosed && reading.isClosed();
		},
		get errors() {
			return errors;
		},
		health: () => ({state, since, lastError, lastErrorAt}),
		async close() {
			await Promise.all(underWay);
			isClosed = true;
			noteState();
			reading.stop();
			writing.stop();
		},
	};
};

const asError = (error: unknown): Error => error instanceof Error ? error : new Error(`The store failed with ${String(error)}`);
