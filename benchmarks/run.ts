import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {cpus} from 'node:os';
import process from 'node:process';
import {parseArgs} from 'node:util';
import type {Contender, Entrant} from './contender.ts';
import {
	contenderIds,
	passageCell,
	passed,
	soakCell,
	soaked,
	fullPlan,
	quickPlan,
	type Plan,
	type PlannedCell,
} from './plan.ts';
import {plotsOf} from './plot.ts';
import {
	cellSections,
	goalSection,
	markdownReport,
	sectionAsText,
} from './report.ts';
import type {Environment, Passage, Results, Soak} from './results.ts';
import {
	createWorkers,
	passThrough,
	soak,
	takeSample,
	type Ground,
	type Sample,
	type Workers,
} from './sample.ts';
import {cellTitle, scenarios} from './scenarios.ts';
import {startService} from './services/service.ts';

const usage = `npm run benchmark -- [options]

  --quick               what the goals need, within two minutes
  --rounds <number>     rounds, default 3
  --seconds <number>    measured time per round and contender, default 1
  --soak <minutes>      of hits, to see whether memory stays flat; default 10
  --urls <number>       URLs that pass through, each asked for once, to see whether memory stays flat; default 1000000
  --scenario <names>    ${scenarios.map(({name}) => name).join(', ')}
  --size <bytes>        1024, 65536, 1048576
  --concurrency <n>     1, 8, 32, 256
  --contender <names>   the files in benchmarks/contenders
  --report              measure nothing: write the report of results.json again

Lists are separated by commas. A whole run writes results.md, results.json and plots to benchmarks/; a quick or partial one to benchmarks/.tmp/.
`;

const {values: flags} = parseArgs({
	options: {
		quick: {type: 'boolean', default: false},
		rounds: {type: 'string'},
		seconds: {type: 'string'},
		soak: {type: 'string'},
		urls: {type: 'string'},
		scenario: {type: 'string'},
		size: {type: 'string'},
		concurrency: {type: 'string'},
		contender: {type: 'string'},
		report: {type: 'boolean', default: false},
		help: {type: 'boolean', default: false},
	},
});

const isListed = (list: string | undefined, value: string | number): boolean =>
	list === undefined || list.split(',').includes(String(value));

const isPart = [flags.scenario, flags.size, flags.concurrency, flags.contender].some(list => list !== undefined);

const planned = (): Plan => {
	const plan = flags.quick ? quickPlan : fullPlan;
	return {
		...plan,
		rounds: Number(flags.rounds ?? plan.rounds),
		measureMs: flags.seconds === undefined ? plan.measureMs : Number(flags.seconds) * 1000,
		soakMinutes: flags.soak === undefined ? (isPart ? 0 : plan.soakMinutes) : Number(flags.soak),
		passingUrls: flags.urls === undefined ? (isPart ? 0 : plan.passingUrls) : Number(flags.urls),
		cells: plan.cells
			.filter(({scenario, size, concurrency}) =>
				isListed(flags.scenario, scenario.name) && isListed(flags.size, size) && isListed(flags.concurrency, concurrency))
			.map(cell => ({...cell, contenders: cell.contenders.filter(id => isListed(flags.contender, id))})),
	};
};

const loadEntrants = async ({cells}: Plan): Promise<Entrant[]> => Promise.all(contenderIds.filter(id => cells.some(({contenders}) => contenders.includes(id))).map(async id => {
	const {default: contender} = await import(`./contenders/${id}.ts`) as {default: Contender};
	return {...contender, id};
}));

const packages = ['got', 'keyv', '@keyv/redis', '@redis/client', 'undici', 'undici-cache-redis', 'axios-cache-interceptor', 'make-fetch-happen'];

const packageVersion = async (name: string): Promise<[string, string]> => {
	const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
	const {version} = JSON.parse(await readFile(file, 'utf8')) as {version: string};
	return [name, version];
};

const describeEnvironment = async (plan: Plan, ground: Ground): Promise<Omit<Environment, 'rounds'>> => ({
	date: new Date().toISOString().slice(0, 10),
	node: process.versions.node,
	redis: await ground.redis.call<string>('version'),
	processor: cpus()[0]?.model.trim() ?? 'unknown',
	cores: cpus().length,
	versions: Object.fromEntries(await Promise.all(packages.map(async name => packageVersion(name)))),
	warmUpMs: plan.warmUpMs,
	measureMs: plan.measureMs,
	isQuick: flags.quick,
});

const doNothing = () => undefined;

const progress = (text: string): void => {
	if (process.stderr.isTTY) {
		process.stderr.write(`\r\u{1B}[K${text}`);
	}
};

type Run = {
	readonly entrants: readonly Entrant[];
	readonly ground: Ground;
	readonly workers: Workers;
};

const runRound = async (round: number, plan: Plan & {readonly deadlineMs: number}, {entrants, ground, workers}: Run): Promise<Sample[]> => {
	const samples: Sample[] = [];
	const runCell = async (cell: PlannedCell) => {
		const invited = entrants.filter(({id}) => cell.contenders.includes(id));
		for (const entrant of invited) {
			if (performance.now() > plan.deadlineMs) {
				return;
			}

			progress(`round ${round + 1} of ${plan.rounds}: ${cellTitle(cell)}: ${entrant.name}`);
			try {
				samples.push(await takeSample({entrant, cell, ground}, workers, round, plan));
			} catch (error) {
				// One that fails is left out of the table; the others go on.
				console.error(`\n${entrant.name} failed at ${cellTitle(cell)}:`, error);
				await workers.end(entrant).catch(doNothing);
			}
		}
	};

	for (const cell of plan.cells) {
		await runCell(cell);
	}

	return samples;
};

