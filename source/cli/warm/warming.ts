import process from 'node:process';
import got, {type Got} from 'got';
import {cacheInfo, type RequestCacheOptions} from '../../index.ts';
import type {CommandContext} from '../commands/command.ts';
import type {Given} from '../commands/given.ts';
import {headersOf} from '../commands/request.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {formatSeconds, plain} from '../terminal/text.ts';
import {createCounts, describeCounts, resultOf, type Warmed} from './counts.ts';
import {createPace, retryAfterMs, type Pace} from './pace.ts';
import {createProgress} from './progress.ts';
import {readUrls, type ListedUrl} from './urls.ts';

/** An origin that asks for a longer break is not waited for. */
const longestBreakMs = 300_000;

const mostTries = 4;

const firstBreakMs = 1000;

const requestTimeoutMs = 30_000;

/** The number of failures that are printed one by one. */
const mostTold = 20;

const busy: ReadonlySet<number> = new Set([429, 503]);

type Asking = {
	readonly client: Got;
	readonly pace: Pace;
	readonly signal: AbortSignal;
	readonly headers: Readonly<Record<string, string>> | undefined;
	readonly cacheOptions: RequestCacheOptions;
};

const once = async ({client, signal, headers, cacheOptions}: Asking, url: string) => client(url, {
	...headers && {headers},
	retry: {limit: 0},
	timeout: {request: requestTimeoutMs},
	throwHttpErrors: false,
	signal,
	context: {cache: cacheOptions},
	responseType: 'buffer',
});

/** Asks for a URL, and again if the origin asks for a break. */
const warmOne = async (asking: Asking, {text: url}: ListedUrl): Promise<Warmed> => {
	if (!URL.canParse(url) || !/^https?:$/v.test(new URL(url).protocol)) {
		return {kind: 'failed', reason: 'it is no absolute URL of http or https'};
	}

	for (let tries = 1; ; tries++) {
		// eslint-disable-next-line no-await-in-loop -- one try after the other
		await asking.pace.turn();
		// eslint-disable-next-line no-await-in-loop
		const response = await once(asking, url);
		const {statusCode, headers} = response;
		const isBusy = busy.has(statusCode) && !response.isFromCache;
		if (!isBusy) {
			return statusCode >= 400 ? {kind: 'failed', reason: `the origin answered ${statusCode}`} : resultOf(cacheInfo(response));
		}

		const breakMs = retryAfterMs(headers['retry-after'], Date.now()) ?? (firstBreakMs * (2 ** (tries - 1)));
		if (tries === mostTries || breakMs > longestBreakMs) {
			return {kind: 'failed', reason: `the origin answered ${statusCode}${breakMs > longestBreakMs ? `, and asks to wait for ${formatSeconds(breakMs / 1000)}` : ` ${tries} times`}`};
		}

		asking.pace.pause(breakMs);
	}
};

const warmSafely = async (asking: Asking, listed: ListedUrl): Promise<Warmed | undefined> => {
	try {
		return await warmOne(asking, listed);
	} catch (error) {
		return asking.signal.aborted ? undefined : {kind: 'failed', reason: error instanceof Error ? error.message : String(error)};
	}
};

const rateOf = (given: Given): number | undefined => {
	const text = given.text('rate');
	const rate = Number(text);
	if (text !== undefined && !(rate > 0 && rate <= 100_000)) {
		throw new Failure('wrongUsage', `--rate is '${text}': give a number of requests a second, such as 10 or 0.5`);
	}

	return text === undefined ? undefined : rate;
};

const cacheOptionsOf = (given: Given): RequestCacheOptions => {
	const tags = given.all('tag');
	const expireAfter = given.text('expire-after');

	return {
		...tags.length > 0 && {tags: [...tags]},
		...expireAfter !== undefined && {expireAfter: expireAfter as '1d'},
		...given.flag('refresh') && {mode: 'no-cache'},
	};
};

/** Stops at the first interruption, and ends the process at the second. */
const stopOnInterrupt = (): AbortController => {
	const controller = new AbortController();
	process.once('SIGINT', () => {
		controller.abort();
	});

	return controller;
};

export const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const [file = '-'] = given.positionals;
	const concurrency = given.count('concurrency', 1) ?? 4;
	const rate = rateOf(given);
	const headers = headersOf(given);
	const cacheOptions = cacheOptionsOf(given);
	const cache = store.open({user: given.text('user'), key: given.text('key'), isFileCreated: true});
	await cache.ready();

	const {signal} = stopOnInterrupt();
	const asking: Asking = {client: got.extend(cache), pace: createPace(rate, signal), signal, headers, cacheOptions};
	const counts = createCounts();
	const urls = readUrls(file);
	let listed = 0;
	let isAllListed = false;
	const progress = createProgress(output.isJson ? {write: () => undefined} : process.stderr, () => isAllListed ? listed : undefined);

	const tell = (url: string, warmed: Warmed): void => {
		counts.add(url, warmed);
		const {urls: done, failed} = counts.get();
		if (warmed.kind === 'failed' && failed <= mostTold) {
			progress.clear();
			output.warn(`${url}: ${warmed.reason}${failed === mostTold ? '; further failures are counted' : ''}`, {url});
		}

		progress.show(done, describeCounts(counts.get()));
	};

	const work = async (): Promise<void> => {
		while (!signal.aborted) {
			// eslint-disable-next-line no-await-in-loop -- as many at a time as there are workers
			const {value: next} = await urls.next() as IteratorResult<ListedUrl, undefined>;
			if (next === undefined) {
				isAllListed = true;
				return;
			}

			listed++;
			// eslint-disable-next-line no-await-in-loop
			const warmed = await warmSafely(asking, next);
			if (warmed) {
				tell(next.text, warmed);
			}
		}
	};

	const startMs = performance.now();
	await Promise.all(Array.from({length: concurrency}, work));
	progress.clear();
	// The responses are in Redis when the command says so.
	await cache.close();
	const all = counts.get();
	const seconds = (performance.now() - startMs) / 1000;
	await (output.isJson
		? output.json({...all, seconds, isInterrupted: signal.aborted})
		: output.line(
			plain(
				`${signal.aborted ? 'Interrupted after' : 'Warmed'} ${describeCounts(all)}; in ${formatSeconds(seconds)}, with ${store.isConfigured ? 'the options of --config' : 'the default options of redisCache()'}.`,
			),
		));
	if (signal.aborted) {
		return 'interrupted';
	}

	if (all.failed > 0) {
		return 'incomplete';
	}

	if (Object.hasOwn(all.notStored, 'store-unavailable')) {
		store.throwIfFailed();
	}

	return all.urls === 0 ? 'nothingFound' : 'done';
};
