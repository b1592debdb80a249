/*
Draws what the demo prints, as it is, for the readme: `npm run demo:picture`.
*/
import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import {drawTerminal} from '../../test/helpers/terminal-picture.ts';

const {stdout} = await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, '..', 'demo.ts')], {
	env: {...process.env, FORCE_COLOR: '1'},
});

await writeFile(path.join(import.meta.dirname, '..', '..', 'docs', 'demo.svg'), drawTerminal(stdout, 'npm run demo'));
