import {hash} from 'node:crypto';
import {Keyv} from 'keyv';
import {noBytes} from '../codec/bytes.ts';
import {createPermissionErrors} from '../guard/permissions.ts';
import {binary, type Backend, type Eviction, type HeadChange} from '../ports/backend.ts';
import {isErrorReply, toErrorReply} from '../ports/error-reply.ts';
import {binaryKeyvOptions} from '../ports/keyv-options.ts';
import {isLongKey} from '../ports/long-keys.ts';
import {binaryKeyvRedis} from './binary-keyv-redis.ts';
import {checkClusterNode} from './cluster-node.ts';
import {unassigned} from './cluster-nodes.ts';
import {readEviction} from './eviction.ts';
import {isArgumentError, isForeignValue, isFull} from './redis-errors.ts';
import {createGuardedChanges} from './redis-guarded.ts';
import type {MasterNode, RedisLink, SendCommand} from './redis-link.ts';
import {createPieces, replaceLongHead} from './redis-long.ts';
import {redisServer} from './redis-server.ts';

/** Of its data: promoted, a replica gives itself another one. */
const replicationIdOf = (info: string): string | undefined => /^master_replid:(?<id>\w+)/mv.exec(info)?.groups?.id;

const identify = async (nodes: ReadonlyArray<MasterNode['send']>): Promise<string | undefined> => {
	const ids = await Promise.all(nodes.map(async send => replicationIdOf(String(await send(['INFO', 'replication'], 'text')))));
	return ids.length === 0 || ids.includes(undefined) ? undefined : ids.toSorted((one, other) => String(one).localeCompare(String(other))).join(' ');
};

const readEvictions = async (masters: readonly MasterNode[]): Promise<readonly Eviction[]> => {
	const evictions = await Promise.all(masters.map(async ({send}) => readEviction(String(await send(['INFO', 'memory'], 'text')))));

	return evictions.filter(eviction => eviction !== undefined);
};

/** Reads the bytes of a value that tell whether it is a record. */
const readStart = async (send: SendCommand, key: string): Promise<Uint8Array> => {
	try {
		return await send(key, ['GETRANGE', key, '0', '17']) as Uint8Array;
	} catch (error) {
		// Another type, or a user without the right to: reading it will tell.
		if (isErrorReply(error)) {
			return noBytes;
		}

		throw error;
	}
};

// Nothing that is stored is empty: that stands for a key that is not there, or is of another type.
const swapScript = `
	local current = redis.pcall('GET', KEYS[1])
	if type(current) ~= 'string' then current = '' end
	if current ~= ARGV[1] then return 0 end
	if ARGV[3] == 'keep' and redis.call('PTTL', KEYS[1]) > 0 then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
	elseif ARGV[3] == '' or ARGV[3] == 'keep' then redis.call('SET', KEYS[1], ARGV[2])
	else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
	return 1
`;

// A hash stands for the head that is expected: it may be as long as the one that takes its place.
const replaceHeadScript = `
	if redis.sha1hex(redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1)) ~= ARGV[1] then return 0 end
	if redis.call('SETRANGE', KEYS[1], 0, ARGV[2]) ~= tonumber(ARGV[3]) then return 0 end
	if ARGV[4] == '' then redis.call('PERSIST', KEYS[1])
	elseif ARGV[4] ~= 'keep' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
	return 1
`;

const replaceHead = async (send: SendCommand, key: string, change: HeadChange, ttlMs: number | 'keep' | undefined): Promise<boolean> => {
	const {before, head, length} = change;
	try {
		return isLongKey(key)
			? await replaceLongHead(send, key, change, ttlMs)
			: await send(key, ['EVAL', replaceHeadScript, '1', key, hash('sha1', before), head, String(length), String(ttlMs ?? '')]) === 1;
	} catch (error) {
		// A value of another type, or a user without the right to: nothing was replaced.
		if (isErrorReply(error)) {
			return false;
		}

		throw error;
	}
};

// `PEXPIRE … GT` does the same from Redis 7.0 on.
const extendScript = `
	local left = redis.call('PTTL', KEYS[1])
	if left >= 0 and ARGV[1] == '' then redis.call('PERSIST', KEYS[1])
	elseif left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
	return 1
`;

const rejectWith = async (error: unknown): Promise<never> => {
	throw error;
};

