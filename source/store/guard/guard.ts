import type {Backend} from '../ports/backend.ts';
import type {StoreEvent, StoreHealth} from '../ports/health.ts';
import {ownTimers} from '../ports/own-timers.ts';
import {DeadlineError, storeErrors, type StoreError} from '../ports/store-error.ts';
import {atDeadline, forgetDeadline, noteAnswer, type Deadline} from './deadline.ts';
import {createFaultLog} from './fault-log.ts';
import {createNodeHealth, type NodeHealth} from './node-health.ts';
import {createNodes} from './nodes.ts';

export type OperationKind = 'read' | 'write' | 'delete' | 'command';

export type GuardOptions = {
	readonly backend: Backend;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** The circuit breakers' first cooldown. */
	readonly cooldownMs: number | undefined;
	readonly onEvent: ((event: StoreEvent) => void) | undefined;
	/** Asks the store for a sign of life, in a cluster the node with that address; any node if there is none. */
	readonly probe: (address: string | undefined) => Promise<unknown>;
	/** The store has answered. */
	readonly onAnswer: () => void;
	readonly onRecovery: () => void;
};

export type Limits = {
	/** Default: the guard's timeout. */
	readonly deadlineMs?: number;
	/** The node of a cluster that is asked and judged, where there is no key. If it is silent until the deadline, it is not asked again before it has answered a probe. */
	readonly address?: string | undefined;
	/** Makes the error that is reported of the one that came up. */
	readonly explain?: (error: Error) => Error;
};

export type AttemptOptions<Result> = Limits & {
	/** Whether a result says that the store has written something, and so takes writes. Default: any but `false`. */
	readonly isWritten?: (result: Result) => boolean;
};

const isNotFalse = (result: unknown): boolean => result !== false;

const noOptions: AttemptOptions<unknown> = {};

/** An operation that is under way. It is one object and few closures, because each command of each request has one. */
type Attempt<Result> = {
	readonly kind: OperationKind;
	readonly key: string | undefined;
	readonly operation: () => Promise<Result>;
	readonly options: AttemptOptions<Result>;
	readonly resolve: (value: {readonly result: Result} | undefined) => void;
	readonly attempted: Promise<{readonly result: Result} | undefined>;
	readonly sentMs: number;
	/** The node of a cluster, which may be another one once a connection is made. */
	address: string | undefined;
	node: NodeHealth;
	isConnected: boolean;
	isOver: boolean;
	/** `undefined` where nothing can be late. */
	deadline: Deadline | undefined;
};

