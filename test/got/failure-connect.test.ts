import assert from 'node:assert/strict';
import {lookup} from 'node:dns/promises';
import {once} from 'node:events';
import {createSecureServer} from 'node:http2';
import {Agent} from 'node:https';
import {
	connect,
	createServer,
	type AddressInfo,
	type LookupFunction,
	type Socket,
} from 'node:net';
import {after, suite, test, type TestContext} from 'node:test';
import {createServer as createTlsServer} from 'node:tls';
import {Worker} from 'node:worker_threads';
import got, {type Got, type OptionsInit, type Response} from 'got';
import {cacheInfo, redisCache, type RedisCache} from '../../source/index.ts';
import {createCertificate} from '../helpers/certificate.ts';
import {isGot15, passTime} from './helpers.ts';
import {readStream} from './read-stream.ts';

/*
Connections that cannot be made, in every way. Where the origin cannot be reached, a stale response stands in; not where it is there and is not who it should be, or speaks another protocol.
*/

const hourMs = 60 * 60 * 1000;
const trusted = createCertificate();
const misnamed = createCertificate({name: 'example.com'});
const expired = createCertificate({lifetimeMs: -hourMs});

/** It is given its connections, and listens nowhere. */
const createOrigin = (certificate: typeof trusted) => {
	const server = createSecureServer({...certificate, allowHTTP1: true}, (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=0', etag: '"1"'});
		response.end('stored');
	});
	server.on('tlsClientError', () => undefined);

	return server;
};

const servers = {
	good: createOrigin(trusted),
	'self-signed': createOrigin(createCertificate()),
	expired: createOrigin(expired),
	misnamed: createOrigin(misnamed),
	'other protocol': createTlsServer({...trusted, ALPNProtocols: ['other']}).on('tlsClientError', () => undefined),
};

const serveBy = (name: keyof typeof servers) => (socket: Socket) => {
	servers[name].emit('connection', socket);
};

/** Has a name lead to an address, as got's option `dnsLookup`. */
const leadTo = (address: string): LookupFunction => (_name, {all}, callback) => {
	// As ever, later: got 15 listens for it.
	setImmediate(() => {
		if (all) {
			callback(null, [{address, family: 4}]);
		} else {
			callback(null, address, 4);
		}
	});
};

const startOrigin = async () => {
	const sockets = new Set<Socket>();
	const origin = {handler: serveBy('good')};
	const server = createServer(socket => {
		sockets.add(socket);
		socket.on('error', () => undefined);
		socket.once('close', () => sockets.delete(socket));
		origin.handler(socket);
	});
	const listen = async (port = 0) => {
		server.listen(port, '127.0.0.1');
		await once(server, 'listening');
	};

	await listen();
	const {port} = server.address() as AddressInfo;
	const stop = async () => {
		for (const socket of sockets) {
			socket.destroy();
		}

		server.close();
		await once(server, 'close');
	};

	return Object.assign(origin, {
		port,
		stop,
		async mend() {
			origin.handler = serveBy('good');
			if (!server.listening) {
				await listen(port);
			}
		},
		/** Waits until the client has closed its connections, too. */
		async endConnections() {
			await Promise.all([...sockets].map(async socket => {
				socket.end();
				await once(socket, 'close');
			}));
		},
		async [Symbol.asyncDispose]() {
			if (server.listening) {
				await stop();
			}
		},
	});
};

type Origin = Awaited<ReturnType<typeof startOrigin>>;

const blackHole = '127.0.0.2';

/** A server at the port of the origin that takes no connection: its thread waits, and two of them fill its queue. */
const startBlackHole = async ({port}: Origin): Promise<() => Promise<unknown>> => {
	const worker = new Worker(`
		const {parentPort} = require('node:worker_threads');
		require('node:net').createServer().listen({port: ${port}, host: '${blackHole}', backlog: 1}, () => {
			parentPort.postMessage('listening');
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
		});
	`, {eval: true});
	await once(worker, 'message');
	const sockets = await Promise.all([1, 2].map(async () => {
		const socket = connect(port, blackHole).on('error', () => undefined);
		await once(socket, 'connect');
		return socket;
	}));

	return async () => {
		for (const socket of sockets) {
			socket.destroy();
		}

		await worker.terminate();
	};
};

