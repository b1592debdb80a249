import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {
	createFlights,
	type Ticket,
	type Flights,
	type FlightsOptions,
	type FlightResult,
	type Leader,
} from '../../source/coalescing/flights.ts';

const create = (options: Partial<FlightsOptions> = {}): Flights<string> => createFlights({maxFlightMs: 60_000, maxCoolingDown: 10, ...options});

const leadOf = (boarding: Ticket<string>): Leader<string> => {
	if (boarding.role !== 'leader') {
		throw new Error(`Expected to lead, not to be ${boarding.role}`);
	}

	return boarding.leader;
};

const waiterOf = (boarding: Ticket<string>) => {
	if (boarding.role !== 'waiter') {
		throw new Error(`Expected to wait, not to be ${boarding.role}`);
	}

	return boarding;
};

const leadAfter = (result: FlightResult<string>): Leader<string> => {
	if (result.kind !== 'leading') {
		throw new Error(`Expected to lead, not to be ${result.kind}`);
	}

	return result.leader;
};

await suite('a flight', () => {
	test('has one leader; all others wait for what it brings', async () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const waiters = [flights.join('a'), flights.join('a')].map(boarding => waiterOf(boarding));
		leadOf(flights.join('b')).release(0);
		lead.resolve('x');

		for (const {result} of waiters) {
			assert.deepEqual(await result, {kind: 'shared', result: 'x'});
		}

		assert.equal(lead.isOver, true);
		assert.equal(flights.size, 0);
	});

	test('is judged once, before the first request would wait', async () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const judged: string[] = [];
		lead.judgeForWaiters(() => {
			judged.push('first');
		});
		assert.equal(judged.length, 0);

		const {result} = waiterOf(flights.join('a'));
		waiterOf(flights.join('a')).leave();
		assert.equal(judged.join(' '), 'first');

		lead.judgeForWaiters(() => {
			judged.push('second');
			lead.release(60_000);
		});
		assert.equal(judged.join(' '), 'first second');
		assert.deepEqual(await result, {kind: 'released', failure: undefined});
	});

	test('that is judged to be of no use is not waited for', () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		lead.judgeForWaiters(() => {
			lead.release(60_000);
		});

		assert.equal(flights.join('a').role, 'alone');
	});

	test('is not judged for a leader that has left', async () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const waiter = waiterOf(flights.join('a'));
		lead.promoteNext();
		const next = leadAfter(await waiter.result);
		lead.judgeForWaiters(() => {
			next.release(60_000);
		});

		assert.equal(flights.join('a').role, 'waiter');
		next.release(0);
	});

	test('ends once', () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const endings: unknown[] = [];
		lead.onEnd(({kind}, cooldownMs) => {
			endings.push(kind, cooldownMs);
		});
		lead.resolve('x');
		lead.release(1000);
		lead.promoteNext();

		assert.deepEqual(endings, ['shared', 0]);
		assert.equal(flights.join('a').role, 'leader');
	});

	test('lets all go at once, and rests', async () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const waiters = [flights.join('a'), flights.join('a')].map(boarding => waiterOf(boarding));
		lead.release(60_000, 'network-error');

		for (const {result} of waiters) {
			assert.deepEqual(await result, {kind: 'released', failure: 'network-error'});
		}

		assert.equal(flights.join('a').role, 'alone');
		assert.equal(flights.join('b').role, 'leader');
	});

	test('remembers so many that rest and no more', () => {
		const flights = create({maxCoolingDown: 2});
		for (const id of ['a', 'b', 'c']) {
			leadOf(flights.join(id)).release(60_000);
		}

		assert.deepEqual(['a', 'b', 'c'].map(id => flights.join(id).role), ['leader', 'alone', 'alone']);
	});

	test('of an earlier time is not boarded', () => {
		const flights = create();
		const early = leadOf(flights.join('a'));
		const late = leadOf(flights.join('a', {notBefore: performance.now()}));
		waiterOf(flights.join('a'));
		early.resolve('x');
		assert.equal(late.isOver, false);
		assert.equal(flights.size, 1);
		late.resolve('y');
		assert.equal(flights.size, 0);
	});

	test('that takes too long is over, for its leader too', async ({mock}) => {
		mock.timers.enable({apis: ['setTimeout']});
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const waiter = waiterOf(flights.join('a'));
		mock.timers.tick(59_999);
		assert.equal(lead.isOver, false);
		mock.timers.tick(1);

		assert.deepEqual(await waiter.result, {kind: 'released'});
		assert.equal(lead.isOver, true);
		assert.equal(flights.size, 0);
		assert.equal(flights.join('a').role, 'alone');
	});
});

await suite('handing over', () => {
	test('the one who has waited longest leads, the others go on waiting', async () => {
		const flights = create();
		const first = leadOf(flights.join('a'));
		const [second, third] = [flights.join('a'), flights.join('a')].map(boarding => waiterOf(boarding));
		first.promoteNext();
		const result = await second!.result;
		const lead = leadAfter(result);
		first.resolve('of one who is gone');
		assert.equal(lead.isOver, false);
		lead.resolve('x');

		assert.deepEqual(await third!.result, {kind: 'shared', result: 'x'});
	});

	test('nobody leads who left', async () => {
		const flights = create();
		const first = leadOf(flights.join('a'));
		const [second, third] = [flights.join('a'), flights.join('a')].map(boarding => waiterOf(boarding));
		second!.leave();
		assert.deepEqual(await second!.result, {kind: 'left'});
		first.promoteNext();

		assert.equal((await third!.result).kind, 'leading');
	});

	test('to nobody is the end', () => {
		const flights = create();
		const lead = leadOf(flights.join('a'));
		const endings: string[] = [];
		lead.onEnd(({kind}) => {
			endings.push(kind);
		});
		lead.promoteNext();

		assert.deepEqual(endings, ['abandoned']);
		assert.equal(flights.size, 0);
	});

	test('who listens for the end need not be the last leader', async () => {
		const flights = create();
		const first = leadOf(flights.join('a'));
		const second = waiterOf(flights.join('a'));
		const endings: string[] = [];
		first.onEnd(({kind}) => {
			endings.push(kind);
		});
		first.promoteNext();
		const result = await second.result;
		const lead = leadAfter(result);
		assert.equal(lead.hasListener, true);
		assert.deepEqual(endings, []);
		lead.resolve('x');

		assert.deepEqual(endings, ['shared']);
	});
});
