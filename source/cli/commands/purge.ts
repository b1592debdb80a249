import process from 'node:process';
import type {EntryFilter, Purgeable, RedisCache} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {confirm} from '../terminal/confirm.ts';
import {plain} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {filterOptions} from './filters.ts';
import type {Given} from './given.ts';
import {confirmedUnlessInterrupted} from './interruption.ts';
import {unknownTags} from './known.ts';
import {nothingIn} from './ls.ts';
import {isEncrypted, isStoreKey, locate, missingKeys, refuseWithKey, requestOptions} from './request.ts';
import {countUnreadable} from './unreadable.ts';

/** One purge: how it is told, whether an entry goes with it, and how it is made. */
type Purge = {
	readonly what: string;
	/** Opens the cache, and is called once. */
	open(): {
		readonly cache: RedisCache;
		/** How many responses it finds, where that takes no look at everything; `undefined` otherwise. */
		count?(): Promise<number>;
		run(): Promise<boolean>;
	};
	/** For a dry run. */
	readonly filter: EntryFilter | undefined;
	readonly groups?: readonly string[] | undefined;
};

const purgeTarget = ({given, store}: CommandContext, target: string): Purge => ({
	what: isStoreKey(target) ? `the key ${target}` : target,
	filter: undefined,
	open() {
		const {cache, read, remove} = locate(given, store, target);
		return {cache, count: async () => Number(await read() !== undefined), run: remove};
	},
});

const commonOf = (given: Given): Array<readonly [what: string, purgeable: Purgeable, filter: EntryFilter, groups?: readonly string[]]> => {
	const [tags, groups] = [given.all('tag'), given.all('group')];
	const [origin, prefix, pattern, url, olderThan] = ['origin', 'prefix', 'pattern', 'url', 'older-than'].map(name => given.text(name));
	if (origin === undefined && groups.length > 0) {
		throw new Failure('wrongUsage', '--group needs --origin, whose group it is, as in --group items --origin https://api.example.com');
	}

	const names = (values: readonly string[]) => values.map(value => `'${value}'`).join(' or ');

	return [
		...tags.length > 0 ? [[`the tag ${names(tags)}`, {tag: tags}, {tag: tags}] as const] : [],
		...origin !== undefined && groups.length > 0 ? [[`the group ${names(groups)} of ${origin}`, {group: groups, origin}, {origin}, groups] as const] : [],
		...origin !== undefined && groups.length === 0 ? [[`the origin ${origin}`, {origin}, {origin}] as const] : [],
		...prefix === undefined ? [] : [[`the prefix ${prefix}`, {prefix}, {prefix}] as const],
		...pattern === undefined ? [] : [[`the pattern ${pattern}`, {pattern}, {pattern}] as const],
		...url === undefined ? [] : [[`${url}, for all methods and users`, {url}, {url}] as const],
		...olderThan === undefined ? [] : [[`what is older than ${olderThan}`, {olderThan: olderThan as '1h'}, {olderThan: olderThan as '1h'}] as const],
		...given.flag('stale') ? [['what is stale', {stale: true}, {stale: true}] as const] : [],
	];
};

const purgeOfAll = ({store}: CommandContext): Purge => ({
	what: `everything in the namespace '${store.namespace}'`,
	filter: {},
	open() {
		const cache = store.open();
		return {cache, run: async () => cache.clear()};
	},
});

/** The one purge that the arguments name. */
const purgeOf = (context: CommandContext): Purge => {
	const {given, store} = context;
	const purges: Purge[] = [
		...given.positionals.map(target => purgeTarget(context, target)),
		...commonOf(given).map(([what, purgeable, filter, groups]): Purge => ({
			what,
			filter,
			groups,
			open() {
				const cache = store.open();
				return {cache, run: async () => cache.invalidate(purgeable, {soft: given.flag('soft')})};
			},
		})),
		...given.flag('all') ? [purgeOfAll(context)] : [],
	];
	const [purge] = purges;
	if (!purge || purges.length > 1) {
		throw new Failure(
			'wrongUsage',
			`Give exactly one of URL, KEY, --tag, --group with --origin, --origin, --prefix, --pattern, --url, --older-than, --stale and --all, not ${purges.length === 0 ? 'none' : purges.map(({what}) => what).join(' and ')}: each purge has one thing in common`,
		);
	}

	if (given.flag('soft') && (given.positionals.length > 0 || given.flag('all'))) {
		throw new Failure(
			'wrongUsage',
			given.flag('all')
				? '--soft is not for --all: use --older-than 0s --soft'
				: '--soft is not for one URL or key: use --url URL --soft, which is for all its users and methods',
		);
	}

	if (given.positionals.length === 0) {
		const useless = Object.keys(requestOptions).find(name => given.all(name).length > 0);
		if (useless !== undefined) {
			throw new Failure('wrongUsage', `--${useless} is for one URL: give it, or leave --${useless} out`);
		}
	} else if (isStoreKey(given.positionals[0] ?? '')) {
		refuseWithKey(given);
	}

	return purge;
};

/** Whether a purge removes also what cannot be read: everything, or a key. */
const isForAnyKey = (given: Given): boolean => given.flag('all') || given.positionals.some(target => isStoreKey(target));

