import {noBytes} from '../codec/bytes.ts';
import {headLengthOf} from '../codec/codec.ts';
import type {RawEntry, Server} from '../ports/backend.ts';
import {guardLifeMs, isGuardKey, purgeToken} from '../ports/guard-token.ts';
import {isLongKey} from '../ports/long-keys.ts';
import {isForeignValue, isFull} from './redis-errors.ts';
import type {MasterNode} from './redis-link.ts';

/** @see https://redis.io/docs/latest/commands/keys/ */
const escapeGlob = (text: string): string => text.replaceAll(/[*\-?\[\\\]^]/gv, String.raw`\$&`);

const scanBatch = '1000';

type SendToNode = MasterNode['send'];

const scanKeys = async function * (send: SendToNode, prefix: string, start = '{'): AsyncGenerator<readonly string[]> {
	const pattern = `${escapeGlob(prefix + start)}*`;
	let cursor = '0';
	do {
		// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
		const reply = await send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', scanBatch], 'text');
		const [next, keys] = reply as [string, string[]];
		cursor = next;
		yield keys.filter(key => key.startsWith(prefix + start));
	} while (cursor !== '0');
};

// Changes each key that begins with a prefix: one by one, for keys of a cluster's node lie in many slots. Each step gives the number of keys.
const changeAll = async function * (send: SendToNode, prefix: string, change: (key: string, send: SendToNode) => Promise<boolean>): AsyncGenerator<number> {
	for await (const keys of scanKeys(send, prefix)) {
		const changed = await Promise.all(keys.map(async key => change(key, send)));
		yield changed.filter(Boolean).length;
	}
};

const unlink = async (key: string, send: SendToNode): Promise<boolean> => Number(await send(['UNLINK', key], 'text')) > 0;

const replaceGuard = async (key: string, send: SendToNode): Promise<boolean> => {
	if (!isGuardKey(key)) {
		return false;
	}

	try {
		await send(['SET', key, purgeToken(), 'XX', 'PX', String(guardLifeMs)], 'text');
		return true;
	} catch (error) {
		if (!isFull(error)) {
			throw error;
		}

		// Without a guard, nothing is written either.
		return unlink(key, send);
	}
};

/** The bytes of a value that hold most heads. */
const firstRead = 1024;

/** The first bytes of a value; `undefined` for what is not there any more, or no string. */
const readHead = async (send: SendToNode, key: string): Promise<RawEntry | undefined> => {
	const readFirst = async (length: number) => {
		const command = isLongKey(key) ? ['HGET', key, '0'] : ['GETRANGE', key, '0', String(length - 1)];
		return (await send(command, 'bytes') ?? noBytes) as Uint8Array;
	};

	try {
		const [first, ttlMs] = await Promise.all([readFirst(firstRead), send(['PTTL', key], 'text')]);
		const headLength = headLengthOf(first) ?? 0;
		const value = headLength > first.length ? await readFirst(headLength) : first;
		return {key, value, ttlMs: Number(ttlMs) < 0 ? undefined : Number(ttlMs)};
	} catch (error) {
		if (isForeignValue(error)) {
			return undefined;
		}

		throw error;
	}
};

// Only as much is read as somebody takes.
const scan = async function * (send: SendToNode, prefix: string, start?: string): AsyncGenerator<readonly RawEntry[]> {
	for await (const keys of scanKeys(send, prefix, start)) {
		const entries = await Promise.all(keys.map(async key => readHead(send, key)));
		yield entries.filter(entry => entry !== undefined);
	}
};

/** One Redis, or one master of a cluster, as a server that keeps keys. */
export const redisServer = ({address, send}: MasterNode, prefix: string): Server => ({
	address,
	clear: () => changeAll(send, prefix, unlink),
	replaceGuards: () => changeAll(send, prefix, replaceGuard),
	scan: start => scan(send, prefix, start),
});
