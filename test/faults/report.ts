import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {availableParallelism, loadavg} from 'node:os';
import process from 'node:process';
import {parseArgs, promisify} from 'node:util';
import {faults} from './faults.ts';
import {clusterFaults} from './cluster-faults.ts';
import {measure, measureCluster, watchProcess, type Figures} from './measure.ts';
import type {OriginFault} from './resources.ts';

/*
Every fault for as long as it takes to hurt, alone and with each fault of the origin. Writes the tables of docs/reliability.md.

`--seconds 1`: each for so long. `--dry`: nothing is written. `--cluster`: those of a part of a cluster alone, of which Redis and Valkey have a table each.
*/

const {
	values: {seconds, dry: isDry, cluster: isClusterAlone},
} = parseArgs({
	options: {cluster: {type: 'boolean', default: false}, seconds: {type: 'string', default: '5'}, dry: {type: 'boolean', default: false}},
});
const page = new URL('../../docs/reliability.md', import.meta.url);
const deadlineMs = 250;

const durationMs = (name: string): number => Number(seconds) * (name.includes('SIGSTOP') ? 2000 : 1000);

const togetherMs = Number(seconds) * 400;

type Row = {readonly name: string; readonly alone: Figures};

type OriginRow = Row & {readonly together: ReadonlyMap<OriginFault, Figures>};

const milliseconds = (value: number | undefined): string => value === undefined ? 'never' : `${Math.max(0, Math.round(value))} ms`;

const row = (...cells: ReadonlyArray<string | number>): string => `| ${cells.join(' | ')} |`;

const mainTable = (rows: readonly Row[]): string =>
	[
		row(
			'fault',
			'requests',
			'failed because of the cache',
			'wrong bodies',
			'unhandled rejections',
			'warnings',
			'longest added delay',
			'longest with plain got',
			'caches again after',
			'leaked handles',
		),
		row('---', ...Array.from({length: 9}, () => '--:')),
		...rows.map(({name, alone}) =>
			row(
				name,
				alone.requests,
				alone.failed.length,
				alone.wrong.length,
				alone.unhandled.length,
				alone.warnings.length,
				milliseconds(alone.longestAddedMs),
				milliseconds(alone.longestPlainMs),
				milliseconds(alone.cachesAgainMs),
				alone.leaked.length,
			),
		),
	].join('\n');

const originTable = (rows: readonly OriginRow[]): string => [
	row('fault', 'origin down', 'origin slow', 'origin sends garbage'),
	row('---', '--:', '--:', '--:'),
	...rows.map(({name, together}) => row(name, ...together.values().map(({requests, failed, wrong, unhandled, warnings, leaked, cachesAgainMs}) =>
		`${failed.length} · ${wrong.length} · ${unhandled.length + warnings.length + leaked.length} of ${requests}, ${milliseconds(cachesAgainMs)}`))),
].join('\n');

const tell = (name: string, {failed, wrong, unhandled, warnings, leaked, longestAddedMs, longestPlainMs, cachesAgainMs, requests}: Figures): void => {
	console.log(
		`${name}: ${requests} requests, ${failed.length} failed, ${wrong.length} wrong, ${unhandled.length} unhandled, ${warnings.length} warnings, added ${milliseconds(longestAddedMs)}, plain got ${milliseconds(longestPlainMs)} at most, caches again after ${milliseconds(cachesAgainMs)}, ${leaked.length} leaked`,
	);
	for (const line of [...failed.slice(0, 3), ...wrong.slice(0, 3), ...unhandled.slice(0, 3), ...warnings.slice(0, 3), ...leaked]) {
		console.log(`\t${line}`);
	}
};

/** Of the server that the tests start. */
const readServer = async (): Promise<{readonly name: string; readonly version: string}> => {
	const {stdout} = await promisify(execFile)('/bin/sh', ['-c', '$(command -v redis-server || command -v valkey-server) --version']);
	const {name, version} = /^(?<name>\w+) server v=(?<version>\S+)/v.exec(stdout)?.groups ?? {};
	if (name === undefined || version === undefined) {
		throw new Error(`This tells no server and version: ${stdout}`);
	}

	return {name, version};
};

const server = await readServer();

const machine = () =>
	`with ${server.name} ${server.version} on Node ${process.versions.node}, a machine with ${availableParallelism()} cores and a load of ${(loadavg()[0] ?? 0).toFixed(1)} at the end, of which the suite itself is a part`;

/** Writes what stands between two marks of the page. */
const writePart = async (mark: string, text: string): Promise<void> => {
	if (isDry) {
		return;
	}

	const whole = await readFile(page, 'utf8');
	await writeFile(page, whole.replace(new RegExp(`<!-- ${mark} -->.*<!-- /${mark} -->`, 'sv'), () => `<!-- ${mark} -->\n\n${text}\n\n<!-- /${mark} -->`));
};

watchProcess();
const clusterRows: Row[] = [];
for (const fault of clusterFaults) {
	const alone = await measureCluster(fault, {durationMs: Number(seconds) * 1000, timeoutMs: deadlineMs});
	tell(fault.name, alone);
	clusterRows.push({name: fault.name, alone});
}

await writePart(
	`cluster-faults: ${server.name}`,
	`Each fault for ${seconds} seconds, or until the replica is promoted, from when it counts how soon the cache is used again; ${machine()}.\n\n${mainTable(clusterRows)}`,
);

const rows: OriginRow[] = [];
for (const fault of isClusterAlone ? [] : faults) {
	const alone = await measure(fault, {durationMs: durationMs(fault.name), timeoutMs: deadlineMs});
	tell(fault.name, alone);
	const together = new Map<OriginFault, Figures>();
	for (const originFault of ['down', 'slow', 'garbage'] as const) {
		const figures = await measure(fault, {durationMs: togetherMs, timeoutMs: deadlineMs, originFault});
		tell(`${fault.name}, origin ${originFault}`, figures);
		together.set(originFault, figures);
	}

	rows.push({name: fault.name, alone, together});
}

if (!isClusterAlone) {
	await writePart(
		'faults',
		`Each fault for ${seconds} seconds (SIGSTOP: twice as long), ${machine()}.\n\n${mainTable(rows)}\n\nWith a sick origin at the same time, for ${togetherMs / 1000} seconds each: failed because of the cache · wrong bodies · unhandled rejections, warnings and leaked handles, of so many requests; caches again after.\n\n${originTable(rows)}`,
	);
}
