import {STATUS_CODES} from 'node:http';
import type {CachedResponse} from '../../index.ts';
import {bodyFields, mediaTypeIn, textOf} from '../formats/body.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';
import {formatBytes, formatSeconds, pad, plain, plainLines} from '../terminal/text.ts';
import {bookkeepingAt} from './bookkeeping.ts';
import type {Command, CommandContext} from './command.ts';
import {isEncrypted, isStoreKey, locate, requestOptions} from './request.ts';
import {expiryOf} from './sqlite-file.ts';
import type {StoreAccess} from './store-access.ts';

type Shown = CachedResponse & {readonly keptUntil: Date | undefined};

/** The number of lines of a body that a terminal shows. */
const mostLines = 200;

const mediaTypeOf = ({headers}: CachedResponse): string | undefined => mediaTypeIn(Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map(each => [name, each] as const)));

const timeOf = (date: Date | undefined): string => date?.toISOString().replace('.000Z', 'Z') ?? 'never';

const relative = (date: Date | undefined): string => {
	if (date === undefined) {
		return '';
	}

	const seconds = (date.getTime() - Date.now()) / 1000;
	return seconds < 0 ? ` (${formatSeconds(-seconds)} ago)` : ` (in ${formatSeconds(seconds)})`;
};

/** The time at which the store removes a key; `undefined` if it never does, or does not tell. */
const keptUntilOf = async (store: StoreAccess, storeKey: string): Promise<Date | undefined> => {
	if (store.file !== undefined) {
		return expiryOf(store.file, storeKey);
	}

	const {connectForKeys} = await import('./server.ts');
	try {
		const {send, close} = await connectForKeys(store);
		try {
			// Redis 7 knows the time itself, which does not change between two calls.
			const atMs = await send('PEXPIRETIME', storeKey).catch(() => undefined);
			const milliseconds = atMs === undefined ? Number(await send('PTTL', storeKey)) : Number(atMs) - Date.now();
			return milliseconds > 0 ? new Date(atMs === undefined ? Date.now() + milliseconds : Number(atMs)) : undefined;
		} finally {
			close();
		}
	} catch {
		return undefined;
	}
};

const factsOf = (stored: Shown): ReadonlyArray<readonly [name: string, value: string]> => {
	const {storeKey, vary, size, age, storedAt, expiresAt, keptUntil, tags, groups} = stored;

	return [
		['age', formatSeconds(age)],
		['stored', timeOf(storedAt) + relative(storedAt)],
		[expiresAt !== undefined && expiresAt.getTime() < Date.now() ? 'expired' : 'expires', timeOf(expiresAt) + relative(expiresAt)],
		['kept', keptUntil === undefined ? 'for ever' : `until ${timeOf(keptUntil)}${relative(keptUntil)}`],
		['size', formatBytes(size)],
		['key', storeKey],
		...Object.entries(vary).map(([name, value]) => ['varies', `${name}: ${value}`] as const),
		...tags.length > 0 ? [['tags', tags.join(', ')] as const] : [],
		...groups.length > 0 ? [['groups', groups.join(', ')] as const] : [],
	];
};

const writeBody = async (stored: CachedResponse, output: Output): Promise<void> => {
	if (stored.body.length === 0) {
		return;
	}

	await output.line();
	const text = textOf(stored.body, mediaTypeOf(stored));
	if (text === undefined) {
		await output.line(output.style('dim', `(${formatBytes(stored.body.length)} that are no text: --body writes them as they are)`));
		return;
	}

	const lines = plainLines(text).split('\n');
	const shown = output.isTerminal ? lines.slice(0, mostLines) : lines;
	await output.line(shown.join('\n'));
	if (shown.length < lines.length) {
		await output.line(output.style('dim', `(${lines.length - shown.length} more lines: --body writes all of them)`));
	}
};

const writeAll = async (stored: Shown, output: Output): Promise<void> => {
	const {url, method, statusCode, isFresh, headers} = stored;
	const state = isFresh ? output.style('green', 'fresh') : output.style('yellow', 'stale');
	await output.line(output.style('bold', plain(`${method} ${url}`)));
	await output.line(`${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trimEnd() + `, ${state}`);
	await output.line();
	for (const [name, value] of factsOf(stored)) {
		await output.line(`${output.style('dim', pad(name, 8))} ${plain(value)}`); // eslint-disable-line no-await-in-loop -- Lines have an order.
	}

	await output.line();
	for (const [name, value] of Object.entries(headers)) {
		for (const each of [value ?? []].flat()) {
			await output.line(`${output.style('cyan', plain(name))}: ${plain(each)}`); // eslint-disable-line no-await-in-loop
		}
	}

	await writeBody(stored, output);
};

const toJson = (stored: Shown) => {
	const {body, ...entry} = stored;
	return {...entry, ...bodyFields(body, mediaTypeOf(stored))};
};

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const [target = ''] = given.positionals;
	const bookkeeping = await bookkeepingAt(target, store);
	if (bookkeeping !== undefined) {
		output.warn(`${target} is no response, but bookkeeping of the cache: ${bookkeeping}`);
		return 'nothingFound';
	}

	const {cache, read} = locate(given, store, target);
	const found = await read();
	if (!found) {
		store.throwIfFailed();
		if (cache.health().counters.corrupt > 0 && !await isEncrypted(store)) {
			throw new Failure('incomplete', `The value that is stored for ${target} cannot be read, and requests miss it: \`got-redis-cache ls\` says why, and \`got-redis-cache purge KEY\` removes it`);
		}

		const advice = isStoreKey(target) ? '`got-redis-cache ls --keys` lists the keys' : '`got-redis-cache ls --url URL` also finds it for other methods, bodies and users';
		output.warn(
			`Nothing is stored for ${target} in ${store.place}; ${(await isEncrypted(store)) ? 'the responses are encrypted: give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION' : advice}`,
		);
		return 'nothingFound';
	}

	const stored: Shown = {...found, keptUntil: await keptUntilOf(store, found.storeKey)};
	if (given.flag('body')) {
		const text = textOf(stored.body, mediaTypeOf(stored)) ?? '(no text: redirect it to a file)';
		await (output.isTerminal ? output.line(plainLines(text)) : output.bytes(stored.body));
	} else {
		await (output.isJson ? output.json(toJson(stored)) : writeAll(stored, output));
	}

	return 'done';
};

export const show: Command = {
	name: 'show',
	summary: 'show a stored response: freshness, times, header fields, body',
	usage: 'URL|KEY [options]',
	arguments: [1, 1],
	options: {
		...requestOptions,
		body: {type: 'boolean', description: 'the body alone, byte for byte'},
	},
	details:
		'Of several variants, the one that --header selects is shown, else the one that was stored last. A KEY is one of Redis, as other tools show it, such as \'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}\'.',
	examples: [
		['what is stored for a URL', 'got-redis-cache show https://api.example.com/items'],
		['the German variant', 'got-redis-cache show https://api.example.com/items -H \'accept-language: de\''],
		['by the key that RedisInsight shows', 'got-redis-cache show \'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}\''],
		['a stored image, as a file', 'got-redis-cache show https://api.example.com/logo.png --body > logo.png'],
	],
	run,
};
