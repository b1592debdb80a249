import {Buffer} from 'node:buffer';
import {hash, timingSafeEqual} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Purgeable} from '../management/filters.ts';
import type {RedisCache} from '../got/redis-cache.ts';
import {describeRedacted, isBoolean, isString, validate, type Rule} from '../options/validate.ts';
import {mostBodyBytes, refuse, tooLarge, type Answer} from './answer.ts';
import {readBody} from './read-body.ts';

/** The cache that a webhook purges, and the secret that its sender has to know. */
export type PurgeHandlerOptions = {
	/** The cache, as `redisCache()` returns it. */
	readonly cache: Pick<RedisCache, 'invalidate'>;

	/** The secret that the sender has as well: at least 16 characters that a Bearer token may have (RFC 6750 §2.1), such as `openssl rand -hex 32` makes. */
	readonly token: string;
};

/** A request of Fastify, whose body is parsed. */
type FastifyRequest = {readonly raw: IncomingMessage; readonly body?: unknown};

type FastifyReply = {readonly raw: ServerResponse; hijack(): unknown};

/** Answers a request of Node's `http`, Express or Fastify. The promise resolves when the response has been sent, and never rejects. */
export type PurgeHandler = (request: IncomingMessage | FastifyRequest, response: ServerResponse | FastifyReply) => Promise<void>;

const leastTokenLength = 16;

// RFC 6750 §2.1
const isToken = (value: unknown): value is string => isString(value) && value.length >= leastTokenLength && /^[\w+\-.\/~]+=*$/v.test(value);

const describeToken = (value: unknown): string => {
	if (!isString(value)) {
		return describeRedacted(value);
	}

	return value.length < leastTokenLength ? `one of ${value.length} characters` : 'one with a character that cannot be sent';
};

const optionRules: Readonly<Record<keyof PurgeHandlerOptions, Rule>> = {
	cache: [value => typeof (value as Partial<RedisCache> | undefined)?.invalidate === 'function', 'what redisCache() returns', describeRedacted],
	token: [isToken, `a secret of at least ${leastTokenLength} letters, digits and -._~+/, such as \`openssl rand -hex 32\` makes`, describeToken],
};

const bodyRules: Readonly<Record<string, Rule>> = {
	tag: [() => true, ''],
	url: [() => true, ''],
	origin: [() => true, ''],
	prefix: [() => true, ''],
	soft: [isBoolean, 'a boolean'],
};

/** Digests have the same length, so that a comparison tells nothing of the token, not even that. */
const digestOf = (text: string): Uint8Array => hash('sha256', text, 'buffer');

const isAuthorized = ({headers}: IncomingMessage, digest: Uint8Array): boolean => {
	const given = /^bearer +(?<token>\S+) *$/iv.exec(headers.authorization ?? '')?.groups?.token;
	return timingSafeEqual(digestOf(given ?? ''), digest) && given !== undefined;
};

/** Checks all that the head of a request tells. */
const refuseByHead = (request: IncomingMessage, digest: Uint8Array): Answer | undefined => {
	const {method, headers} = request;
	if (method !== 'POST') {
		return refuse(405, 'Send a POST request', {allow: 'POST'});
	}

	if (!isAuthorized(request, digest)) {
		const isGiven = headers.authorization !== undefined;
		return refuse(401, isGiven ? 'The token is wrong' : 'Send the token as Authorization: Bearer', {'www-authenticate': isGiven ? 'Bearer error="invalid_token"' : 'Bearer'});
	}

	const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
	const coding = headers['content-encoding'] ?? 'identity';
	if (mediaType.trim().toLowerCase() !== 'application/json' || coding.toLowerCase() !== 'identity') {
		return refuse(415, 'Send the body as application/json, without Content-Encoding', {accept: 'application/json', 'accept-encoding': 'identity'});
	}

	return Number(headers['content-length'] ?? 0) > mostBodyBytes ? tooLarge : undefined;
};

const purge = async ({cache}: PurgeHandlerOptions, body: unknown): Promise<Answer> => {
	try {
		validate(body, bodyRules, {where: 'the body', noun: 'property'});
		const {soft, ...what} = body as {readonly soft?: boolean};
		const isConfirmed = await cache.invalidate(what as Purgeable, {soft});
		return isConfirmed ? [200, {confirmed: true}] : refuse(503, 'The store did not confirm the purge: send it again', {'retry-after': '1'});
	} catch (error) {
		const {message} = error as Error;
		return error instanceof TypeError ? refuse(400, message) : refuse(503, message, {'retry-after': '1'});
	}
};

const answer = async (request: IncomingMessage, parsed: unknown, options: PurgeHandlerOptions, digest: Uint8Array): Promise<Answer> => {
	const refusal = refuseByHead(request, digest);
	if (refusal) {
		return refusal;
	}

	const read = await readBody(request, parsed);
	return 'body' in read ? purge(options, read.body) : read;
};

const send = async (response: ServerResponse, [statusCode, body, headers]: Answer): Promise<void> => {
	if (response.destroyed || response.headersSent) {
		return;
	}

	const text = JSON.stringify(body);
	response.writeHead(statusCode, {'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store', ...headers});
	const {promise, resolve} = Promise.withResolvers<void>();
	response.once('close', resolve);
	response.end(text, resolve);
	await promise;
};

/**
Makes a handler that purges what a webhook tells it to: for Node's `http`, Express and Fastify.

The request is a POST with the token in `Authorization: Bearer …` and JSON of up to 64 KiB: one of `tag`, `url`, `origin` and `prefix`, as `cache.invalidate()` takes them, and `soft` if the responses are to be validated before their next use. It is answered when the store has confirmed the purge, with 200 and `{"confirmed": true}`. If the store has not, the answer is 503: the sender is to try again.

@throws {TypeError} If an option is missing or wrong, such as a token that is empty or short.

@example
```
import {createServer} from 'node:http';
import {redisCache} from 'got-redis-cache';
import {purgeHandler} from 'got-redis-cache/webhook';

const handler = purgeHandler({cache: redisCache(), token: process.env.PURGE_TOKEN ?? ''});

createServer(handler).listen(8080);
```
*/
export const purgeHandler = (options: PurgeHandlerOptions): PurgeHandler => {
	validate(options, optionRules, {where: 'purgeHandler()', noun: 'option'});
	for (const [name, [isValid, expected, tell = describeRedacted]] of Object.entries(optionRules)) {
		const value = options[name as keyof PurgeHandlerOptions] as unknown;
		if (!isValid(value)) {
			throw new TypeError(`Expected the option \`${name}\` in purgeHandler() to be ${expected}, got ${tell(value)}`);
		}
	}

	const digest = digestOf(options.token);

	return async (given, reply) => {
		const isFastify = 'raw' in given;
		const request = isFastify ? given.raw : given;
		const response = 'hijack' in reply ? reply.raw : reply;
		if ('hijack' in reply) {
			reply.hijack();
		}

		try {
			await send(response, await answer(request, (given as FastifyRequest).body, options, digest));
		} catch {
			// The sender has gone: nobody is there to be answered.
			response.destroy();
		}
	};
};
