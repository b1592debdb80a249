import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import sinon from 'sinon';
import {runScenario} from '../got/faked-time-scenario.ts';

/*
Prints what the scenario comes to with sinon. A process of its own: what is faked is of the whole process.
*/

const config = process.argv[2] ?? '{}';
let clock;

const clockOf = {
	fake(apis) {
		clock = sinon.useFakeTimers({now: Date.now(), ...apis ? {toFake: apis} : JSON.parse(config)});
	},
	advance(ms) {
		clock.setSystemTime(Date.now() + ms);
	},
	restore() {
		clock?.restore();
	},
};

/** By default, sinon fakes `process.nextTick()` too, without which no stream of Node's goes on. */
const run = async action => {
	const state = {isOver: false};
	action.finally(() => {
		state.isOver = true;
	}).catch(() => undefined);
	while (!state.isOver) {
		await clock.tickAsync(1);
		await nextTurn();
	}

	return action;
};

console.log(JSON.stringify(await runScenario({...clockOf, ...config === '{}' && {run}})));
