import type {RedisClientType} from '@redis/client';
import type {KeyvStoreAdapter} from 'keyv';
import {keyvRedis} from '../../types/packages.cjs';
import type {SendCommand} from './redis-link.ts';

/** The value that Keyv hands to an adapter, and takes back, when it does not serialize. */
type KeyvValue = {readonly value: Uint8Array};

/** The part of a node-redis client that `KeyvRedis` needs, with bytes for replies. */
const byteClient = (send: SendCommand) => ({
	isOpen: true,
	// `KeyvRedis` adds four listeners to each client it gets; a client that many caches share would collect them.
	on() {
		return this;
	},
	// Makes `KeyvRedis` take it for a client.
	connect: async () => undefined,
	get: async (key: string) => send(key, ['GET', key]),
	async set(key: string, value: Uint8Array, options?: {readonly PX: number}) {
		return send(key, options === undefined ? ['SET', key, value] : ['SET', key, value, 'PX', String(options.PX)]);
	},
	unlink: async (key: string) => send(key, ['UNLINK', key]),
});

// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Keyv's generics promise whatever the caller likes
const asKeyvValue = <Value>(bytes: Uint8Array | undefined): Value | undefined => bytes === undefined ? undefined : {value: bytes} as Value;

const makeClass = () => class BinaryKeyvRedis extends keyvRedis()<KeyvValue> {
	readonly #send: SendCommand;

	constructor(send: SendCommand) {
		super(byteClient(send) as unknown as RedisClientType, {throwOnErrors: true});
		this.#send = send;
	}

	override async get<Value = KeyvValue>(key: string): Promise<Value | undefined> {
		return asKeyvValue<Value>(await super.get<Uint8Array>(key));
	}

	/** The same command as that of `KeyvRedis`, which makes six promises and a map on the way to it, for each look-up. */
	override async getMany<Value = KeyvValue>(keys: string[]): Promise<Array<Value | undefined>> {
		const [first] = keys;
		if (first === undefined) {
			return [];
		}

		const values = await this.#send(first, ['MGET', ...keys]) as ReadonlyArray<Uint8Array | undefined>;
		return values.map(value => asKeyvValue<Value>(value ?? undefined));
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
};

let madeClass: ReturnType<typeof makeClass> | undefined;

/**
`@keyv/redis` for values that are bytes: stored as Redis strings, byte for byte, with Redis's own expiry. Connecting is the link's matter, for `KeyvRedis` would wait without limit.
*/
export const binaryKeyvRedis = (send: SendCommand): KeyvStoreAdapter => {
	madeClass ??= makeClass();
	return new madeClass(send); // eslint-disable-line new-cap -- a class that is made late
};
