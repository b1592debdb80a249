import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {
	createFlights,
	type Boarding,
	type Flights,
	type FlightsOptions,
	type Landing,
	type Lead,
} from '../source/coalescing/flights.ts';

const create = (options: Partial<FlightsOptions> = {}): Flights<string> => createFlights({patienceMs: 60_000, maxResting: 10, ...options});

const leadOf = (boarding: Boarding<string>): Lead<string> => {
	if (boarding.role !== 'leader') {
		throw new Error(`Expected to lead, not to be ${boarding.role}`);
	}

	return boarding.lead;
};

const waiterOf = (boarding: Boarding<string>) => {
	if (boarding.role !== 'waiter') {
		throw new Error(`Expected to wait, not to be ${boarding.role}`);
	}

	return boarding;
};

const leadAfter = (landing: Landing<string>): Lead<string> => {
	if (landing.kind !== 'leading') {
		throw new Error(`Expected to lead, not to be ${landing.kind}`);
	}

	return landing.lead;
};

await suite('a flight', () => {
	test('has one leader; all others wait for what it brings', async () => {
		const flights = create();
		const lead = leadOf(flights.board('a'));
		const waiters = [flights.board('a'), flights.board('a')].map(boarding => waiterOf(boarding));
		leadOf(flights.board('b')).release(0);
		lead.land('x');

		for (const {landing} of waiters) {
			assert.deepEqual(await landing, {kind: 'shared', result: 'x'});
		}

		assert.equal(lead.isOver, true);
		assert.equal(flights.size, 0);
	});

	test('ends once', () => {
		const flights = create();
		const lead = leadOf(flights.board('a'));
		const endings: unknown[] = [];
		lead.onEnd(({kind}, restMs) => {
			endings.push(kind, restMs);
		});
		lead.land('x');
		lead.release(1000);
		lead.handOver();

		assert.deepEqual(endings, ['shared', 0]);
		assert.equal(flights.board('a').role, 'leader');
	});

	test('lets all go at once, and rests', async () => {
		const flights = create();
		const lead = leadOf(flights.board('a'));
		const waiters = [flights.board('a'), flights.board('a')].map(boarding => waiterOf(boarding));
		lead.release(60_000, 'network-error');

		for (const {landing} of waiters) {
			assert.deepEqual(await landing, {kind: 'released', failure: 'network-error'});
		}

		assert.equal(flights.board('a').role, 'alone');
		assert.equal(flights.board('b').role, 'leader');
	});

	test('remembers so many that rest and no more', () => {
		const flights = create({maxResting: 2});
		for (const id of ['a', 'b', 'c']) {
			leadOf(flights.board(id)).release(60_000);
		}

		assert.deepEqual(['a', 'b', 'c'].map(id => flights.board(id).role), ['leader', 'alone', 'alone']);
	});

	test('of an earlier time is not boarded', () => {
		const flights = create();
		const early = leadOf(flights.board('a'));
		const late = leadOf(flights.board('a', {notBefore: performance.now()}));
		waiterOf(flights.board('a'));
		early.land('x');
		assert.equal(late.isOver, false);
		assert.equal(flights.size, 1);
		late.land('y');
		assert.equal(flights.size, 0);
	});

	test('that takes too long is over, for its leader too', async ({mock}) => {
		mock.timers.enable({apis: ['setTimeout']});
		const flights = create();
		const lead = leadOf(flights.board('a'));
		const waiter = waiterOf(flights.board('a'));
		mock.timers.tick(59_999);
		assert.equal(lead.isOver, false);
		mock.timers.tick(1);

		assert.deepEqual(await waiter.landing, {kind: 'released'});
		assert.equal(lead.isOver, true);
		assert.equal(flights.size, 0);
		assert.equal(flights.board('a').role, 'alone');
	});
});

await suite('handing over', () => {
	test('the one who has waited longest leads, the others go on waiting', async () => {
		const flights = create();
		const first = leadOf(flights.board('a'));
		const [second, third] = [flights.board('a'), flights.board('a')].map(boarding => waiterOf(boarding));
		first.handOver();
		const landing = await second!.landing;
		const lead = leadAfter(landing);
		first.land('of one who is gone');
		assert.equal(lead.isOver, false);
		lead.land('x');

		assert.deepEqual(await third!.landing, {kind: 'shared', result: 'x'});
	});

	test('nobody leads who left', async () => {
		const flights = create();
		const first = leadOf(flights.board('a'));
		const [second, third] = [flights.board('a'), flights.board('a')].map(boarding => waiterOf(boarding));
		second!.leave();
		assert.deepEqual(await second!.landing, {kind: 'left'});
		first.handOver();

		assert.equal((await third!.landing).kind, 'leading');
	});

	test('to nobody is the end', () => {
		const flights = create();
		const lead = leadOf(flights.board('a'));
		const endings: string[] = [];
		lead.onEnd(({kind}) => {
			endings.push(kind);
		});
		lead.handOver();

		assert.deepEqual(endings, ['deserted']);
		assert.equal(flights.size, 0);
	});

	test('who listens for the end need not be the last leader', async () => {
		const flights = create();
		const first = leadOf(flights.board('a'));
		const second = waiterOf(flights.board('a'));
		const endings: string[] = [];
		first.onEnd(({kind}) => {
			endings.push(kind);
		});
		first.handOver();
		const landing = await second.landing;
		const lead = leadAfter(landing);
		assert.equal(lead.isAttended, true);
		assert.deepEqual(endings, []);
		lead.land('x');

		assert.deepEqual(endings, ['shared']);
	});
});
