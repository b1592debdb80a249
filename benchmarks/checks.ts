import type {Entrant} from './contender.ts';
import {warmUrlCount, type Cell} from './scenarios.ts';
import type {Measurement} from './services/worker.ts';

/*
Whether a contender answered from where it claims, by what the origin and Redis counted meanwhile.
*/

export type Counters = {
	/** Complete responses of the origin. */
	readonly complete: number;
	/** Its 304s. */
	readonly notModified: number;
	/** Keys that Redis found. */
	readonly reads: number;
};

export const difference = (after: Counters, before: Counters): Counters => ({
	complete: after.complete - before.complete,
	notModified: after.notModified - before.notModified,
	reads: after.reads - before.reads,
});

const checkRedis = ({answersFrom}: Entrant, cell: Cell, {requests}: Measurement, {reads}: Counters): string[] => {
	// Where more are asked for at once than there are URLs, equal requests may share a read.
	const isMayShare = cell.concurrency > warmUrlCount(cell);
	const isWrong = answersFrom === 'redis' ? !isMayShare && reads < requests * 0.98 : reads > requests * 0.05;
	return isWrong ? [`claims ${answersFrom}, but Redis found ${(reads / requests).toFixed(2)} keys per request`] : [];
};

const expectOrigin = (what: string, actual: number, least: number, most = least): string[] =>
	actual >= least && actual <= most ? [] : [`the origin sent ${actual} ${what}, expected ${least === most ? least : `${least} to ${most}`}`];

const checkOrigin = ({answersFrom}: Entrant, {scenario}: Cell, {requests, batches}: Measurement, {complete, notModified}: Counters): string[] => {
	if (answersFrom === 'origin') {
		return expectOrigin('complete responses', complete, requests);
	}

	switch (scenario.pattern) {
		case 'warm': {
			return [
				...expectOrigin('complete responses', complete, 0),
				...expectOrigin('validations', notModified, scenario.profile === 'validate' ? requests : 0),
			];
		}

		case 'mixed': {
			const tenth = requests / 10;
			return expectOrigin('complete responses', complete, Math.floor(tenth * 0.95) - 1, Math.ceil(tenth * 1.05) + 1);
		}

		case 'together': {
			return expectOrigin('complete responses', complete, batches, requests);
		}

		case 'new':
		case 'stream': {
			return expectOrigin('complete responses', complete, requests);
		}
	}
};

/**
Holds a contender to its claim.

@returns What does not fit the claim; empty is right.
*/
export const check = (entrant: Entrant, cell: Cell, measurement: Measurement, counted: Counters): string[] => [
	...(measurement.wrongBodies > 0 ? [`${measurement.wrongBodies} wrong bodies`] : []),
	...checkOrigin(entrant, cell, measurement, counted),
	// A validation may write what it learnt, and read it back.
	...(cell.scenario.pattern === 'warm' && cell.scenario.profile === 'fresh' ? checkRedis(entrant, cell, measurement, counted) : []),
];
