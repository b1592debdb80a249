import {Buffer} from 'node:buffer';
import KeyvRedis from '@keyv/redis';
import {
	ErrorReply,
	RESP_TYPES,
	type RedisClientType,
	type RedisClusterType,
} from '@redis/client';
import {Keyv} from 'keyv';
import {binary, type Backend} from './backend.ts';
import type {RedisConnection, RedisLink} from './client.ts';

/** What Keyv hands to an adapter, and takes back, when it does not serialize. */
type KeyvValue = {readonly value: Uint8Array};

const scanBatch = 1000;

/**
`@keyv/redis` for values that are bytes: stored as Redis strings, byte for byte, with Redis's own expiry.
*/
class BinaryKeyvRedis extends KeyvRedis<KeyvValue> {
	constructor(connection: RedisConnection) {
		const client = connection.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
		// `KeyvRedis` adds four listeners to each client it gets; a client that many caches share would collect them.
		Object.defineProperty(client, 'on', {value: () => client});
		super(client as unknown as RedisClientType, {throwOnErrors: true});
	}

	/** Connecting is the link's matter: `KeyvRedis` would wait without limit. */
	override async getClient() {
		return this.client;
	}

	override async get<Value = KeyvValue>(key: string): Promise<Value | undefined> {
		return asValue<Value>(await super.get<Uint8Array>(key));
	}

	override async getMany<Value = KeyvValue>(keys: string[]): Promise<Array<Value | undefined>> {
		// The keys share a hash slot. The base class would take a cluster's node, which gives strings.
		const replies = await (this.client as RedisClientType).mGet(keys);
		return replies.map(reply => asValue<Value>(reply));
	}

	override async set(key: string, {value}: any, ttlMs?: number): Promise<void> {
		// `KeyvRedis` writes whatever node-redis takes, but its types say string.
		return super.set(key, value as string, ttlMs);
	}

	override async deleteMany(keys: string[]): Promise<boolean> {
		const client = this.client as RedisClientType;
		const counts = this.isCluster() ? await Promise.all(keys.map(async key => client.unlink(key))) : [await client.unlink(keys)];
		return counts.some(count => count > 0);
	}
}

const asValue = <Value>(bytes: unknown): Value | undefined => bytes === null || bytes === undefined ? undefined : {value: bytes} as Value; // eslint-disable-line @typescript-eslint/consistent-type-assertions -- Keyv's own generics promise any type

/** In a pattern of Redis these stand for others, RFC or not: https://redis.io/commands/keys */
const escapeGlob = (text: string): string => text.replaceAll(/[*\-?\[\\\]^]/gv, String.raw`\$&`);

const mastersOf = async (connection: RedisConnection): Promise<RedisClientType[]> => {
	if (!('masters' in connection)) {
		return [connection as RedisClientType];
	}

	const cluster = connection as unknown as RedisClusterType;
	return Promise.all(cluster.masters.map(async master => cluster.nodeClient(master) as Promise<RedisClientType>));
};

const clearNode = async (node: RedisClientType, prefix: string): Promise<void> => {
	const strings = node.withTypeMapping({});
	const pattern = `${escapeGlob(prefix)}{*`;
	let cursor = '0';
	do {
		// eslint-disable-next-line no-await-in-loop, @typescript-eslint/naming-convention -- each step begins where the last one ended
		const reply = await strings.scan(cursor, {MATCH: pattern, COUNT: scanBatch});
		({cursor} = reply);
		const keys = reply.keys.filter(key => key.startsWith(`${prefix}{`));
		// One by one: keys of a cluster's node lie in many slots.
		// eslint-disable-next-line no-await-in-loop
		await Promise.all(keys.map(async key => strings.unlink(key)));
	} while (cursor !== '0');
};

/**
Redis as a place to keep bytes in.
*/
export const redisBackend = (link: RedisLink): Backend => ({
	...binary,
	keyv: new Keyv(new BinaryKeyvRedis(link.connection), {
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
	hasReliableGetMany: true,
	async clear(prefix) {
		const nodes = await mastersOf(link.connection);
		await Promise.all(nodes.map(async node => clearNode(node, prefix)));
	},
	isForeignValue: error => error instanceof ErrorReply && error.message.startsWith('WRONGTYPE'),
	isRefusal: error => error instanceof ErrorReply,
	close: async () => link.close(),
});
