/*
A slow API that then fails, asked without the cache and with it: `npm run demo`.

Everything that it prints was measured, or read from the responses and from Redis, while it ran.
*/
import {setTimeout as delay} from 'node:timers/promises';
import got, {type Got} from 'got';
import {cacheInfo, redisCache} from '../source/index.ts';
import {startSlowOrigin} from './demo/origin.ts';
import {
	paint,
	printColumnNames,
	printEntry,
	printHeading,
	printLine,
	printRow,
} from './demo/screen.ts';
import {openStore, readEntries} from './demo/store.ts';

const origin = await startSlowOrigin();
const store = await openStore(reason => {
	printLine(paint('yellow', `No Redis at hand (${reason}): this runs on a store in memory.`));
});

const uncached = got.extend({prefixUrl: origin.url, retry: {limit: 0}});
const cached = uncached.extend(redisCache({store}));
// Shares nothing with the first one but what is stored, as another process would.
const second = uncached.extend(redisCache({store}));

const paths = new Map<string | undefined, string>();
const withCache = {requests: 0, answers: 0};

const ask = async (client: Got, path: string, language?: string): Promise<void> => {
	const answersBefore = origin.answers.length;
	const startedAt = performance.now();
	const response = await client(path, {headers: {'accept-language': language}});
	const milliseconds = performance.now() - startedAt;

	const info = cacheInfo(response);
	const answers = origin.answers.slice(answersBefore);
	printRow({
		request: `GET /${path}${language ? ` in ${language}` : ''}${client === second ? ', client 2' : ''}`,
		milliseconds,
		info,
		answers,
	});

	if (info === undefined) {
		return;
	}

	paths.set(info.key, `/${path}`);
	withCache.requests++;
	withCache.answers += answers.length;
};

printColumnNames();

printHeading('Without the cache');
await ask(uncached, 'weather');
await ask(uncached, 'weather');

printHeading('With got.extend(redisCache())');
await ask(cached, 'weather');
await ask(cached, 'weather');
await ask(second, 'weather');
await ask(cached, 'news', 'en');
await ask(cached, 'news', 'de');
await ask(second, 'news', 'en');
await ask(cached, 'logo.svg');
await ask(cached, 'logo.svg');

await delay(2100);
printHeading('The weather was good for two seconds, which have passed');
await ask(cached, 'weather');
await ask(second, 'weather');

await delay(2100);
origin.fail();
printHeading('The origin answers 503 to everything');
await ask(cached, 'weather');
await ask(cached, 'news', 'de');

origin.stop();
printHeading('The origin is switched off');
await ask(second, 'weather');
await ask(second, 'logo.svg');

printHeading(`In ${store instanceof Map ? 'the store' : 'Redis'}: keys, and how long they are kept (lifetime, grace for errors, and an hour more)`);
const entries = await readEntries(store);
for (const entry of entries.toSorted((first, other) => first.ttlMs - other.ttlMs)) {
	printEntry(entry, paths.get(/\{[\w\-]+\}/v.exec(entry.key)?.[0]) ?? '');
}

printHeading(`${withCache.requests} requests with the cache, ${withCache.answers} answers from the origin: ${paint('green', `${withCache.requests - withCache.answers} saved`)}, none failed`);
