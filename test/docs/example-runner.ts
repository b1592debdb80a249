import process from 'node:process';
import {inspect} from 'node:util';

/*
Runs the examples of a page, one after the other in one process, and prints what each of them printed as JSON: `node example-runner.ts FILE STORE…`. The Redis of an example without an address is `REDIS_URL`.
*/

type Run = {
	readonly printed: string[];
	error: string | undefined;
};

const runs: Run[] = [];
const {log} = console;

const warn = (text: string) => {
	const run = runs.at(-1);
	if (run) {
		run.error ??= text;
	}
};

process.on('warning', warning => {
	warn(String(warning.stack));
});
process.on('unhandledRejection', reason => {
	warn(inspect(reason));
});

const [folder = '', ...stores] = process.argv.slice(2);
for (const [index, store] of stores.entries()) {
	const run: Run = {printed: [], error: undefined};
	runs.push(run);
	process.env.REDIS_URL = store;
	console.log = (...values: unknown[]) => {
		run.printed.push(values.map(value => inspect(value)).join(' '));
	};

	try {
		await import(`${folder}/example-${index + 1}.ts`);
	} catch (error) {
		run.error ??= inspect(error);
	}
}

log(JSON.stringify(runs));
// Caches that an example leaves open are none of the runner's business.
process.exit(); // eslint-disable-line unicorn/no-process-exit
