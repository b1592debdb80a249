import type {Duration, RedisCache} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {plain, shellWord} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {confirmedUnlessInterrupted} from './interruption.ts';
import {warnIfUnknown} from './known.ts';
import type {OptionRows} from './options.ts';
import {isEncrypted, isUrl, missingKeys} from './request.ts';
import {givenStoreOptions} from './store-options.ts';
import {thaw} from './thaw.ts';

/** A switch: how the cache is told, and how the command tells it. */
type Switch = {
	readonly name: 'freeze' | 'bypass';
	set(cache: RedisCache, origin: string, duration: Duration): Promise<boolean>;
	/** The confirmed switch, in a sentence. */
	tell(origin: string, until: string): string;
};

const defaultDuration = '30m';

/** An incident is over by then, or somebody decides anew. */
const longestMs = 7 * 86_400_000;

const runSwitch = ({name, set, tell}: Switch) => async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const [target = ''] = given.positionals;
	if (!isUrl(target)) {
		throw new Failure('wrongUsage', `'${target}' is no origin: give one such as https://api.example.com`);
	}

	const cache = store.open({isPlain: true});
	const isConfirmed = await confirmedUnlessInterrupted('the switch', output, set(cache, target, (given.text('for') ?? defaultDuration) as Duration));
	if (!isConfirmed) {
		store.throwIfFailed();
	}

	const until = cache.health().switches.find(({kind}) => kind === name)?.until;
	const {origin} = new URL(target);
	if (output.isJson) {
		await output.json({switch: name, origin, until, confirmed: isConfirmed});
	} else {
		const end = `${['got-redis-cache thaw', shellWord(origin), ...givenStoreOptions(given, store.address)].join(' ')} ends it.`;
		const told = isConfirmed ? `${tell(origin, until?.toISOString() ?? '')} ${end}` : 'Redis did not confirm that: run it again';
		await output.line(plain(told));
	}

	if (!isConfirmed) {
		return 'notConfirmed';
	}

	if (until && until.getTime() - Date.now() > longestMs) {
		output.warn('That is longer than a week: for a shorter time, run it again with another --for, which replaces this one');
	}

	if (await isEncrypted(store)) {
		output.warn(`The responses in this namespace are encrypted, so no process sees this switch: ${missingKeys}`);
		return 'incomplete';
	}

	await warnIfUnknown(origin, output, store);
	return 'done';
};

const options: OptionRows = {
	for: {type: 'string', value: 'DURATION', description: `how long the switch is in force, such as 10m or 2h (default: ${defaultDuration})`},
};

const common = {
	usage: 'ORIGIN [--for DURATION]',
	arguments: [1, 1],
	options,
} as const;

/** The commands that set and end the switches of an origin, for all processes. */
export const switchCommands: readonly Command[] = [
	{
		...common,
		name: 'freeze',
		summary: 'answer from the cache alone for a while, and do not ask the origin',
		details: 'For an origin that is down or overloaded. All processes answer with what is stored, fresh or stale, and with 504 where nothing is stored, so also for URLs whose responses are never stored. The switch ends by itself.',
		examples: [['do not ask an origin for an hour', 'got-redis-cache freeze https://api.example.com --for 1h']],
		run: runSwitch({
			name: 'freeze',
			set: async (cache, origin, duration) => cache.freeze({origin}, duration),
			tell: (origin, until) => `Froze ${origin} until ${until}: every process answers from the cache alone, and with 504 for what is not stored or never is.`,
		}),
	},
	{
		...common,
		name: 'bypass',
		summary: 'leave the cache out for an origin for a while',
		details: 'For a cache that is in doubt. All processes ask the origin for each request, and store nothing. What is stored stays, and is used again afterwards. The switch ends by itself.',
		examples: [['ask an origin directly for ten minutes', 'got-redis-cache bypass https://api.example.com --for 10m']],
		run: runSwitch({
			name: 'bypass',
			set: async (cache, origin, duration) => cache.bypass({origin}, duration),
			tell: (origin, until) => `Bypassing the cache for ${origin} until ${until}, in every process.`,
		}),
	},
	thaw,
];
