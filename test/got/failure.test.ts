import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {createServer, type ServerResponse} from 'node:http';
import {constants, type ServerHttp2Stream} from 'node:http2';
import type {AddressInfo} from 'node:net';
import {
	after,
	before,
	suite,
	test,
	type TestContext,
} from 'node:test';
import got, {
	type Got,
	type OptionsInit,
	type Request,
	type Response,
} from 'got';
import {cacheInfo, redisCache, type RedisCache} from '../../source/index.ts';
import {beginHttp2, respondHttp2, startHttp2Origin, type Http2Origin} from '../helpers/http2-origin.ts';
import {isGot15, passTime} from './helpers.ts';

/*
Responses that break in every way that they can, with a cache and without. Where nothing stands in, the caller is given the same error; or the same body, where got does not notice that it broke off. Nothing of them is stored.
*/

type Exchange = ServerResponse | ServerHttp2Stream;

type Way<Each extends Exchange> = {
	/** Breaks the exchange; without it, time passes. */
	readonly act?: (exchange: Each) => void;
	readonly options?: OptionsInit;
	/** Default: all of them. */
	readonly phases?: readonly Phase[];
	/** Whether the connections that a client keeps are of no use afterwards. */
	readonly spoilsSession?: boolean;
};

type Phase = 'before the head' | 'after the head' | 'in the body';

const phases: readonly Phase[] = ['before the head', 'after the head', 'in the body'];

type Framing = 'Content-Length' | 'no length' | 'no head';

const framings: readonly Framing[] = ['Content-Length', 'no length'];

const withoutWord: readonly Phase[] = ['before the head'];
const withHead: readonly Phase[] = ['after the head', 'in the body'];

/** Of got, they end in a `TimeoutError`. The times themselves are short of what a busy machine needs for nothing else. */
const timeouts: Record<string, Way<never>> = {
	'takes longer than `timeout.response`': {options: {timeout: {response: 50}}, phases: withoutWord},
	'takes longer than `timeout.read`': {options: {timeout: {read: 50}}, phases: withHead},
	'takes longer than `timeout.request`': {options: {timeout: {request: 5000}}},
};

const http1Ways: Record<string, Way<ServerResponse>> = {
	...timeouts,
	'is destroyed with its connection': {act: response => response.socket?.destroy()},
	'is reset with its connection': {act: response => response.socket?.resetAndDestroy()},
	'ends with its connection': {act: response => response.socket?.end()},
	'is silent for longer than `timeout.socket`': {options: {timeout: {socket: 200}}},
};

const resetCodes = [
	'NO_ERROR',
	'PROTOCOL_ERROR',
	'INTERNAL_ERROR',
	'FLOW_CONTROL_ERROR',
	'SETTINGS_TIMEOUT',
	'STREAM_CLOSED',
	'FRAME_SIZE_ERROR',
	'REFUSED_STREAM',
	'CANCEL',
	'COMPRESSION_ERROR',
	'CONNECT_ERROR',
	'ENHANCE_YOUR_CALM',
	'INADEQUATE_SECURITY',
	'HTTP_1_1_REQUIRED',
] as const;

const http2Ways: Record<string, Way<ServerHttp2Stream>> = {
	...timeouts,
	// Got 15 has none for HTTP/2.
	...!isGot15 && {'is silent for longer than `timeout.socket`': {options: {timeout: {socket: 200}}}},
	...Object.fromEntries(resetCodes.map(code => [`is reset with ${code}`, {
		act(stream: ServerHttp2Stream) {
			stream.close(constants[`NGHTTP2_${code}`]);
		},
	}])),
	'is destroyed': {
		act(stream) {
			stream.destroy();
		},
	},
	'is destroyed with its session': {act: stream => stream.session?.destroy()},
	'is destroyed with its session and a code': {act: stream => stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)},
	'is destroyed with its connection': {act: stream => stream.session?.socket.destroy()},
	'is left out by a GOAWAY': {
		act(stream) {
			stream.session?.goaway(constants.NGHTTP2_NO_ERROR, Number(stream.id) - 2);
		},
		phases: withoutWord,
		spoilsSession: true,
	},
	'is ended by a GOAWAY with an error': {
		act(stream) {
			stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR);
		},
		spoilsSession: true,
	},
	'is destroyed after a GOAWAY without an error': {
		act(stream) {
			const {session} = stream;
			session?.goaway(constants.NGHTTP2_NO_ERROR);
			setImmediate(() => session?.destroy());
		},
		spoilsSession: true,
	},
};

const stored = {'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"'};

