import type {RedisCache} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {plain} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {confirmedUnlessInterrupted} from './interruption.ts';
import {isEncrypted, isUrl, missingKeys} from './request.ts';

/** Whether the origin has a switch, which its version in the store tells: no search is needed. */
const hasSwitch = async (cache: RedisCache, origin: string, {store}: CommandContext): Promise<boolean> => {
	const {originSwitch, store: {isAnswering}} = await cache.explain({url: origin});
	if (!isAnswering) {
		store.throwIfFailed();
	}

	return originSwitch !== undefined;
};

const thawOne = async (cache: RedisCache, origin: string, {output, store}: CommandContext): Promise<Outcome> => {
	const isConfirmed = await confirmedUnlessInterrupted('the switch', output, cache.thaw({origin}));
	if (!isConfirmed) {
		store.throwIfFailed();
	}

	const told = isConfirmed ? `Thawed ${new URL(origin).origin}: every process uses the cache and the origin again.` : 'Redis did not confirm that: run it again';
	await (output.isJson ? output.json({switch: 'thaw', origin: new URL(origin).origin, confirmed: isConfirmed}) : output.line(plain(told)));

	return isConfirmed ? 'done' : 'notConfirmed';
};

const thawAll = async (cache: RedisCache, context: CommandContext): Promise<Outcome> => {
	let outcome: Outcome = 'nothingFound';
	for (const {origin} of await cache.switches()) {
		const next = await thawOne(cache, origin, context); // eslint-disable-line no-await-in-loop -- One line after the other.
		outcome = outcome === 'notConfirmed' ? outcome : next;
	}

	return outcome;
};

/** The origin that was given; `undefined` for all. */
const targetOf = ({given}: CommandContext): string | undefined => {
	const [target] = given.positionals;
	if (given.flag('all') === (target !== undefined)) {
		throw new Failure('wrongUsage', 'Give either an origin such as https://api.example.com, or --all');
	}

	if (target !== undefined && !isUrl(target)) {
		throw new Failure('wrongUsage', `'${target}' is no origin: give one such as https://api.example.com`);
	}

	return target;
};

/** Whether the URL has a path, which `thaw()` refuses. */
const hasPath = (url: string): boolean => new URL(url).href !== `${new URL(url).origin}/`;

const run = async (context: CommandContext): Promise<Outcome> => {
	const {output, store} = context;
	const target = targetOf(context);
	const cache = store.open({isPlain: true});
	if (target !== undefined && (hasPath(target) || await hasSwitch(cache, target, context))) {
		return thawOne(cache, target, context);
	}

	const outcome = target === undefined ? await thawAll(cache, context) : 'nothingFound';
	if (outcome !== 'nothingFound') {
		return outcome;
	}

	if (await isEncrypted(store)) {
		output.warn(`The responses in this namespace are encrypted, and so are its switches: ${missingKeys}`);
		return 'incomplete';
	}

	output.warn(`Found nothing to thaw: ${target === undefined ? 'no origin is frozen or bypassed' : `${new URL(target).origin} is neither frozen nor bypassed`} in ${store.place}; \`got-redis-cache switches\` lists the origins that are`);
	return 'nothingFound';
};

export const thaw: Command = {
	name: 'thaw',
	summary: 'end what freeze or bypass has begun',
	usage: 'ORIGIN | --all',
	arguments: [0, 1],
	options: {
		all: {type: 'boolean', description: 'every origin that is frozen or bypassed'},
	},
	details: 'If the origin is neither frozen nor bypassed, the exit code is 1, and nothing changes in Redis.',
	examples: [
		['use the cache and the origin again', 'got-redis-cache thaw https://api.example.com'],
		['end all switches', 'got-redis-cache thaw --all'],
	],
	run,
};
