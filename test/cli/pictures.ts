/*
Makes the pictures of docs/command-line.md: `npm run cli:pictures`.
*/
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {drawTerminal} from '../helpers/terminal-picture.ts';
import {startShowcase} from '../inspector/showcase.ts';
import {runCliProcess} from './helpers.ts';

const folder = path.resolve(import.meta.dirname, '../../docs/images');

/** The files are part of the package. */
const mostBytes = 20_000;

await using showcase = await startShowcase();

const pictureOf = async (name: string, ...arguments_: readonly string[]): Promise<void> => {
	const {stdout, stderr, code} = await runCliProcess(arguments_, {env: {FORCE_COLOR: '1', COLUMNS: '110', REDIS_URL: showcase.store}});
	if (code !== 0) {
		throw new Error(`${arguments_.join(' ')} ended with ${code}: ${stderr}`);
	}

	const picture = drawTerminal(stdout, `npx got-redis-cache ${arguments_.join(' ')}`);
	if (picture.length > mostBytes) {
		throw new Error(`The picture ${name} has ${picture.length} bytes, more than ${mostBytes}`);
	}

	await writeFile(path.join(folder, `${name}.svg`), picture);
};

await pictureOf('command-line-ls', 'ls', '--tag', 'items', '--limit', '8');
await pictureOf('command-line-stats', 'stats', '--since', '1h');
