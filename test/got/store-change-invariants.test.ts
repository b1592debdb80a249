import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import fc from 'fast-check';
import got, {type Got, type OptionsInit} from 'got';
import {evaluateResponse} from '../../source/http/policy.ts';
import type {Settings} from '../../source/http/settings.ts';
import {whyNotStorable} from '../../source/http/storability.ts';
import {redisCache} from '../../source/index.ts';
import {defaultSettings} from '../http/helpers.ts';
import {respond, startOrigin, type Origin, type RecordedRequest} from '../helpers/origin.ts';
import {runsOf, triesOf} from '../helpers/runs.ts';
import {interfaces} from './store-change-helpers.ts';

/*
Whatever is stored, whoever asks, however, and whatever the origin says: nothing of a response that may not be stored is written, or given to anybody else.
*/

type Fields = Readonly<Record<string, string>>;

/** In each header field and body that the origin sends to A, and nowhere else. */
const secret = 'secret';
const secretBytes = 'SSSSS';
const openBytes = 'ooooo';

type Given = {
	readonly isShared: boolean;
	readonly isReadOnly: boolean;
	/** What B has brought into the store. */
	readonly stored: {
		readonly kind: 'whole' | 'part' | 'head' | 'none';
		readonly cacheControl: string;
		readonly vary: string | undefined;
		readonly etag: string | undefined;
	};
	/** How A asks. */
	readonly request: {
		readonly interface: 'promise' | 'stream';
		readonly method: string;
		readonly headers: Readonly<Record<string, string | undefined>>;
		readonly mode: 'default' | 'reload' | 'no-cache' | 'force-cache';
		/** Whether B asks for the same at the same time. */
		readonly isWithB: boolean;
	};
	/** What the origin says to A. */
	readonly answer: {
		readonly status: number;
		readonly fields: Readonly<Record<string, string | undefined>>;
	};
};

const optional = (values: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Record<string, string | undefined>> =>
	fc.record(Object.fromEntries(Object.entries(values).map(([name, each]) => [name, fc.option(fc.constantFrom(...each), {nil: undefined, freq: 2})])));

const circumstances = {
	isShared: fc.constantFrom(true, true, true, false),
	isReadOnly: fc.constantFrom(false, false, false, false, true),
};

const storedControl = fc.constantFrom(
	'max-age=0',
	'max-age=600',
	'public, max-age=0',
	'max-age=0, must-revalidate',
	's-maxage=600',
	'max-age=0, stale-while-revalidate=600',
	'max-age=0, stale-if-error=600',
	'max-age=0, private="X-User"',
	'max-age=0, no-cache="Set-Cookie"',
);

const credentials = {authorization: ['Bearer A'], cookie: ['user=A']};

const said = {
	'cache-control': [
		'private',
		'no-store',
		'private, max-age=60',
		'no-store, max-age=60',
		'max-age=60',
		'max-age=60, private="X-User, Set-Cookie"',
		'no-cache',
		'public, max-age=60',
		's-maxage=60',
		'max-age=60, must-revalidate',
		'no-store, must-understand, max-age=60',
	],
	'set-cookie': [`session=${secret}`],
	vary: ['*', 'accept-language', 'cookie'],
	expires: ['Thu, 01 Jan 2099 00:00:00 GMT'],
};

const anything: fc.Arbitrary<Given> = fc.record({
	...circumstances,
	stored: fc.record({
		kind: fc.constantFrom('whole', 'part', 'head', 'none'),
		cacheControl: storedControl,
		vary: fc.constantFrom(undefined, 'accept-language', 'cookie'),
		etag: fc.constantFrom('"1"', 'W/"1"', undefined),
	}),
	request: fc.record({
		interface: fc.constantFrom('promise', 'stream'),
		method: fc.constantFrom('GET', 'HEAD', 'POST', 'QUERY'),
		headers: optional({
			...credentials,
			'cache-control': ['no-cache', 'no-store', 'max-age=0', 'max-stale'],
			'if-none-match': ['"1"', '"2"'],
			range: ['bytes=0-4', 'bytes=5-9', 'bytes=5-'],
			'accept-language': ['en', 'de'],
		}),
		mode: fc.constantFrom('default', 'reload', 'no-cache', 'force-cache'),
		isWithB: fc.boolean(),
	}),
	answer: fc.record({
		status: fc.constantFrom(304, 206, 200, 404, 410, 302, 401, 403, 416, 429, 503),
		fields: optional({...said, etag: ['"1"', '"2"', 'W/"1"'], 'content-location': ['/items']}),
	}),
});

/** A response without content that tells of what is stored. */
const updates: fc.Arbitrary<Given> = fc.record({
	...circumstances,
	stored: fc.record({
		kind: fc.constant('whole'),
		cacheControl: storedControl,
		vary: fc.constantFrom(undefined, undefined, 'accept-language'),
		etag: fc.constantFrom('"1"', 'W/"1"'),
	}),
	request: fc.record({
		interface: fc.constantFrom('promise', 'stream'),
		method: fc.constantFrom('GET', 'GET', 'HEAD'),
		headers: optional({...credentials, 'cache-control': ['no-cache', 'max-age=0'], 'if-none-match': ['"1"'], 'accept-language': ['en', 'de']}),
		mode: fc.constantFrom('default', 'default', 'no-cache'),
		isWithB: fc.boolean(),
	}),
	answer: fc.record({
		status: fc.constantFrom(304, 304, 200),
		fields: optional({...said, etag: ['"1"']}),
	}),
});

/** A part that goes with what is stored. */
const parts: fc.Arbitrary<Given> = fc.record({
	...circumstances,
	stored: fc.record({
		kind: fc.constantFrom('part', 'part', 'whole'),
		cacheControl: storedControl,
		vary: fc.constant(undefined),
		etag: fc.constant('"1"'),
	}),
	request: fc.record({
		interface: fc.constantFrom('promise', 'promise', 'stream'),
		method: fc.constant('GET'),
		headers: optional({...credentials, range: ['bytes=5-9', 'bytes=5-']}),
		mode: fc.constantFrom('default', 'default', 'no-cache'),
		isWithB: fc.boolean(),
	}),
	answer: fc.record({
		status: fc.constant(206),
		fields: optional(said).map(fields => ({...fields, etag: '"1"'})),
	}),
});

/** What is written at any time, whatever comes of it. */
class RecordingMap extends Map<string, {value: Uint8Array}> {
	readonly written: string[] = [];

	override set(key: string, entry: {value: Uint8Array}) {
		this.written.push(key, Buffer.from(entry.value).toString('latin1'));
		return super.set(key, entry);
	}
}

const withoutUndefined = (fields: Readonly<Record<string, string | undefined>>): Fields =>
	Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined));

