import type {OriginSwitch} from '../../index.ts';
import type {Outcome} from '../terminal/failure.ts';
import {createTable, type Column} from '../terminal/table.ts';
import {formatDuration, plain, truncateMiddle} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {isEncrypted, missingKeys} from './request.ts';

const columns: ReadonlyArray<Column<OriginSwitch>> = [
	{title: 'SWITCH', width: 6, rank: 0, text: ({kind}) => kind, style: () => 'yellow'},
	{title: 'LEFT', width: 11, side: 'right', rank: 1, text: ({until}) => formatDuration((until.getTime() - Date.now()) / 1000)},
	{title: 'UNTIL', width: 20, rank: 2, text: ({until}) => until.toISOString().replace(/\.\d+/v, '')},
	{title: 'ORIGIN', width: 0, rank: 0, text: ({origin}) => plain(origin), shorten: truncateMiddle},
];

const run = async ({output, store}: CommandContext): Promise<Outcome> => {
	const switches = await store.open().switches();
	if (switches.length === 0 && await isEncrypted(store)) {
		output.warn(`The responses in this namespace are encrypted, and so are its switches: ${missingKeys}`);
		return 'nothingFound';
	}

	if (switches.length === 0) {
		output.warn(`No origin is frozen or bypassed in ${store.place}; --namespace and --store look elsewhere`);
		return 'nothingFound';
	}

	const table = createTable(columns, output);
	if (!output.isJson) {
		await output.line(table.header());
	}

	for (const each of switches) {
		const {kind, origin, until} = each;
		await (output.isJson ? output.json({switch: kind, origin, until}) : output.line(table.row(each))); // eslint-disable-line no-await-in-loop -- One line after the other.
	}

	return 'done';
};

/** The command that lists which origins are frozen or bypassed. */
export const listSwitches: Command = {
	name: 'switches',
	summary: 'list the origins that are frozen or bypassed',
	usage: '[options]',
	arguments: [0, 0],
	options: {},
	details: 'Lists the switches in force, whichever process has set them, the one that ends first at the beginning. LEFT is the time after which a switch ends by itself.',
	examples: [
		['which origins are frozen or bypassed, and until when', 'got-redis-cache switches'],
		['thaw all of them', 'got-redis-cache thaw --all'],
	],
	run,
};
