/*
What Zstandard saves, and takes, on real bodies: the tables of docs/stores/redis.md, in Markdown. The bodies are files of this repository and of the packages that it needs for its development.
*/
import {Buffer} from 'node:buffer';
import {globSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as zlib from 'node:zlib';
import {listedRows} from './body.ts';
import {number, table} from './table.ts';

const root = path.resolve(import.meta.dirname, '..');

const levels = [1, 3, 6];

const compress = (body: Uint8Array, level: number, dictionary?: Uint8Array): Uint8Array =>
	zlib.zstdCompressSync(body, {params: {[zlib.constants.ZSTD_c_compressionLevel]: level}, pledgedSrcSize: body.length, ...dictionary && {dictionary}});

const decompress = (compressed: Uint8Array, {length}: Uint8Array, dictionary?: Uint8Array): Uint8Array =>
	zlib.zstdDecompressSync(compressed, {maxOutputLength: length, chunkSize: length + 65, ...dictionary && {dictionary}});

/** The fastest of many runs: what it costs when nothing disturbs. */
const microseconds = (operation: () => unknown, forMs = 150): number => {
	let best = Infinity;
	const endMs = performance.now() + forMs;
	for (let runs = 0; runs < 30 || performance.now() < endMs; runs++) {
		const startMs = performance.now();
		operation();
		best = Math.min(best, performance.now() - startMs);
	}

	return best * 1000;
};

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const percent = (part: number, whole: number): string => `${Math.round(100 * part / whole)} %`;

/** Bodies of one origin: the answers of a registry about a version of a package are its `package.json`. */
const manifests = globSync('node_modules/{*,@*/*}/package.json', {cwd: root})
	.toSorted((one, other) => one.localeCompare(other))
	.map(file => readFileSync(path.join(root, file)));

/** Rows as an API gives them one by one. */
const items = listedRows(20_000).map(row => Buffer.from(row));

type Group = {readonly name: string; readonly bodies: readonly Uint8Array[]; readonly dictionary: Uint8Array};

/** What an origin has sent before: a dictionary need not be more. */
const dictionaryOf = (bodies: readonly Uint8Array[]): Uint8Array => Buffer.concat(bodies.slice(0, 8)).subarray(0, 16_384);

/** As many as are measured in a few seconds, spread over all. */
const sampleOf = (bodies: readonly Uint8Array[]): Uint8Array[] => bodies.filter((_, index) => index % Math.ceil(bodies.length / 24) === 0);

const between = (from: number, to: number): Group => {
	const bodies = manifests.filter(({length}) => length >= from && length < to);
	return {name: `JSON, ${number(from)} to ${number(to)}`, bodies: sampleOf(bodies.slice(8)), dictionary: dictionaryOf(bodies)};
};

const groups: readonly Group[] = [
	{name: 'JSON, an item', bodies: sampleOf(items.slice(8)), dictionary: dictionaryOf(items)},
	...[512, 1024, 2048, 4096, 8192].map(from => between(from, 2 * from)),
].filter(({bodies}) => bodies.length > 0);

table(
	['bodies', 'bytes', ...levels.map(level => `level ${level}`), 'with a dictionary', 'compress', 'decompress', 'bytes saved for 1 µs of a hit'],
	...groups.map(({name, bodies, dictionary}) => {
		const length = average(bodies.map(body => body.length));
		const lengths = levels.map(level => average(bodies.map(body => compress(body, level).length)));
		const known = average(bodies.map(body => compress(body, 1, dictionary).length));
		const write = average(bodies.map(body => microseconds(() => compress(body, 1), 20)));
		const read = average(bodies.map(body => {
			const compressed = compress(body, 1);
			return microseconds(() => decompress(compressed, body), 20);
		}));
		const shares = [...lengths, known].map(each => percent(each, length));
		return [name, Math.round(length), ...shares, `${Math.round(write)} µs`, `${Math.round(read)} µs`, Math.round((length - (lengths[0] ?? 0)) / read)];
	}),
);

const files = [
	['JSON, package-lock.json', 'package-lock.json'],
	['JSON, mime-db', 'node_modules/mime-db/db.json'],
	['JSON, results of benchmarks', 'benchmarks/results.json'],
	['HTML, a report', 'node_modules/http-cache-tests/spec/cache.html'],
	['HTML, a page', 'node_modules/http-cache-tests/index.html'],
	['HTML, the inspector', 'source/inspector/page/index.html'],
	['CSS', 'source/inspector/page/style.css'],
	['Markdown', 'docs/options.md'],
	['SVG', 'node_modules/http-cache-tests/asset/fonts/fontawesome-webfont.svg'],
	['PNG', 'node_modules/http-cache-tests/asset/badge.png'],
].map(([name = '', file = '']) => ({name, file: path.join(root, file)}));

const rows = Buffer.from(`[${listedRows(1_048_576).join(',')}`).subarray(0, 1_048_576);

const bodies: ReadonlyArray<{readonly name: string; readonly body: Uint8Array}> = [
	...[65_536, 1_048_576].map(size => ({name: 'JSON, a list', body: rows.subarray(0, size)})),
	...files.filter(({file}) => statSync(file, {throwIfNoEntry: false})).map(({name, file}) => ({name, body: readFileSync(file)})),
].toSorted((one, other) => one.body.length - other.body.length);

table(
	['body', 'bytes', ...levels.map(level => `level ${level}`), 'decompress'],
	...bodies.map(({name, body}) => {
		const compressed = compress(body, 1);
		const cells = levels.map(level => `${percent(compress(body, level).length, body.length)}, ${number(Math.round(microseconds(() => compress(body, level))))} µs`);
		return [name, body.length, ...cells, `${number(Math.round(microseconds(() => decompress(compressed, body))))} µs`];
	}),
);

process.stdout.write(`Node.js ${process.versions.node}, ${process.arch}\n`);
