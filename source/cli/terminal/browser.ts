import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** The program that opens a file as its user would. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [command: string, ...arguments_: readonly string[]]>>> = {
	darwin: ['open'],
	win32: ['explorer.exe'],
};

/** Whether a browser has a place to open at: not in a session over SSH or in a container. */
export const hasScreen = (): boolean => {
	const {DISPLAY: display = '', WAYLAND_DISPLAY: wayland = '', SSH_CONNECTION: ssh = ''} = process.env;
	return ssh === '' && (Object.hasOwn(openers, process.platform) || display !== '' || wayland !== '');
};

/** A page that leads to the address at once. */
const redirection = (url: string): string => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${url}">
<title>Cache inspector</title>
`;

/**
Opens an address that is secret in the user's browser. Other users can see the arguments of programs, so the address is in a file that only its owner may read.

@returns Removes the file.
*/
export const openInBrowser = (url: string): (() => void) => {
	const directory = mkdtempSync(path.join(tmpdir(), 'got-redis-cache-'));
	const file = path.join(directory, 'inspector.html');
	writeFileSync(file, redirection(url), {mode: 0o600});
	const [command, ...arguments_] = openers[process.platform] ?? ['xdg-open'];
	const child = spawn(command, [...arguments_, file], {stdio: 'ignore', detached: true});
	// The address is printed as well.
	child.on('error', () => undefined);
	child.unref();

	return () => {
		rmSync(directory, {recursive: true, force: true});
	};
};
