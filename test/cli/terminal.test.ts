import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {test} from 'node:test';
import {quote} from '../../source/cli/terminal/text.ts';
import {environment, main, setUpCli, type CliSetup} from './helpers.ts';

/*
Commands that ask or draw, in a terminal: that of `script`, of util-linux.
*/

// `script` of BSD and macOS has other options.
const options = {skip: process.platform !== 'linux'};

/** Runs a command in a terminal, and types keys once a text has been shown. */
const runInTerminal = async ({redis}: CliSetup, arguments_: readonly string[], {keys, after}: {readonly keys: string; readonly after: string}) => {
	const command = [process.execPath, '--no-warnings', main, ...arguments_].map(argument => quote(argument)).join(' ');
	const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {env: environment({REDIS_URL: redis.url}), timeout: 60_000});
	let shown = '';
	let isTyped = false;
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		shown += text;
		if (isTyped || !shown.includes(after)) {
			return;
		}

		isTyped = true;
		child.stdin.write(keys);
	});
	const [code] = await once(child, 'close') as [number];
	return {code, shown};
};

test('a purge of everything asks in a terminal, and is made only after a yes', options, async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const url = `${setup.origin.url}/a`;
	for (const [keys, expected] of [['n\r', 8], ['\r', 8], ['\u{3}', 130]] as const) {
		const {code, shown} = await runInTerminal(setup, ['purge', '--all'], {keys, after: '[y/N]'});
		assert.match(shown, /Purge everything in the namespace 'http_cache' of redis:\/\/[\s\S]*Nothing was purged/v);
		assert.equal(code, expected);
		assert.ok(await setup.cache.has(url));
	}

	const {code, shown} = await runInTerminal(setup, ['purge', '--all'], {keys: 'y\r', after: '[y/N]'});
	assert.match(shown, /Purged everything in the namespace 'http_cache'/v);
	assert.equal(code, 0);
	assert.deepEqual(await setup.json('ls'), []);
});

test('top ends with q, is interrupted by Ctrl+C, and gives the terminal back', options, async () => {
	await using setup = await setUpCli();
	for (const [keys, expected] of [['q', 0], ['\u{3}', 130]] as const) {
		const {code, shown} = await runInTerminal(setup, ['top'], {keys, after: 'q quits'});
		assert.equal(code, expected);
		assert.ok(shown.startsWith('\u{1B}[?1049h'), JSON.stringify(shown));
		assert.ok(shown.trimEnd().endsWith('\u{1B}[?1049l'), JSON.stringify(shown));
	}
});

test('a terminal that does not know its width gets whole lines', options, async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const {code, shown} = await runInTerminal(setup, ['ls'], {keys: '', after: 'never'});
	assert.equal(code, 0);
	assert.ok(shown.includes(`${setup.origin.url}/a`), JSON.stringify(shown));
});