const dryRun = async ({output, store}: CommandContext, {what, filter, groups: purgedGroups, open}: Purge): Promise<Outcome> => {
	const {cache, count} = open();
	const unreadable = countUnreadable();
	let found = 0;
	let bytes = 0;
	if (filter === undefined) {
		found = await count?.() ?? 0;
		store.throwIfFailed();
	} else {
		for await (const {url, size, groups} of cache.entries(filter, {onUnreadable: unreadable.note})) {
			if (purgedGroups?.every(group => !groups.includes(group))) {
				continue;
			}

			found++;
			bytes += size;
			if (!output.isJson) {
				await output.line(plain(url));
			}
		}
	}

	if (output.isJson) {
		await output.json({purge: what, dryRun: true, found, ...filter && {bytes}});
	} else {
		await output.line(plain(`Would purge ${what}: ${found} ${found === 1 ? 'response' : 'responses'}. Nothing was purged, because of --dry-run.`));
	}

	unreadable.warn(output);

	if (found > 0) {
		return 'done';
	}

	output.warn(nothingIn(store, true));
	return 'nothingFound';
};

/**
Asks before everything is purged, which nothing brings back.

@throws {Failure} If there is nobody to ask.
*/
const isSure = async ({output, store}: CommandContext, what: string): Promise<boolean | undefined> => {
	if (!process.stdin.isTTY || !output.isTerminal || output.isJson) {
		throw new Failure('wrongUsage', '--all purges everything in the namespace, and there is no terminal to ask: add --yes, or see with --dry-run what would be purged');
	}

	return confirm(plain(`Purge ${what} of ${store.address}?`));
};

type PurgeResult = {
	/** In words. */
	readonly what: string;
	readonly isConfirmed: boolean;
	/** The number of responses that were there; `undefined` if nobody has counted. */
	readonly found: number | undefined;
};

const tellResult = async ({given, output, store}: CommandContext, {what, isConfirmed, found}: PurgeResult): Promise<void> => {
	const isSoft = given.flag('soft');
	if (output.isJson) {
		await output.json({purge: what, soft: isSoft, confirmed: isConfirmed, ...found !== undefined && {found: found > 0}});
		return;
	}

	const nothing = found === 0 ? ` Nothing readable was stored for it in ${store.place}; requests that were under way will not store their responses.` : '';
	const did = isSoft ? 'Softly purged' : 'Purged';
	const consequence = isSoft ? ' Each response is validated before it is used again.' : '';
	await output.line(plain(isConfirmed
		? `${did} ${what}. Redis confirmed it, for every process.${consequence}${nothing}`
		: `Redis did not confirm the purge of ${what}: run it again`));
};

const run = async (context: CommandContext): Promise<Outcome> => {
	const {given, output, store} = context;
	const purge = purgeOf(context);
	if (given.flag('dry-run')) {
		return dryRun(context, purge);
	}

	const sure = !given.flag('all') || given.flag('yes') || await isSure(context, purge.what);
	if (!sure) {
		output.warn('Nothing was purged');
		return sure === undefined ? 'interrupted' : 'declined';
	}

	const {count, run: make} = purge.open();
	const found = await count?.();
	const tags = given.all('tag');
	const unknown = tags.length > 0 ? await unknownTags(tags, store) : undefined;
	const isConfirmed = await confirmedUnlessInterrupted('the purge', output, make());
	if (!isConfirmed) {
		store.throwIfFailed();
	}

	await tellResult(context, {what: purge.what, isConfirmed, found});
	if (isConfirmed && !isForAnyKey(given) && await isEncrypted(store)) {
		output.warn(`The responses in this namespace are encrypted, so this purge does not reach them: ${missingKeys}`);
		return 'incomplete';
	}

	if (isConfirmed && unknown !== undefined) {
		output.warn(unknown);
	}

	return isConfirmed ? 'done' : 'notConfirmed';
};

export const purge: Command = {
	name: 'purge',
	summary: 'remove responses, or have them validated before their next use',
	usage: 'URL|KEY | --tag TAG | --prefix URL | … [options]',
	arguments: [0, 1],
	options: {
		...filterOptions,
		tag: {...filterOptions.tag!, description: 'responses with this tag; several tags: with any of them'},
		group: {type: 'string', value: 'GROUP', multiple: true, description: 'a cache group of --origin (RFC 9875)'},
		all: {type: 'boolean', description: 'everything in the namespace'},
		yes: {type: 'boolean', short: 'y', description: 'do not ask before --all; needed where there is no terminal'},
		soft: {type: 'boolean', description: 'keep the responses, but have them validated before their next use'},
		'dry-run': {type: 'boolean', description: 'list what would be purged, and purge nothing'},
		...requestOptions,
	},
	details:
		'A URL is purged with all its variants. A URL with a body, or of another user, is purged by --url. A purge is done when Redis confirms it, even if nothing was stored: then no request that is under way brings it back.',
	examples: [
		['a URL', 'got-redis-cache purge https://api.example.com/items'],
		['all responses with a tag', 'got-redis-cache purge --tag items'],
		['what a prefix would remove', 'got-redis-cache purge --prefix https://api.example.com/items/ --dry-run'],
		['have an origin\'s responses validated', 'got-redis-cache purge --origin https://api.example.com --soft'],
		['a key that RedisInsight shows', 'got-redis-cache purge \'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}\''],
	],
	run,
};