/**
The guard between a request and a store that may be slow, silent or gone. In a cluster, each node is judged by itself.
*/
export type Guard = {
	/**
	Runs an operation for as long as the deadline allows. Resolves to `undefined` when it failed or was not tried.

	@param key - The key of the operation: the node that keeps it is judged by how that goes. `undefined` for all nodes together.
	*/
	attempt<Result>(
		kind: OperationKind,
		key: string | undefined,
		operation: () => Promise<Result>,
		options?: AttemptOptions<Result>,
	): Promise<{readonly result: Result} | undefined>;

	/**
	Runs an operation that somebody waits for who wants to know: whether or not the store is given up, and for longer than a request would.

	@param patienceMs - How much longer.
	@throws {StoreError} The error, which is also reported.
	*/
	check<Result>(operation: () => Promise<Result>, patienceMs: number): Promise<Result>;

	/** Reports a fault from elsewhere. */
	fail(kind: OperationKind, key: string, error: unknown): void;

	/** Reports an error that says nothing of the store's health. */
	report(error: Error): void;

	/** Whether operations about a key are tried at all; without a key, whether any are. */
	isHealthy(key?: string): boolean;

	/** In a cluster: whether all nodes that are waited for have answered something since then. */
	isAnswering(sinceMonoMs: number): boolean;

	/** Whether writes are: `false` while they rest. */
	isWritable(key: string): boolean;

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
	let lastError: StoreError | undefined;
	let lastErrorAt: Date | undefined;
	/** Whether the store has ever answered. The memory of the process needs no proof. */
	let isProven = backend.isInProcess;
	let state: StoreHealth['state'] = isProven ? 'ok' : 'unknown';
	let since = new Date();

	const noteState = () => {
		const next = isClosed ? 'closed' : nodes.state();
		const shown = next === 'ok' && !isProven ? 'unknown' : next;
		if (shown === state) {
			return;
		}

		state = shown;
		since = new Date();
	};

	const confirmConnection = () => {
		if (isProven) {
			return;
		}

		isProven = true;
		noteState();
	};

	const createHealth = (address?: string): NodeHealth => createNodeHealth({
		cooldownMs,
		probe: async () => withPatience(async () => {
			await backend.connect();
			if (address === undefined || !await nodes.hasBeenReplaced(address)) {
				await probe(address);
			}
		}, {patienceMs: backend.probePatienceMs, isInBackground: true, address}),
		onDegraded(error, nodeState) {
			noteState();
			if (nodeState === 'unavailable') {
				backend.reset();
			}

			faults.degraded(error);
		},
		onRecovered(formerState) {
			isProven ||= formerState === 'unavailable';
			noteState();
			faults.recovered();
			if (formerState === 'unavailable') {
				onRecovery();
			}
		},
	});

	const nodes = createNodes({
		backend,
		createHealth,
		onChange() {
			noteState();
		},
		onReplaced(address, replacedBy) {
			faults.replaced(address, replacedBy);
		},
	});
	const {whole, addresses, addressOf, healthOf} = nodes;

	const isAsked = (node: NodeHealth): boolean => !isClosed && whole.reading.isClosed() && node.reading.isClosed();

	const withPatience = async <Result>(
		ask: () => Promise<Result>,
		{patienceMs, isInBackground, address}: {readonly patienceMs: number; readonly isInBackground: boolean; readonly address?: string | undefined},
	): Promise<Result> => {
		const {promise, reject} = Promise.withResolvers<never>();
		const deadline = atDeadline(
			patienceMs,
			patienceMs,
			() => {
				backend.reset();
				reject(new DeadlineError(patienceMs, address));
			},
			{isInBackground},
		);
		try {
			return await Promise.race([ask(), promise]);
		} finally {
			forgetDeadline(deadline);
		}
	};

	/** A client of the user's tries to connect again and again, and tells of each failure as an event. */
	const deadlineError = (ms: number, isConnected: boolean, address?: string): Error => (isConnected ? undefined : backend.connectionError) ?? new DeadlineError(ms, address);

	const report = (error: Error): void => {
		lastError = toStoreError(error);
		lastErrorAt = new Date();
		faults.failed(error);
	};

	const fail = (kind: OperationKind, node: NodeHealth, error: Error, {isFatal = isUnauthenticated(error), isSignOfSickness = true, explain = (each: Error) => each}: Failure = {}): void => {
		errors++;
		node.noteError(toStoreError(error));
		// Failures that come with the connection's belong to the fault that was reported already.
		if (node.state !== 'unavailable') {
			report(explain(error));
		}

		if (!isSignOfSickness || backend.isArgumentError(error)) {
			return;
		}

		// A Redis that refuses to write says so. A store that says nothing, or hangs up, is not read-only; an adapter may fail in any way.
		const isAboutWriting = kind === 'write' && !isFatal && (backend.send === undefined || backend.isRefusal(error));
		if (isAboutWriting) {
			node.writing.failed(error);
		} else if (kind === 'read' || isFatal || !backend.isRefusal(error)) {
			node.reading.failed(error, {isFatal});
		}
	};

	const noteSuccess = (kind: OperationKind, node: NodeHealth, hasWritten: boolean): void => {
		node.noteAnswer();
		noteAnswer(answersInOrder);
		onAnswer();
		confirmConnection();
		whole.reading.succeeded();
		node.reading.succeeded();
		if (kind === 'write' && hasWritten) {
			node.writing.succeeded();
		}
	};

	const end = <Result>(attempt: Attempt<Result>): void => {
		attempt.isOver = true;
		attempt.node.waiting--;
		if (attempt.deadline) {
			forgetDeadline(attempt.deadline);
		}

		underWay.delete(attempt.attempted);
	};

	const giveUp = <Result>(attempt: Attempt<Result>, error: Error, failure: Failure): void => {
		if (attempt.isOver) {
			return;
		}

		end(attempt);
		const {kind, node, options: {explain}, resolve} = attempt;
		fail(kind, node, error, {...failure, ...(explain && {explain})});
		resolve(undefined);
	};

	const onTimeUp = <Result>(attempt: Attempt<Result>): void => {
		const {key, node, address, sentMs, isConnected, options: {address: givenAddress, deadlineMs = timeoutMs}} = attempt;
		// Others were answered meanwhile: there is more to transfer than there is time, which is no sickness. Nobody knows which node of several has failed.
		const isSignOfSickness = node.answeredMonoMs < sentMs && (key !== undefined || givenAddress !== undefined || !isConnected || addresses().length === 0);
		giveUp(attempt, deadlineError(deadlineMs, isConnected, address), {isSignOfSickness, ...givenAddress !== undefined && {isFatal: true}});
	};

	const onError = <Result>(attempt: Attempt<Result>, error: unknown): void => {
		giveUp(attempt, asError(error), attempt.isConnected ? {} : {isFatal: true});
	};

	const onResult = <Result>(attempt: Attempt<Result>, result: Result): void => {
		if (attempt.isOver) {
			return;
		}

		end(attempt);
		const {kind, node, options: {isWritten = isNotFalse}, resolve} = attempt;
		noteSuccess(kind, node, isWritten(result));
		resolve({result});
	};

	/** @throws What the operation throws at once. */
	const run = <Result>(attempt: Attempt<Result>): void => {
		attempt.isConnected = true;
		// eslint-disable-next-line unicorn/prefer-then-catch -- one promise instead of two, for each command of each request
		void attempt.operation().then(
			result => {
				onResult(attempt, result);
			},
			(error: unknown) => {
				onError(attempt, error);
			},
		);
	};

	const runOnceConnected = async <Result>(attempt: Attempt<Result>, connecting: Promise<void>): Promise<void> => {
		try {
			await connecting;
			noteAnswer(answersInOrder);
			// The caller has given up, and a late write may undo a later one.
			if (attempt.isOver) {
				return;
			}

			attempt.address = attempt.options.address ?? addressOf(attempt.key);
			attempt.node.waiting--;
			attempt.node = healthOf(attempt.address);
			attempt.node.waiting++;
			run(attempt);
		} catch (error) {
			onError(attempt, error);
		}
	};

	/** The timer, not the socket, is what keeps the process alive meanwhile. */
	const setDeadline = <Result>(attempt: Attempt<Result>): Deadline => {
		const {address, options: {deadlineMs = timeoutMs}} = attempt;
		const onTime = () => {
			onTimeUp(attempt);
		};

		return address === undefined
			? atDeadline(deadlineMs, deadlineMs, onTime)
			: atDeadline(deadlineMs, deadlineMs, onTime, {isAnswering: sinceMonoMs => attempt.node.answeredMonoMs > sinceMonoMs});
	};

	const begin = <Result>(attempt: Attempt<Result>): void => {
		attempt.node.waiting++;
		underWay.add(attempt.attempted);
		attempt.deadline = backend.isImmediate ? undefined : setDeadline(attempt);
		try {
			const connecting = backend.isImmediate ? undefined : backend.connect();
			if (connecting === undefined) {
				run(attempt);
			} else {
				void runOnceConnected(attempt, connecting);
			}
		} catch (error) {
			onError(attempt, error);
		}
	};

	return {
		attempt<Result>(kind: OperationKind, key: string | undefined, operation: () => Promise<Result>, options: AttemptOptions<Result> = noOptions) {
			const address = options.address ?? addressOf(key);
			const node = healthOf(address);
			if (!isAsked(node) || (kind === 'write' && !node.writing.isClosed())) {
				return Promise.resolve(undefined);
			}

			const {promise: attempted, resolve} = Promise.withResolvers<{readonly result: Result} | undefined>();
			begin({
				kind,
				key,
				operation,
				options,
				resolve,
				attempted,
				sentMs: ownTimers.now(),
				address,
				node,
				isConnected: false,
				isOver: false,
				deadline: undefined,
			});
			return attempted;
		},
		async check(operation, patienceMs) {
			if (isClosed) {
				throw toStoreError(new Error('The cache is closed'));
			}

			let isConnected = false;
			try {
				const result = await withPatience(async () => {
					await backend.connect();
					isConnected = true;
					return operation();
				}, {patienceMs, isInBackground: false});
				onAnswer();
				confirmConnection();
				whole.reading.succeeded();
				return result;
			} catch (error) {
				const failure = !isConnected && error instanceof DeadlineError ? deadlineError(patienceMs, false) : asError(error);
				fail('command', whole, failure, {...!isConnected && {isFatal: true}, isSignOfSickness: !isConnected || addresses().length === 0});
				throw toStoreError(failure);
			}
		},
		fail(kind, key, error) {
			fail(kind, healthOf(addressOf(key)), asError(error));
		},
		report,
		isWritable(key) {
			const node = healthOf(addressOf(key));
			return isAsked(node) && !node.writing.isOpen;
		},
		isHealthy(key) {
			const known = addresses();
			return key === undefined && known.length > 0 ? known.some(address => isAsked(healthOf(address))) : isAsked(healthOf(addressOf(key)));
		},
		isAnswering: sinceMonoMs => nodes.isAnswering(sinceMonoMs),
		get errors() {
			return errors;
		},
		health() {
			const known = addresses();
			return {
				state,
				since,
				lastError,
				lastErrorAt,
				...known.length > 0 && {nodes: known.map(address => ({address, ...healthOf(address).report()}))},
			};
		},
		async close() {
			await Promise.all(underWay);
			isClosed = true;
			noteState();
			nodes.stop();
		},
	};
};

/** A connection without a password is made, and then refuses every command. */
const isUnauthenticated = ({message}: Error): boolean => message.startsWith('NOAUTH ');

const asError = (error: unknown): Error => error instanceof Error ? error : new Error(`The store failed with ${String(error)}`);
