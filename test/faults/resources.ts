import {randomBytes} from 'node:crypto';
import {setTimeout as wait} from 'node:timers/promises';
import {startOrigin, type Handler, type Origin} from '../helpers/origin.ts';

/*
Resources whose every answer is known to be right or wrong: each body tells what it is the body of, and which version.
*/

export type OriginFault = 'down' | 'slow' | 'garbage';

export type Question = {
	readonly method: 'GET' | 'POST';
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly startedMs: number;
	/** What the one who asks knows to have been replaced is older. */
	readonly leastVersion: number;
};

const languages = ['de', 'en', 'fr'];
const users = ['alice', 'bob', 'carol'];
const versionMs = 700;
const shortSeconds = 1;
const slowMs = 300;

/** `/garbage/0` gives the first. */
export const garbage = [
	'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncache-control: max-age=60\r\n\r\nshort',
	'\u{0}\u{1}\u{2}',
	'HTTP/1.1 999999 \r\n\r\n',
	'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
];

const sizes: Readonly<Record<string, number>> = {large: 200_000};

/** What is large stays large when it is compressed. */
const noise = randomBytes(150_000).toString('base64');

const pick = <Value>(values: readonly Value[]): Value => {
	const value = values[Math.floor(Math.random() * values.length)];
	if (value === undefined) {
		throw new RangeError('There is nothing to pick from');
	}

	return value;
};

const selectorOf = (kind: string, headers: Readonly<Record<string, string | string[] | undefined>>): string => {
	const field = {vary: 'accept-language', session: 'cookie', user: 'authorization', private: 'x-user'}[kind];
	return field === undefined ? '-' : encodeURIComponent(String(headers[field]));
};

/** A path is `/{kind}/…`. */
const kindOf = (path: string): string => path.split('/', 2)[1] ?? '';

const bodyOf = (path: string, selector: string, version: number): string => {
	const kind = kindOf(path);
	const filling = `${path}:${selector}:${version};`;
	return `${path} ${selector} ${version} `.padEnd(sizes[kind] ?? 300, kind === 'large' ? noise.replaceAll(/.{100}/gv, chunk => chunk + filling) : filling);
};

const directives: Readonly<Record<string, string>> = {
	short: `max-age=${shortSeconds}`,
	private: 'private, max-age=60',
};

const varies: Readonly<Record<string, string>> = {vary: 'accept-language', session: 'cookie'};

export type Resources = AsyncDisposable & {
	readonly origin: Origin;
	fault: OriginFault | undefined;
	/** A request of the mix; `owner` alone changes what it asks for under its name. */
	ask(owner: string): Question;
	/** What is wrong with an answer, if anything is. */
	check(question: Question, body: string, isStale: boolean): string | undefined;
	/** The owner was told that its change is made: from now on it sees nothing older. */
	changed(path: string): void;
};

export const startResources = async (): Promise<Resources> => {
	const changes = new Map<string, number>();
	const leastVersions = new Map<string, number>();
	let fault: OriginFault | undefined;
	/** Since when nothing stale may stand in any more. */
	let wellSinceMs = 0;

	const versionOf = (kind: string, path: string): number => kind === 'short' ? Math.floor(performance.now() / versionMs) : changes.get(path) ?? 0;

	const misbehave = async (raw: Parameters<Handler>[2]): Promise<boolean> => {
		switch (fault) {
			case 'slow': {
				await wait(slowMs);
				break;
			}

			case 'down': {
				raw.socket.destroy();
				break;
			}

			case 'garbage': {
				raw.socket.end(garbage[Number(raw.url?.split('/garbage/', 2)[1])] ?? pick(garbage));
				break;
			}

			case undefined: {
				break;
			}
		}

		return fault === 'down' || fault === 'garbage';
	};

	const origin = await startOrigin(async ({method, url, headers}, response, raw) => {
		origin.requests.length = 0;
		if (await misbehave(raw)) {
			return;
		}

		const kind = kindOf(url);
		if (method === 'POST') {
			changes.set(url, (changes.get(url) ?? 0) + 1);
			response.writeHead(204);
			response.end();
			return;
		}

		const version = versionOf(kind, url);
		const selector = selectorOf(kind, headers);
		const etag = `"${version}-${selector}"`;
		const isKnown = headers['if-none-match']?.includes(etag);
		response.writeHead(isKnown ? 304 : 200, {
			'cache-control': directives[kind] ?? 'max-age=60',
			etag,
			...(varies[kind] && {vary: varies[kind]}),
		});
		response.end(isKnown ? undefined : bodyOf(url, selector, version));
	});

	const kinds = ['fresh', 'fresh', 'short', 'short', 'vary', 'vary', 'session', 'user', 'private', 'large'];

	const isInTime = (version: number, startedMs: number): boolean => {
		const endOfVersionMs = (version + 1) * versionMs;
		return version * versionMs <= performance.now() && endOfVersionMs >= startedMs - (shortSeconds * 1000) - 50;
	};

	return {
		origin,
		get fault() {
			return fault;
		},
		set fault(next) {
			fault = next;
			wellSinceMs = next === undefined ? performance.now() : Infinity;
		},
		ask(owner) {
			const kind = pick(kinds);
			const id = Math.floor(Math.random() * (kind === 'large' ? 3 : 12));
			const path = kind === 'fresh' ? `/fresh/${owner}/${id}` : `/${kind}/${id}`;
			const known = {path, startedMs: performance.now(), leastVersion: leastVersions.get(path) ?? 0};
			if (kind === 'fresh' && Math.random() < 0.15) {
				return {...known, method: 'POST', headers: {}};
			}

			const user = pick(users);
			const headers: Record<string, Record<string, string>> = {
				vary: {'accept-language': pick(languages)},
				session: {cookie: `session=${user}`},
				user: {authorization: `Bearer ${user}`},
				private: {'x-user': user},
			};
			return {...known, method: 'GET', headers: headers[kind] ?? {}};
		},
		check({path, headers, startedMs, leastVersion}, body, isStale) {
			const kind = kindOf(path);
			const version = Number(body.split(' ', 3)[2]);
			if (body !== bodyOf(path, selectorOf(kind, headers), version)) {
				return `${path} ${JSON.stringify(headers)} was answered with ${body.length} characters: ${body.slice(0, 60)}`;
			}

			if (version < leastVersion) {
				return `${path} was answered with version ${version}, which was changed before`;
			}

			if (kind === 'short' && !isInTime(version, startedMs) && !(isStale && startedMs < wellSinceMs)) {
				return `${path} was answered with version ${version}, ${Math.round(startedMs - ((version + 1) * versionMs))} ms after its end`;
			}

			return undefined;
		},
		changed(path) {
			leastVersions.set(path, changes.get(path) ?? 0);
		},
		async [Symbol.asyncDispose]() {
			await origin.stop();
		},
	};
};