type ProtocolName = 'HTTP/1.1' | 'HTTP/2, first connection' | 'HTTP/2, later connection';

type Way = {
	/** Returns what ends it. */
	readonly act?: (origin: Origin) => unknown;
	readonly options?: OptionsInit;
	/** The reason for which a stale response stands in; none if it does not. */
	readonly reason?: 'network-error' | 'timeout';
	/** Where got has no such timeout. */
	readonly without?: readonly ProtocolName[];
};

const acceptOnly = (origin: Origin) => {
	origin.handler = socket => socket.resume();
};

const serve = (name: keyof typeof servers): Way => ({
	act(origin) {
		origin.handler = serveBy(name);
	},
});

// Got 15 has no timeouts for a connection over HTTP/2 but the shortest of all, for that on which the protocol is negotiated.
const later: readonly ProtocolName[] = isGot15 ? ['HTTP/2, later connection'] : [];

const ways: Record<string, Way> = {
	'is refused': {act: async origin => origin.stop(), reason: 'network-error'},
	'is reset during the handshake': {
		act(origin) {
			origin.handler = socket => socket.once('data', () => socket.resetAndDestroy());
		},
		reason: 'network-error',
	},
	'is ended during the handshake': {
		act(origin) {
			origin.handler = socket => socket.once('data', () => socket.end());
		},
		reason: 'network-error',
	},
	'finds no name': {
		// Too long for a name: no server is asked.
		options: {dnsLookup(_name, _options, callback) {
			void lookup('x'.repeat(64)).catch(callback as never);
		}},
		reason: 'network-error',
	},
	'takes longer than `timeout.lookup`': {options: {dnsLookup: (() => undefined), timeout: {lookup: 50}}, reason: 'timeout', without: later},
	'takes longer than `timeout.connect`': {act: startBlackHole, options: {dnsLookup: leadTo(blackHole), timeout: {connect: 50}}, reason: 'timeout', without: later},
	'takes longer than `timeout.secureConnect`': {act: acceptOnly, options: {timeout: {secureConnect: 50}}, reason: 'timeout', without: later},
	'takes longer than `timeout.request`': {act: acceptOnly, options: {timeout: {request: 400}}, reason: 'timeout'},
	'leads to another protocol': serve('other protocol'),
	'leads to a certificate that nobody knows': serve('self-signed'),
	'leads to a certificate that has expired': serve('expired'),
	'leads to a certificate for another name': serve('misnamed'),
};

const protocols: readonly ProtocolName[] = ['HTTP/1.1', 'HTTP/2, first connection', 'HTTP/2, later connection'];

const kinds = {
	async promise(client: Got, options: OptionsInit) {
		const response = await client('items', options) as Response<string>;
		return {body: response.body, headers: response.headers, info: cacheInfo(response)};
	},
	stream: async (client: Got, options: OptionsInit) => readStream(client.stream('items', options)),
};

const reasonOf = ({protocol, kind, name}: Case): Way['reason'] => {
	// Got 16 fails a stream that has no request yet by itself.
	const isGots = !isGot15 && protocol === 'HTTP/2, first connection' && kind === 'stream' && name.includes('timeout.request');

	return isGots ? undefined : ways[name]?.reason;
};

/** OpenSSL names the thread in which it has failed. */
const withoutThread = (message: string): string => message.slice(Math.max(0, message.indexOf(':error:')));

/** What a request comes to. */
const outcomeOf = async ({mock}: TestContext, kind: keyof typeof kinds, client: Got, options: OptionsInit = {}) => {
	const isTimed = options.timeout !== undefined;
	if (isTimed) {
		mock.timers.enable({apis: ['setTimeout']});
	}

	try {
		const asked = kinds[kind](client, options);
		const {body, headers, info} = await (isTimed ? passTime(mock, asked) : asked);
		return {body, status: info?.status, reason: info?.reason, cacheStatus: String(headers['cache-status']).replaceAll(/;(?:key|ttl)=[^;]*/gv, '')};
	} catch (error) {
		const {name, code, message} = error as NodeJS.ErrnoException;
		return {name, code, message: withoutThread(message)};
	} finally {
		mock.timers.reset();
	}
};