/**
Redis as a place to keep bytes in.
*/
export const redisBackend = (link: RedisLink, namespace: string): Backend => {
	const prefix = `${link.keyPrefix ?? ''}${namespace}:`;
	const permissions = createPermissionErrors(prefix);
	const {send: sendPlainly} = link;
	const toRefusal = (arguments_: Parameters<SendCommand>[1], error: unknown): unknown => {
		const explained = permissions.explain(arguments_, toErrorReply(error));
		nodeCheck?.note(explained);
		return explained;
	};

	/** A client may throw at once. */
	const begin: SendCommand = (key, arguments_) => {
		try {
			return sendPlainly(key, arguments_);
		} catch (error) {
			return rejectWith(error);
		}
	};

	// eslint-disable-next-line unicorn/prefer-then-catch -- one promise instead of two, for each command of each request
	const send: SendCommand = (key, arguments_) => begin(key, arguments_).then(
		reply => {
			permissions.noteReply(arguments_);
			return reply;
		},
		(error: unknown) => {
			throw toRefusal(arguments_, error);
		},
	);

	const masters = (): MasterNode[] => link.masters().map(({address, send: sendToNode}) => ({
		address,
		send: async (arguments_, form) => permissions.run(arguments_, async () => sendToNode(arguments_, form)),
	}));

	/** Also those that keep keys, and that the client has no connection to: ioredis forgets nodes that it has lost. */
	const mastersOfAllKeys = (): readonly MasterNode[] => {
		const present = masters();
		const missing = (link.nodes?.addresses ?? []).filter(each => each !== unassigned && present.every(({address}) => address !== each));
		return [...present, ...missing.map(address => ({
			address,
			async send() {
				throw new Error('The client is not connected to it');
			},
		}))];
	};

	const connect = (): Promise<void> | undefined => {
		const connecting = link.connect();
		return connecting && permissions.run(['CONNECT'], async () => connecting);
	};

	// Without arguments, HELLO changes nothing.
	const nodeCheck = link.isSingle ? checkClusterNode(connect, async () => link.masters()[0]?.send(['HELLO'], 'text')) : undefined;

	return {
		...binary,
		get address() {
			return link.address;
		},
		get connectionError() {
			return link.connectionError;
		},
		prefix,
		isInProcess: false,
		keyv: new Keyv(binaryKeyvRedis(send), {...binaryKeyvOptions, emitErrors: false}),
		connect: nodeCheck?.connect ?? connect,
		reset() {
			link.reset();
		},
		nodes: link.nodes,
		probePatienceMs: link.probePatienceMs,
		get isTracking() {
			return link.isTracking;
		},
		proveTracking: link.proveTracking,
		answersInOrder: link.nodes === undefined,
		keepsOrder: link.keepsOrder,
		hasBatches: true,
		servers: () => mastersOfAllKeys().map(master => redisServer(master, prefix)),
		sweepStepMs: 4000,
		swap: async (key, expected, value, ttlMs) => await send(key, ['EVAL', swapScript, '1', key, expected as Uint8Array | undefined ?? noBytes, value as Uint8Array, String(ttlMs ?? '')]) === 1,
		guarded: createGuardedChanges(send),
		async extend(key, ttlMs) {
			await send(key, ['EVAL', extendScript, '1', key, String(ttlMs ?? '')]);
		},
		async shorten(key, ttlMs) {
			await send(key, ['PEXPIRE', key, String(ttlMs)]);
		},
		readStart: async key => readStart(send, key),
		replaceHead: async (key, change, ttlMs) => replaceHead(send, key, change, ttlMs),
		pieces: createPieces(send),
		masters: {
			watch: onChange => link.watchMasters(onChange),
			identify: async () => identify(masters().map(master => master.send)),
			list(key) {
				const address = key === undefined ? undefined : link.nodes?.of(key);
				return masters()
					.filter(master => link.nodes === undefined || key === undefined || master.address === address)
					.map(master => ({address: master.address, send: async arguments_ => master.send(arguments_, 'text')}));
			},
		},
		readEvictions: async () => readEvictions(link.masters()),
		isSharded: link.nodes !== undefined,
		isForeignValue,
		isRefusal: error => isErrorReply(error),
		isArgumentError,
		isFull,
		send,
		close: async () => link.close(),
	};
};