const isUser = ({headers}: RecordedRequest, user: string) => headers['x-who'] === user;

type Sent = {readonly status: number; readonly fields: Fields};

/** What the origin says to A: as it is told to, as far as the request allows it. */
const answerTo = ({method, headers}: RecordedRequest, {status, fields}: Given['answer']): Sent & {readonly body: string} => {
	const told = withoutUndefined({...fields, 'x-user': secret});
	if (status === 304) {
		return headers['if-none-match'] === undefined ? {status: 200, fields: told, body: `${secret} ${secretBytes}`} : {status, fields: told, body: ''};
	}

	if (status !== 206) {
		return {status, fields: told, body: `${secret} ${secretBytes}`};
	}

	return method !== 'GET' || headers.range === undefined
		? {status: 200, fields: told, body: openBytes + secretBytes}
		: {status, fields: {...told, 'content-range': headers.range === 'bytes=0-4' ? 'bytes 0-4/10' : 'bytes 5-9/10'}, body: secretBytes};
};

const rawHeadersOf = (fields: Fields): string[] => Object.entries(fields).flat();

/** The fields of a response without content: where they are silent, what is stored speaks for them. A 304 to `Authorization` has to allow it itself. */
const bareFields = (fields: Fields, cacheControl: string, {authorization}: Given['request']['headers']): Fields => ({
	etag: '"1"',
	...fields['cache-control'] === undefined && authorization === undefined && {'cache-control': cacheControl},
	...fields,
});

/** Whether what the origin has said to A may be stored, by itself. */
const isRefused = ({status, fields}: Sent, {isShared, isReadOnly, stored, request: {method, headers, mode}}: Given): boolean => {
	if (isReadOnly || (status === 304 && stored.kind === 'none')) {
		return true;
	}

	const isBare = status === 304 || (method === 'HEAD' && stored.kind !== 'none' && stored.kind !== 'head');
	const settings: Settings = {...defaultSettings, isShared, mode};
	const isSilent = fields['cache-control'] === undefined;
	const isPost = method === 'POST';
	const reception = {
		request: {method: isPost ? 'GET' : method, url: 'https://example.com/items', headers: withoutUndefined(headers)},
		response: {statusCode: status === 304 ? 200 : status, statusMessage: '', httpVersion: '1.1', rawHeaders: rawHeadersOf(isBare ? bareFields(fields, stored.cacheControl, headers) : fields)},
		requestTimeMs: Date.now(),
		responseTimeMs: Date.now(),
		settings,
	};
	const appraisal = evaluateResponse(reception);
	const isCookieUnspoken = isShared && isBare && isSilent && fields.expires === undefined && fields['set-cookie'] !== undefined;

	return whyNotStorable({...reception, appraisal}) !== undefined || isCookieUnspoken || (isPost && !(appraisal.isExplicit && 'content-location' in fields));
};

