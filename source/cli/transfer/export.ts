import type {Command, CommandContext} from '../commands/command.ts';
import {filterOf, filterOptions} from '../commands/filters.ts';
import {nothingIn} from '../commands/ls.ts';
import {countUnreadable} from '../commands/unreadable.ts';
import {toData} from '../formats/exported-lines.ts';
import {harFrame, toHarEntry} from '../formats/har.ts';
import type {Outcome} from '../terminal/failure.ts';
import {toJsonLine} from '../terminal/text.ts';
import {version} from '../terminal/version.ts';
import {openSink, type Sink} from './files.ts';

export const formats = ['ndjson', 'har'] as const;

type Responses = ReturnType<ReturnType<CommandContext['store']['open']>['export']>;

const writeLines = async (responses: Responses, sink: Sink): Promise<number> => {
	let count = 0;
	for await (const response of responses) {
		await sink.write(`${toJsonLine(toData(response))}\n`);
		count++;
	}

	return count;
};

const writeHar = async (responses: Responses, sink: Sink): Promise<number> => {
	const [head, foot] = harFrame(version());
	let count = 0;
	await sink.write(head);
	for await (const response of responses) {
		await sink.write(`${count === 0 ? '' : ','}\n${toJsonLine(toHarEntry(response))}`);
		count++;
	}

	await sink.write(`\n${foot}\n`);
	return count;
};

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const file = given.text('output');
	const format = given.choice('format', formats) ?? (file?.endsWith('.har') ? 'har' : 'ndjson');
	const filter = filterOf(given);
	const cache = store.open();
	const sink = await openSink(file, output);
	try {
		const unreadable = countUnreadable();
		const count = await (format === 'har' ? writeHar : writeLines)(cache.export(filter, {onUnreadable: unreadable.note}), sink);
		await sink.finish();
		if (file !== undefined && file !== '-') {
			await (output.isJson ? output.json({exported: count, file, format}) : output.line(`Exported ${count} ${count === 1 ? 'response' : 'responses'} to ${file}.`));
		}

		unreadable.warn(output);
		if (count > 0) {
			return 'done';
		}

		output.warn(nothingIn(store, Object.keys(filter).length > 0));
		return 'nothingFound';
	} finally {
		await sink.close();
	}
};

export const exportCommand: Command = {
	name: 'export',
	summary: 'write stored responses with their bodies to a file',
	usage: '[options]',
	arguments: [0, 0],
	options: {
		...filterOptions,
		fresh: {type: 'boolean', description: 'responses that are fresh'},
		output: {type: 'string', short: 'O', value: 'FILE', description: 'the file (default: standard output)'},
		format: {
			type: 'string',
			value: 'FORMAT',
			choices: formats,
			description: 'ndjson, one response a line, or har, HTTP Archive 1.2 (default: by the name of the file, else ndjson)',
		},
	},
	details:
		'Bodies are text where they are text, and in base64 otherwise. The file has all that `import` needs to store the responses again. It holds what the responses hold: keep it as safe as the cache.',
	examples: [
		['all responses, one a line', 'got-redis-cache export --output cache.ndjson'],
		['those of an origin for the developer tools of a browser', 'got-redis-cache export --origin https://api.example.com --output api.har'],
		['from one Redis to another', 'got-redis-cache export | got-redis-cache import - --store redis://new.example.com'],
	],
	run,
};
