import type {ServerResponse} from 'node:http';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {RedisCacheOptions} from '../../source/index.ts';
import {respond, type PlainResponse} from '../helpers/origin.ts';
import {setUp, type Setup} from './helpers.ts';

/** An origin that answers when it is told to. */
export const hold = ({origin}: Setup) => {
	const held: ServerResponse[] = [];
	let {promise, resolve} = Promise.withResolvers<void>();
	origin.handler = (_request, response) => {
		held.push(response);
		resolve();
	};

	return {
		held,
		/** Resolves when so many requests have come and are not answered. */
		async arrivals(count: number) {
			while (held.length < count) {
				({promise, resolve} = Promise.withResolvers<void>());
				await promise;
			}
		},
		answer(plain: PlainResponse) {
			for (const response of held.splice(0)) {
				respond(response, plain);
			}
		},
	};
};

export const turns = async (count: number) => {
	for (let turn = 0; turn < count; turn++) {
		await nextTurn();
	}
};

/** Resolves when so many look-ups were answered by Redis since the last call, and what they led to has begun. Each is one `MGET`; marks are made with others. */
export const lookUps = ({redis}: Setup) => {
	let known = 0;
	const count = async () => {
		const info = await redis.client.info('commandstats');
		return info.matchAll(/cmdstat_mget:calls=(?<calls>\d+)/gv).reduce((sum, match) => sum + Number(match.groups?.calls), 0);
	};

	return async (wanted: number) => {
		while (await count() - known < wanted) {
			await nextTurn();
		}

		known = await count();
		await turns(20);
	};
};

/** Counts who has tried to get a lease from here on: each connection once, however often it tries. */
export const watchAttempts = async ({redis}: Pick<Setup, 'redis'>) => {
	const monitor = redis.client.duplicate();
	// A test may end the server.
	monitor.on('error', () => undefined);
	await monitor.connect();
	const seekers = new Set<string>();
	let {promise, resolve} = Promise.withResolvers<void>();
	await monitor.monitor(line => {
		const seeker = /^\S+ \[\d+ (?<address>\S+)\] "EVAL" "[^"]+" "1" "[^"]+:(?:lease|refresh):/v.exec(line)?.groups?.address;
		if (seeker === undefined) {
			return;
		}

		seekers.add(seeker);
		resolve();
	});

	return {
		/** Resolves when so many have tried. */
		async attempts(count: number) {
			while (seekers.size < count) {
				({promise, resolve} = Promise.withResolvers<void>());
				await promise;
			}
		},
		[Symbol.dispose]() {
			monitor.destroy();
		},
	};
};

/** A setup whose origin answers when it is told to. */
export const setUpHeld = async (options?: RedisCacheOptions) => {
	const setup = await setUp(options);
	return {...setup, gate: hold(setup), lookedUp: lookUps(setup)};
};

export const times = <Value>(count: number, make: (position: number) => Value) => Array.from({length: count}, (_, position) => make(position));