const storedFields = ({cacheControl, vary, etag}: Given['stored']): Fields => withoutUndefined({'cache-control': cacheControl, vary, etag, 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT'});

const part = (fields: Fields, isFirst: boolean) => ({status: 206, headers: {...fields, 'content-range': isFirst ? 'bytes 0-4/10' : 'bytes 5-9/10'}, body: openBytes});

/** How B asks later: for another variant, for a part, and for what is stale. */
const othersOptions: readonly OptionsInit[] = [
	{headers: {'accept-language': 'de', 'cache-control': 'max-stale'}},
	{headers: {range: 'bytes=5-9'}},
	{method: 'HEAD'},
	{context: {cache: {mode: 'force-cache'}}},
];

/** Lets what goes on in the background end. */
const settled = async (active: ReadonlySet<unknown>) => {
	for (let quiet = 0; quiet < 10; quiet++) {
		await nextTurn();
		quiet = active.size > 0 ? 0 : quiet;
	}
};

type World = {
	readonly origin: Origin;
	readonly active: Set<unknown>;
	/** What the origin has said to A. */
	readonly sent: Sent[];
	isDown: boolean;
};

const serve = (world: World, {stored, answer}: Given) => {
	const fields = storedFields(stored);
	world.origin.handler = (request, response) => {
		world.active.add(response);
		response.once('close', () => {
			world.active.delete(response);
		});
		if (isUser(request, 'A')) {
			const {status, fields: told, body} = answerTo(request, answer);
			world.sent.push({status, fields: told});
			respond(response, {status, headers: told, body});
		} else if (world.isDown) {
			response.destroy();
		} else if (stored.etag !== undefined && request.headers['if-none-match']?.includes(stored.etag)) {
			respond(response, {status: 304, headers: {etag: stored.etag}});
		} else if (request.headers.range === undefined) {
			respond(response, {headers: fields, body: openBytes + openBytes});
		} else {
			respond(response, part(fields, request.headers.range === 'bytes=0-4'));
		}
	};
};

/** What B brings into the store. */
const fill = async (client: Got, {stored: {kind}}: Given) => {
	if (kind !== 'none') {
		await client('items', {whole: {}, part: {headers: {range: 'bytes=0-4'}}, head: {method: 'HEAD'} as const}[kind]);
	}
};

const asUser = (user: string, options: OptionsInit = {}): OptionsInit => ({...options, headers: {...options.headers, 'x-who': user}});

const askOthers = async (client: Got, world: World): Promise<string[]> => {
	const texts: string[] = [];
	for (const isDown of [true, false]) {
		world.isDown = isDown;
		for (const options of othersOptions) {
			const answer = await interfaces.promise!(client, asUser('B', options)).catch(() => undefined);
			texts.push(JSON.stringify([answer?.headers, answer?.body]));
			await settled(world.active);
		}
	}

	return texts;
};

/** @returns What of A's is written or given to B, though it may not be; `undefined` if it may. */
const leaksIn = async (origin: Origin, scenario: Given): Promise<string[] | undefined> => {
	const {isShared, isReadOnly, request: {interface: name, method, headers, mode, isWithB}} = scenario;
	const map = new RecordingMap();
	const world: World = {origin, active: new Set(), sent: [], isDown: false};
	const create = (readOnly: boolean) => redisCache({store: map, shared: isShared, compression: false, readOnly});
	const [cache, filling] = [create(isReadOnly), create(false)];
	const base = got.extend({prefixUrl: origin.url, retry: {limit: 0}, throwHttpErrors: false, followRedirect: false});
	const client = base.extend(cache);
	serve(world, scenario);
	await fill(base.extend(filling), scenario);
	await settled(world.active);

	const asA = asUser('A', {method, headers: withoutUndefined(headers), context: {cache: {mode}}, ...((method === 'QUERY' || method === 'POST') && {body: 'q'})});
	const asB = asUser('B', {...asA, headers: withoutUndefined({...headers, authorization: undefined, cookie: undefined})});
	const ask = async (options: OptionsInit) => interfaces[name]!(client, options).catch(() => undefined);
	const [, beside] = await Promise.all([ask(asA), isWithB && method !== 'POST' ? ask(asB) : undefined]);
	await settled(world.active);
	const given = [JSON.stringify([beside?.headers, beside?.body]), ...await askOthers(client, world)];
	await Promise.all([cache.close(), filling.close()]);

	const isStorable = world.sent.length === 0 || world.sent.some(sent => !isRefused(sent, scenario));
	return isStorable ? undefined : [...map.written, ...given].filter(text => text.includes(secret) || text.includes(secretBytes));
};

for (const [what, scenarios] of Object.entries({'any response': anything, 'a 304 or HEAD response': updates, 'a part': parts})) {
	test(`nothing of ${what} that may not be stored is written, or given to anybody else`, async () => {
		await using origin = await startOrigin();
		const tries = 150;
		let refused = 0;
		await fc.assert(fc.asyncProperty(scenarios, async scenario => {
			const leaks = await leaksIn(origin, scenario);
			refused += Number(leaks !== undefined);
			assert.deepEqual(leaks ?? [], []);
		}), triesOf(tries));

		assert.ok(refused > runsOf(tries) / 5, `${refused} refused`);
	});
}
