import assert from 'node:assert/strict';
import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import path from 'node:path';
import test from 'node:test';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {respond, startOrigin, type Origin, type PlainResponse} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {setUpHeld, watchAttempts} from './flights-helpers.ts';
import type {Result, Task} from './flights-worker.ts';

type Worker = {
	readonly child: ChildProcess;
	request(task: Task): Promise<Result>;
};

const startWorker = async (options: RedisCacheOptions): Promise<Worker> => {
	const child = fork(path.join(import.meta.dirname, 'flights-worker.ts'), [JSON.stringify(options)]);
	const {promise: ended, reject} = Promise.withResolvers<never>();
	child.once('exit', () => {
		reject(new Error('The worker has ended'));
	});
	ended.catch(() => undefined);
	const message = async () => Promise.race([once(child, 'message') as Promise<[Result]>, ended]);
	await message();

	return {
		child,
		async request(task) {
			child.send(task);
			const [result] = await message();
			return result;
		},
	};
};

type Fleet = AsyncDisposable & {
	readonly origin: Origin;
	readonly redis: TestRedis;
	readonly workers: readonly Worker[];
	/** Requests that the origin has not answered yet. */
	readonly held: Array<{readonly process: number; readonly response: ServerResponse}>;
	arrivals(count: number): Promise<void>;
	answer(plain: PlainResponse): void;
	/** Answers those that come later, too: nobody waits for ever where there are more than the test expects. */
	answerAll(plain: PlainResponse): void;
	/** Resolves when so many processes have tried to get a lease. */
	attempts(count: number): Promise<void>;
};

const startFleet = async (size: number, options: RedisCacheOptions = {}): Promise<Fleet> => {
	const [origin, redis] = await Promise.all([startOrigin(), startRedis()]);
	const started = await Promise.allSettled(Array.from({length: size}, async () => startWorker({store: redis.url, ...options})));
	const workers = started.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : []);
	const watching = await watchAttempts({redis});
	const stop = async () => {
		watching[Symbol.dispose]();
		for (const {child} of workers) {
			child.kill('SIGKILL');
		}

		await Promise.all([origin.stop(), redis.stop()]);
	};

	if (workers.length < size) {
		await stop();
		throw new Error(`Of ${size} workers, ${workers.length} could be started`);
	}

	const held: Fleet['held'] = [];
	let arrived = Promise.withResolvers<void>();
	origin.handler = ({headers}, response) => {
		held.push({process: Number(headers['x-process']), response});
		arrived.resolve();
	};

	const answer = (plain: PlainResponse) => {
		for (const {response} of held.splice(0)) {
			respond(response, plain);
		}
	};

	return {
		origin,
		redis,
		workers,
		held,
		async arrivals(count) {
			while (held.length < count) {
				arrived = Promise.withResolvers<void>();
				await arrived.promise;
			}
		},
		answer,
		answerAll(plain) {
			origin.handler = (_request, response) => {
				respond(response, plain);
			};

			answer(plain);
		},
		attempts: watching.attempts,
		[Symbol.asyncDispose]: stop,
	};
};

const fresh = {'cache-control': 'max-age=60'};

test('8 processes with 200 cold equal requests each make one', async () => {
	await using fleet = await startFleet(8);
	const task = {url: `${fleet.origin.url}/items`, count: 200};
	const results = fleet.workers.map(async worker => worker.request(task));
	await fleet.arrivals(1);
	await fleet.attempts(8);
	fleet.answerAll({headers: fresh, body: 'x'});

	for (const {bodies, errors} of await Promise.all(results)) {
		assert.deepEqual(errors, []);
		assert.equal(bodies.length, 200);
		assert.ok(bodies.every(body => body === 'x'));
	}

	assert.equal(fleet.origin.requests.length, 1);
});

test('when the leading process is killed, another one leads', async () => {
	await using fleet = await startFleet(8);
	const task = {url: `${fleet.origin.url}/items`, count: 200};
	const results = new Map(fleet.workers.map(worker => [worker.child.pid, worker.request(task)]));
	await fleet.arrivals(1);
	await fleet.attempts(8);
	const [leader] = fleet.held;
	fleet.workers.find(({child}) => child.pid === leader?.process)?.child.kill('SIGKILL');
	await assert.rejects(results.get(leader?.process)!, /The worker has ended/v);
	results.delete(leader?.process);
	await fleet.arrivals(2);
	fleet.answerAll({headers: fresh, body: 'x'});

	const others = await Promise.all(results.values());
	assert.equal(others.length, 7);
	assert.ok(others.every(({bodies}) => bodies.length === 200));
	assert.equal(fleet.origin.requests.length, 2);
});

test('a response that cannot be shared keeps no process waiting', async () => {
	await using fleet = await startFleet(4);
	const task = {url: `${fleet.origin.url}/items`, count: 20};
	const results = fleet.workers.map(async worker => worker.request(task));
	await fleet.arrivals(1);
	await fleet.attempts(4);
	const answered = fleet.held.length;
	fleet.answer({headers: {'cache-control': 'no-store'}, body: 'x'});
	// All others, before any of them is answered.
	await fleet.arrivals(80 - answered);
	fleet.answerAll({headers: {'cache-control': 'no-store'}, body: 'x'});
	await Promise.all(results);

	assert.equal(fleet.origin.requests.length, 80);
});

test('nobody waits longer for another process than for the origin', async () => {
	await using setup = await setUpHeld({coalesce: 'fleet'});
	const {client, origin, gate} = setup;
	const leader = client('items');
	await gate.arrivals(1);
	await assert.rejects(setup.other().client('items', {timeout: {response: 50}}), {name: 'TimeoutError', event: 'response'});
	assert.equal(origin.requests.length, 2);
	gate.answer({headers: fresh, body: 'x'});
	assert.equal((await leader).body, 'x');
});

test('without Redis each process is a fleet of its own', async () => {
	await using fleet = await startFleet(2);
	await fleet.redis.kill();
	const task = {url: `${fleet.origin.url}/items`, count: 20};
	const results = fleet.workers.map(async worker => worker.request(task));
	await fleet.arrivals(2);
	fleet.answerAll({headers: fresh, body: 'x'});

	assert.ok((await Promise.all(results)).every(({bodies}) => bodies.length === 20));
	assert.equal(fleet.origin.requests.length, 2);
});

test('a store that is no Redis cannot bring a fleet together', () => {
	assert.throws(() => redisCache({store: 'memory', coalesce: 'fleet'}), {name: 'TypeError', message: /`coalesce: 'fleet'` .* needs a `store` that is a Redis/v});
});
