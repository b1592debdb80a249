import {once} from 'node:events';
import process from 'node:process';
import type {Inspector} from '../../inspector.ts';
import {hasScreen, openInBrowser} from '../terminal/browser.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import type {Command, CommandContext} from './command.ts';

const highestPort = 65_535;

const start = async ({given, store}: CommandContext): Promise<Inspector> => {
	const port = given.count('port', 1) ?? 0;
	if (port > highestPort) {
		throw new Failure('wrongUsage', `--port is ${port}: give a whole number of at most ${highestPort}`);
	}

	const {startInspector} = await import('../../inspector.ts');
	const cache = store.open({isCounting: true, hasUsers: true});
	await cache.ready();
	try {
		return await startInspector({cache, port, readOnly: given.flag('read-only')});
	} catch (error) {
		throw new Failure(
			'wrongUsage',
			`--port ${port} cannot be used (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message}): give another one, or leave it out for a free one`,
		);
	}
};

const run = async (context: CommandContext): Promise<Outcome> => {
	const {given, output, store} = context;
	await using inspector = await start(context);
	const {url} = inspector;
	const ending = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
	if (output.isJson) {
		await output.json({url, namespace: store.namespace});
	} else {
		await output.line(url);
		output.note(`Whoever has this address can see ${given.flag('read-only') ? '' : 'and purge '}what is stored. Ctrl+C ends the inspector.`);
	}

	const close = output.isTerminal && !given.flag('no-open') && hasScreen() ? openInBrowser(url) : undefined;
	await ending;
	close?.();

	return 'done';
};

export const inspect: Command = {
	name: 'inspect',
	summary: 'show and manage what is stored in a local web page',
	usage: '[options]',
	arguments: [0, 0],
	options: {
		port: {type: 'string', value: 'NUMBER', description: 'the port to listen to on 127.0.0.1 (default: a free one)'},
		'read-only': {type: 'boolean', description: 'show, and neither purge nor freeze anything'},
		'no-open': {type: 'boolean', description: 'print the address, and open no browser'},
	},
	details: 'Serves a page on 127.0.0.1 until Ctrl+C, and opens it in a browser if there is one. The address has a random token in it: nothing can be seen or purged without it.',
	examples: [
		['inspect the cache of a server', 'got-redis-cache inspect --store redis://cache.example.com'],
		['over SSH: forward a port, and open the address that is printed', 'got-redis-cache inspect --port 9090 --no-open'],
	],
	run,
};