const newFields = (framing: Framing) => ({'cache-control': 'max-age=60', etag: '"2"', ...framing === 'Content-Length' && {'content-length': '10'}});

type Protocol<Each extends Exchange> = {
	readonly name: string;
	readonly ways: Record<string, Way<Each>>;
	start(): Promise<{readonly options: OptionsInit; readonly stop: () => Promise<unknown>; handle(handler: (exchange: Each) => void): void}>;
	respond(exchange: Each): void;
	/** Sends the head, and half of the body in that phase. */
	begin(exchange: Each, phase: Phase, framing: Framing): void;
};

const http1: Protocol<ServerResponse> = {
	name: 'HTTP/1.1',
	ways: http1Ways,
	async start() {
		let handler: (response: ServerResponse) => void;
		const server = createServer((_request, response) => {
			handler(response);
		});
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');

		return {
			options: {prefixUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`},
			async stop() {
				server.close();
				server.closeAllConnections();
			},
			handle(next) {
				handler = next;
			},
		};
	},
	respond(response) {
		response.writeHead(200, stored).end('stored');
	},
	begin(response, phase, framing) {
		response.writeHead(200, newFields(framing));
		response.flushHeaders();
		if (phase === 'in the body') {
			response.write('half ');
		}
	},
};

const http2: Protocol<ServerHttp2Stream> = {
	name: 'HTTP/2',
	ways: http2Ways,
	async start() {
		const origin: Http2Origin = await startHttp2Origin();

		return {
			options: {prefixUrl: origin.url, http2: true, https: {certificateAuthority: origin.certificate}},
			stop: origin.stop,
			handle(next) {
				origin.handler = next;
			},
		};
	},
	respond(stream) {
		respondHttp2(stream, {headers: stored, body: 'stored'});
	},
	begin(stream, phase, framing) {
		beginHttp2(stream, newFields(framing));
		if (phase === 'in the body') {
			stream.write('half ');
		}
	},
};

type Seen = Record<string, unknown>;

const describeError = (error: unknown): Seen => {
	const {name, code, message} = error as NodeJS.ErrnoException;
	return {name, code, message};
};

const describeAnswer = (response: Response, body: string): Seen => {
	const info = cacheInfo(response);
	return {statusCode: response.statusCode, body, status: info?.status, reason: info?.reason};
};

/** Where got takes what broke off for whole, a client with a cache tells how it came by it. */
const withoutInfo = ({status: _status, reason: _reason, ...seen}: Seen): Seen => seen;

type Watch = {
	/** The head has arrived. */
	onHead(): void;
	/** Some of the body has arrived. */
	onBody(): void;
};

/** What comes of a request, and when what of its response arrives. */
type Kind = 'promise' | 'stream';

const kinds: Record<Kind, (client: Got, options: OptionsInit, watch: Watch) => Promise<Seen>> = {
	async promise(client, options, {onHead, onBody}) {
		const promise = client('items', options);
		promise.on('request', request => {
			request.once('response', onHead);
		});
		promise.on('downloadProgress', ({transferred}) => {
			if (transferred > 0) {
				onBody();
			}
		});

		try {
			const response = await promise as Response<string>;
			return describeAnswer(response, response.body);
		} catch (error) {
			return describeError(error);
		}
	},
	async stream(client, options, {onHead, onBody}) {
		const stream: Request = client.stream('items', options);
		let response: Response | undefined;
		stream.once('response', (received: Response) => {
			response = received;
		});
		stream.once('request', (request: NodeJS.EventEmitter) => {
			request.once('response', onHead);
		});
		// Got 15 may tell of one when the stream has ended already.
		stream.on('error', () => undefined);
		const chunks: Uint8Array[] = [];
		try {
			for await (const chunk of stream) {
				chunks.push(chunk as Uint8Array);
				onBody();
			}

			return describeAnswer(response!, Buffer.concat(chunks).toString());
		} catch (error) {
			return {...describeError(error), hasResponse: response !== undefined};
		}
	},
};

type Case<Each extends Exchange> = {
	readonly kind: Kind;
	readonly way: Way<Each>;
	readonly phase: Phase;
	readonly framing: Framing;
};

const casesOf = function * <Each extends Exchange>(ways: Record<string, Way<Each>>): Generator<[title: string, each: Case<Each>]> {
	for (const [name, way] of Object.entries(ways)) {
		for (const kind of ['promise', 'stream'] as const) {
			for (const phase of way.phases ?? phases) {
				for (const framing of phase === 'before the head' ? ['no head' as const] : framings) {
					yield [`${kind}: a response (${framing}) that ${name} ${phase}`, {kind, way, phase, framing}];
				}
			}
		}
	}
};

/** An origin, and clients that ask it. */
type Bench<Each extends Exchange> = {
	readonly protocol: Protocol<Each>;
	readonly cache: RedisCache;
	origin: Awaited<ReturnType<Protocol<Each>['start']>>;
	plain: Got;
	cached: Got;
};

const startBench = async <Each extends Exchange>(protocol: Protocol<Each>, cache: RedisCache): Promise<Bench<Each>> => {
	const origin = await protocol.start();
	const plain = got.extend({...origin.options, retry: {limit: 0}});
	// A GOAWAY can leave out any stream but the first of a session. With got 15, there are two sessions at first.
	origin.handle(protocol.respond);
	for (let count = 0; count < 3; count++) {
		await plain('items');
	}

	return {protocol, cache, origin, plain, cached: plain.extend(cache)};
};

/** What comes of a request whose response breaks. */
const ask = async <Each extends Exchange>({mock}: TestContext, {protocol, origin}: Bench<Each>, client: Got, {kind, way: {act, options = {}}, phase, framing}: Case<Each>): Promise<Seen> => {
	const {promise: isTime, resolve} = Promise.withResolvers<void>();
	let exchange: Each | undefined;
	const breakIn = (current: Phase) => {
		if (!exchange || current !== phase) {
			return;
		}

		act?.(exchange);
		resolve();
	};

	origin.handle(arrived => {
		exchange = arrived;
		if (phase !== 'before the head') {
			protocol.begin(arrived, phase, framing);
		}

		breakIn('before the head');
	});
	// Node's timers for sockets cannot be faked.
	const isFaked = act === undefined && !Object.hasOwn(options.timeout ?? {}, 'socket');
	if (isFaked) {
		mock.timers.enable({apis: ['setTimeout']});
	}

	const seen = kinds[kind](client, options, {
		onHead() {
			breakIn('after the head');
		},
		onBody() {
			breakIn('in the body');
		},
	});
	if (!isFaked) {
		return seen;
	}

	await isTime;
	await passTime(mock, seen);
	mock.timers.reset();

	return seen;
};

/** What becomes of a response that breaks, and what is to: without a stored response, with one, and stored afterwards. */
const outcomesOf = async <Each extends Exchange>(t: TestContext, bench: Bench<Each>, each: Case<Each>): Promise<{actual: Seen; expected: Seen}> => {
	const {protocol, cache} = bench;
	const {kind, way, phase} = each;
	const restart = async () => {
		if (!way.spoilsSession) {
			return;
		}

		await bench.origin.stop();
		Object.assign(bench, await startBench(protocol, cache));
	};

	const askWhole = async (): Promise<unknown> => {
		await restart();
		bench.origin.handle(protocol.respond);
		const response = await bench.cached('items');
		return [response.body, cacheInfo(response)?.status === 'hit'];
	};

	await restart();
	const plain = await ask(t, bench, bench.plain, each);

	await restart();
	await cache.clear();
	const fetched = await ask(t, bench, bench.cached, each);
	const afterwards = await askWhole();
	const answer = await ask(t, bench, bench.cached, each);
	const mayStandIn = kind === 'promise' || phase === 'before the head';
	const isStale = mayStandIn && 'name' in plain;
	const stale = {statusCode: 200, body: 'stored', status: 'stale', reason: plain.name === 'TimeoutError' ? 'timeout' : 'network-error'};

	return {
		actual: {fetched: withoutInfo(fetched), afterwards, answer: isStale ? answer : withoutInfo(answer), atLast: await askWhole()},
		expected: {fetched: withoutInfo(plain), afterwards: ['stored', false], answer: isStale ? stale : withoutInfo(plain), atLast: ['stored', false]},
	};
};

const suiteFor = async <Each extends Exchange>(protocol: Protocol<Each>) => suite(`${protocol.name}: a stale response stands in for one that breaks, with a stream before its head`, () => {
	const bench = {} as Bench<Each>; // eslint-disable-line @typescript-eslint/consistent-type-assertions -- Until it is started.

	before(async () => {
		Object.assign(bench, await startBench(protocol, redisCache({store: 'memory'})));
	});
	after(async () => {
		await Promise.all([bench.cache.close(), bench.origin.stop()]);
	});

	for (const [title, each] of casesOf(protocol.ways)) {
		test(title, async (t: TestContext) => {
			const {actual, expected} = await outcomesOf(t, bench, each);
			assert.deepEqual(actual, expected);
		});
	}
});

await suiteFor(http1);
await suiteFor(http2);