/** A, B, C, A, B, C: what slows the machine for a while slows all of them. */
const runRounds = async (plan: Plan, entrants: readonly Entrant[], ground: Ground, onRound: (samples: readonly Sample[], rounds: number) => Promise<void>) => {
	const samples: Sample[] = [];
	const startMs = performance.now();
	const deadlineMs = startMs + (plan.budgetSeconds * 1000);
	let rounds = 0;
	const workers = createWorkers(ground);
	while (rounds < plan.rounds) {
		const roundStartMs = performance.now();
		samples.push(...await runRound(rounds, {...plan, deadlineMs}, {entrants, ground, workers}));
		if (plan.processesLast === 'round') {
			await workers.endAll();
		}

		rounds++;
		await onRound(samples, rounds);
		const nowMs = performance.now();
		if (nowMs + (nowMs - roundStartMs) > deadlineMs) {
			break;
		}
	}

	await workers.endAll();
	progress('');
	return {samples, rounds};
};

const soakSeconds = 10;

const runSoaks = async ({soakMinutes}: Plan, entrants: readonly Entrant[], ground: Ground): Promise<Soak[]> => {
	const soaks: Soak[] = [];
	const windows = Math.round(soakMinutes * 60 / soakSeconds);
	for (const entrant of windows > 0 ? entrants.filter(({id}) => soaked.includes(id)) : []) {
		progress(`${soakMinutes} minutes of hits: ${entrant.name}`);
		soaks.push({contender: entrant.id, minutes: soakMinutes, heapMebibytes: await soak({entrant, cell: soakCell, ground}, windows, soakSeconds * 1000)});
	}

	progress('');
	return soaks;
};

const runPassages = async ({passingUrls}: Plan, entrants: readonly Entrant[], ground: Ground): Promise<Passage[]> => {
	const passages: Passage[] = [];
	for (const entrant of passingUrls > 0 ? entrants.filter(({id}) => passed.includes(id)) : []) {
		progress(`${passingUrls} URLs: ${entrant.name}`);
		passages.push({contender: entrant.id, ...await passThrough({entrant, cell: passageCell, ground}, passingUrls, soakSeconds * 1000)});
	}

	progress('');
	return passages;
};

const writeResults = async (results: Results, directory: URL): Promise<void> => {
	const plots = plotsOf(results);
	await mkdir(directory, {recursive: true});
	await Promise.all([
		writeFile(new URL('results.md', directory), markdownReport(results, plots)),
		writeFile(new URL('results.json', directory), `${JSON.stringify({environment: results.environment, samples: results.samples, soaks: results.soaks, passages: results.passages}, undefined, '\t')}\n`),
		...plots.map(async ({file, svg}) => writeFile(new URL(file, directory), svg)),
	]);
};

/** After a change of the tables, the plots or the goals. */
const reportAgain = async () => {
	const directory = new URL('./', import.meta.url);
	const measured = JSON.parse(await readFile(new URL('results.json', directory), 'utf8')) as Pick<Results, 'environment' | 'samples' | 'soaks' | 'passages'>;
	await writeResults({...measured, entrants: await loadEntrants(fullPlan), cells: fullPlan.cells}, directory);
};

const main = async () => {
	const plan = planned();
	const entrants = await loadEntrants(plan);
	const origin = startService(new URL('services/origin.ts', import.meta.url));
	const redis = startService(new URL('services/redis.ts', import.meta.url));

	try {
		const ground: Ground = {
			origin,
			redis,
			originUrl: await origin.call<string>('url'),
			redisUrl: await redis.call<string>('url'),
		};
		const environment = await describeEnvironment(plan, ground);
		const isWhole = !flags.quick && !isPart;
		const directory = new URL(isWhole ? './' : '.tmp/', import.meta.url);
		const resultsOf = (samples: readonly Sample[], rounds: number, soaks: readonly Soak[], passages: readonly Passage[]): Results => ({
			environment: {...environment, rounds},
			entrants,
			cells: plan.cells,
			samples,
			soaks,
			passages,
		});

		// After each round: what was measured in an hour is not lost with the next.
		const {samples, rounds} = await runRounds(plan, entrants, ground, async (samples, rounds) => writeResults(resultsOf(samples, rounds, [], []), directory));
		const results = resultsOf(samples, rounds, await runSoaks(plan, entrants, ground), await runPassages(plan, entrants, ground));
		for (const section of [...cellSections(results), goalSection(results)]) {
			console.log(sectionAsText(section));
		}

		await writeResults(results, directory);
		console.log(`\n${rounds} rounds; written to ${isWhole ? 'benchmarks/' : 'benchmarks/.tmp/'}results.md`);
	} finally {
		await Promise.all([origin.stop(), redis.stop()]);
	}
};

if (flags.help) {
	console.log(usage);
} else if (flags.report) {
	await reportAgain();
} else {
	// The services end when this process does.
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, () => {
			process.exit(1);
		});
	}

	await main();
}
