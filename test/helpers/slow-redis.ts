import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {once} from 'node:events';
import {
	connect,
	createServer,
	type AddressInfo,
	type Socket,
} from 'node:net';
import {performance} from 'node:perf_hooks';
import type {MockTracker} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {followFakeTimers} from './deadlines.ts';
import {startRedis, type TestRedis} from './redis.ts';

type Held = {readonly chunk: Uint8Array; readonly upstream: Socket; readonly dueMs: number};

/**
A Redis that takes long by a clock of its own, which goes on only while somebody waits for nothing but that Redis. So it takes no time, and comes out the same every time.
*/
export type SlowRedis = AsyncDisposable & {
	/** Of a way to it that is slow. */
	readonly url: string;
	readonly redis: TestRedis;
	/** From when a command is sent until it arrives. */
	latencyMs: number;
	/** How long `act` waits for Redis. */
	waitOf(act: () => Promise<unknown>): Promise<number>;
	/** Lets all arrive that is under way, and what follows from it. */
	settle(): Promise<void>;
};

const stepMs = 10;

/** As many as it takes to get from one socket to another on loopback, through what is done with it in between. */
export const turns = async (count = 25): Promise<void> => {
	for (let turn = 0; turn < count; turn++) {
		await nextTurn();
	}
};

/** Requests of Node's HTTP client that nobody has answered yet. */
export const watchRequests = () => {
	const asked = new Set<unknown>();
	const add = (message: unknown) => {
		asked.add((message as {request: unknown}).request);
	};

	const remove = (message: unknown) => {
		asked.delete((message as {request: unknown}).request);
	};

	const channels = [['http.client.request.start', add], ['http.client.response.finish', remove], ['http.client.request.error', remove]] as const;
	for (const [name, listener] of channels) {
		subscribe(name, listener);
	}

	return {
		asked,
		stop() {
			for (const [name, listener] of channels) {
				unsubscribe(name, listener);
			}
		},
	};
};

/**
@param mock - Of the test: it has no other clock meanwhile.
*/
export const startSlowRedis = async (mock: MockTracker): Promise<SlowRedis> => {
	const {asked, stop} = watchRequests();
	const redis = await startRedis();
	const systemNow = performance.now.bind(performance);
	const startedMs = systemNow();
	let elapsedMs = 0;
	let held: Held[] = [];
	const sockets = new Set<Socket>();

	const server = createServer(client => {
		const upstream = connect(redis.port, '127.0.0.1');
		for (const socket of [client, upstream]) {
			sockets.add(socket);
			socket.setNoDelay(true);
			socket.on('error', () => undefined);
			socket.on('close', () => {
				client.destroy();
				upstream.destroy();
			});
		}

		upstream.pipe(client);
		client.on('data', (chunk: Uint8Array) => {
			held.push({chunk, upstream, dueMs: Math.max(held.at(-1)?.dueMs ?? 0, elapsedMs + slow.latencyMs)});
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	mock.timers.enable({apis: ['setTimeout']});
	followFakeTimers(mock);
	mock.method(ownTimers, 'now', () => startedMs + elapsedMs);
	// It goes on only while nothing else is done.
	mock.method(ownTimers, 'idleMs', () => elapsedMs);

	const deliver = async () => {
		const due = held.filter(({dueMs}) => dueMs <= elapsedMs);
		held = held.filter(each => !due.includes(each));
		for (const {chunk, upstream} of due) {
			await new Promise(resolve => {
				upstream.write(chunk, resolve);
			});
		}

		// Redis has answered what came before by the time that it answers these.
		await redis.client.ping();
		await redis.client.ping();
		await turns();
	};

	const goOn = async () => {
		if (asked.size > 0) {
			return;
		}

		if (held.length === 0) {
			// Others have timers, too.
			mock.timers.tick(1);
			return;
		}

		if (held.every(({dueMs}) => dueMs > elapsedMs)) {
			elapsedMs += stepMs;
			mock.timers.tick(stepMs);
			await turns();
		}

		await deliver();
	};

	const slow: SlowRedis = {
		url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
		redis,
		latencyMs: 0,
		async waitOf(act) {
			const beganMs = elapsedMs;
			const waiting = {isOver: false};
			const acting = act().finally(() => {
				waiting.isOver = true;
			});
			// It is for the one who awaits it.
			acting.catch(() => undefined);
			await turns();
			while (!waiting.isOver) {
				await goOn();
				await turns();
				// On a busy machine, the body of an origin's response arrives some turns after its head, but before the reply to a later command.
				await redis.client.ping();
				await turns();
			}

			await acting;
			return elapsedMs - beganMs;
		},
		async settle() {
			do {
				await goOn();
				await turns(100);
			} while (held.length > 0);
		},
		async [Symbol.asyncDispose]() {
			mock.timers.reset();
			mock.restoreAll();
			stop();
			server.close();
			for (const socket of sockets) {
				socket.destroy();
			}

			await redis.stop();
		},
	};

	return slow;
};