type Case = {
	readonly protocol: ProtocolName;
	readonly kind: keyof typeof kinds;
	readonly name: string;
};

/** A client that makes a connection for each request, and trusts all certificates but one. */
const clientsOf = ({port}: Origin, cache: RedisCache): {readonly plain: Got; readonly cached: Got} => {
	const plain = got.extend({
		prefixUrl: `https://localhost:${port}`,
		retry: {limit: 0},
		dnsLookup: leadTo('127.0.0.1') as never,
		agent: {https: new Agent({keepAlive: false})},
		https: {certificateAuthority: [trusted.cert, misnamed.cert, expired.cert], alpnProtocols: ['http/1.1']},
	});

	return {plain, cached: plain.extend(cache)};
};

let negotiations = 0;

/** Options for a connection over HTTP/2 whose protocol nobody has negotiated yet. */
const negotiate = (): OptionsInit => {
	negotiations++;
	return {http2: true, agent: {https: undefined}, https: {alpnProtocols: ['h2', 'http/1.1', `never-${negotiations}`]}};
};

/** Has a connection fail, and says what the request comes to. */
const askInVain = async (origin: Origin, {protocol, kind, name}: Case, client: Got, t: TestContext) => {
	const way = ways[name]!;
	const http2 = protocol === 'HTTP/1.1' ? {} : negotiate();
	const asking = client.extend(http2);
	if (protocol === 'HTTP/2, later connection') {
		const {httpVersion} = await asking('others', {context: {cache: false}}) as Response;
		assert.equal(httpVersion, '2.0');
		await origin.endConnections();
	}

	const end = await way.act?.(origin);
	const outcome = await outcomeOf(t, kind, asking, way.options);
	await (end as (() => Promise<unknown>) | undefined)?.();

	return outcome;
};

suite('a stale response stands in for a connection that cannot be made, not for one to somebody else', () => {
	const cache = redisCache({store: 'memory', cacheStatus: true});
	after(async () => {
		await cache.close();
	});

	/** What becomes of the request, and what is to: without a stored response, and with one. */
	const outcomesOf = async (t: TestContext, each: Case) => {
		await using origin = await startOrigin();
		// An earlier origin may have had the same port.
		await cache.clear();
		const {plain, cached} = clientsOf(origin, cache);
		const expected = await askInVain(origin, each, plain, t);
		await origin.mend();
		const without = await askInVain(origin, each, cached, t);
		await origin.mend();
		const response = await cached('items') as Response;
		const answer = await askInVain(origin, each, cached, t);
		// Got 15 tells of a write that was given up, where the cache leaves it the failure itself.
		const isCanceled = expected.code === 'ECANCELED' && each.kind === 'promise';
		const reason = reasonOf(each);
		const stale = {body: 'stored', status: 'stale', reason, cacheStatus: `got-redis-cache;fwd=stale;detail=${reason}`};

		return {
			actual: {hasFailed: 'name' in expected, without: isCanceled ? without.code : without, stored: cacheInfo(response)?.status, answer},
			expected: {hasFailed: true, without: isCanceled ? 'ECONNRESET' : expected, stored: 'miss', answer: reason ? stale : expected},
		};
	};

	for (const [name, {without = []}] of Object.entries(ways)) {
		const possible = protocols.filter(protocol => !without.includes(protocol));
		for (const protocol of possible) {
			for (const kind of ['promise', 'stream'] as const) {
				test(`${protocol}, ${kind}: a connection that ${name}`, async t => {
					const {actual, expected} = await outcomesOf(t, {protocol, kind, name});
					assert.deepEqual(actual, expected);
				});
			}
		}
	}
});
