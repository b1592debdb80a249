import {Buffer} from 'node:buffer';
import KeyvRedis from '@keyv/redis';
import {ErrorReply, RESP_TYPES, type RedisClientType} from '@redis/client';
import {Keyv} from 'keyv';
import {binary, type Backend} from './backend.ts';
import type {RedisConnection, RedisLink} from './client.ts';

/** What Keyv hands to an adapter, and takes back, when it does not serialize. */
type KeyvValue = {readonly value: Uint8Array};

type Argument = string | Uint8Array;

type Reply = unknown;

type SendCommand = (key: string, arguments_: readonly Argument[], isReadOnly: boolean) => Promise<Reply>;

/** Its nodes take commands like any other client; the cluster itself must be told of which key. */
type ClusterConnection = RedisConnection & {
	readonly masters: readonly unknown[];
	nodeClient(node: unknown): Promise<RedisConnection> | RedisConnection;
};

const asBytes = {typeMapping: {[RESP_TYPES.BLOB_STRING]: Buffer}};
const asText = {typeMapping: {}};

/*
Not `withTypeMapping()`: a sentinel would change the replies of its owner too, and a cluster's nodes lose the mapping.
*/
const senderOf = (link: RedisLink): SendCommand => {
	const {connection} = link;
	if (isCluster(connection)) {
		return async (key, arguments_, isReadOnly) => connection.sendCommand(key, isReadOnly, arguments_, asBytes);
	}

	return 'getSentinelNode' in connection
		? async (_key, arguments_, isReadOnly) => connection.sendCommand(isReadOnly, arguments_, asBytes)
		: async (_key, arguments_) => link.connection.sendCommand(arguments_, asBytes);
};

const isCluster = (connection: RedisConnection): connection is ClusterConnection => 'masters' in connection;

/** As much of a node-redis client as `KeyvRedis` needs, with bytes for replies. */
const byteClient = (send: SendCommand) => ({
	isOpen: true,
	// `KeyvRedis` adds four listeners to each client it gets; a client that many caches share would collect them.
	on() {
		return this;
	},
	// Makes `KeyvRedis` take it for a client.
	connect: async () => undefined,
	get: async (key: string) => send(key, ['GET', key], true),
	mGet: async (keys: readonly string[]) => send(keys[0] ?? '', ['MGET', ...keys], true),
	async set(key: string, value: Uint8Array, options?: {readonly PX: number}) {
		return send(key, options === undefined ? ['SET', key, value] : ['SET', key, value, 'PX', String(options.PX)], false);
	},
	unlink: async (key: string) => send(key, ['UNLINK', key], false),
});

/**
`@keyv/redis` for values that are bytes: stored as Redis strings, byte for byte, with Redis's own expiry. Connecting is the link's matter, for `KeyvRedis` would wait without limit.
*/
class BinaryKeyvRedis extends KeyvRedis<KeyvValue> {
	constructor(link: RedisLink) {
		super(byteClient(senderOf(link)) as unknown as RedisClientType, {throwOnErrors: true});
	}

	override async get<Value = KeyvValue>(key: string): Promise<Value | undefined> {
		return asKeyvValue<Value>(await super.get<Uint8Array>(key));
	}

	override async getMany<Value = KeyvValue>(keys: string[]): Promise<Array<Value | undefined>> {
		const values = await super.getMany<Uint8Array>(keys);
		return values.map(value => asKeyvValue<Value>(value));
	}

	override async set(key: string, {value}: any, ttlMs?: number): Promise<void> {
		// `KeyvRedis` writes whatever its client takes, but its types say string.
		return super.set(key, value as string, ttlMs);
	}

	/** Each by itself, in one round trip all the same: the keys may lie in many slots. */
	override async deleteMany(keys: string[]): Promise<boolean> {
		const deleted = await Promise.all(keys.map(async key => super.delete(key)));
		return deleted.includes(true);
	}
}

// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Keyv's generics promise whatever the caller likes
const asKeyvValue = <Value>(bytes: Uint8Array | undefined): Value | undefined => bytes === undefined ? undefined : {value: bytes} as Value;

/** @see https://redis.io/docs/latest/commands/keys/ */
const escapeGlob = (text: string): string => text.replaceAll(/[*\-?\[\\\]^]/gv, String.raw`\$&`);

const scanBatch = '1000';

const clearNode = async (send: (arguments_: readonly string[]) => Promise<Reply>, prefix: string): Promise<void> => {
	const pattern = `${escapeGlob(prefix)}{*`;
	let cursor = '0';
	do {
		// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
		const reply = await send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', scanBatch]);
		const [next, keys] = reply as [string, string[]];
		cursor = next;
		const ours = keys.filter(key => key.startsWith(`${prefix}{`));
		// One by one: keys of a cluster's node lie in many slots.
		// eslint-disable-next-line no-await-in-loop
		await Promise.all(ours.map(async key => send(['UNLINK', key])));
	} while (cursor !== '0');
};

const clear = async (connection: RedisConnection, prefix: string): Promise<void> => {
	if (isCluster(connection)) {
		await Promise.all(connection.masters.map(async master => {
			const node = await connection.nodeClient(master);
			await clearNode(async arguments_ => node.sendCommand(arguments_, asText), prefix);
		}));
		return;
	}

	await clearNode('getSentinelNode' in connection
		// Of the master alone: a replica lags behind.
		? async arguments_ => connection.sendCommand(false, arguments_, asText)
		: async arguments_ => connection.sendCommand(arguments_, asText), prefix);
};

/**
Redis as a place to keep bytes in.
*/
export const redisBackend = (link: RedisLink, namespace: string): Backend => ({
	...binary,
	prefix: `${namespace}:`,
	keyv: new Keyv(new BinaryKeyvRedis(link), {
		namespace: undefined,
		useKeyPrefix: false,
		serialize: undefined,
		deserialize: undefined,
		emitErrors: false,
		throwOnErrors: true,
	}),
	connect: link.connect,
	reset() {
		link.reset();
	},
	probePatienceMs: link.probePatienceMs,
	get isTracking() {
		return link.isTracking;
	},
	hasBatches: true,
	clear: async () => clear(link.connection, `${namespace}:`),
	isForeignValue: error => error instanceof ErrorReply && error.message.startsWith('WRONGTYPE'),
	isRefusal: error => error instanceof ErrorReply,
	send: senderOf(link),
	close: async () => link.close(),
});
