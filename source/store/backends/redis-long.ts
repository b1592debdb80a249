import {hash} from 'node:crypto';
import {noBytes} from '../codec/bytes.ts';
import type {Backend, HeadChange} from '../ports/backend.ts';
import type {SendCommand} from './redis-link.ts';

/*
A long value in Redis: a hash with its length and its pieces by number. Each piece has memory of its own. A string that grows is copied again and again, and one of 300 MB holds Redis up while it is set aside.
*/

const appendScript = `
	if redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
	if ARGV[1] == '0' then redis.call('HSET', KEYS[1], 'length', ARGV[3], '0', ARGV[2])
	else redis.call('HSET', KEYS[1], tostring(ARGV[1] - 1), ARGV[2]) end
	redis.call('PEXPIRE', KEYS[1], ARGV[4])
	return 1
`;

// A hash stands for the head that is expected, as for a short value.
const replaceHeadScript = `
	local first = redis.call('HGET', KEYS[1], '0')
	if not first or #first < #ARGV[2] or redis.call('HGET', KEYS[1], 'length') ~= ARGV[3] then return 0 end
	if redis.sha1hex(string.sub(first, 1, #ARGV[2])) ~= ARGV[1] then return 0 end
	redis.call('HSET', KEYS[1], '0', ARGV[2] .. string.sub(first, #ARGV[2] + 1))
	if ARGV[4] == '' then redis.call('PERSIST', KEYS[1])
	elseif ARGV[4] ~= 'keep' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
	return 1
`;

/** How the pieces of long values are written and read. */
export const createPieces = (send: SendCommand): NonNullable<Backend['pieces']> => ({
	async append(key, piece, {number, length}, ttlMs) {
		// The length is a field, too.
		const fields = number === 0 ? 0 : number + 1;
		return await send(key, ['EVAL', appendScript, '1', key, String(fields), piece, String(length), String(ttlMs)]) === 1;
	},
	length: async key => Number(await send(key, ['HGET', key, 'length']) ?? 0),
	read: async (key, number) => await send(key, ['HGET', key, String(number)]) as Uint8Array | null ?? noBytes, // eslint-disable-line @typescript-eslint/no-restricted-types -- as Redis answers
});

export const replaceLongHead = async (send: SendCommand, key: string, {before, head, length}: HeadChange, ttlMs: number | 'keep' | undefined): Promise<boolean> =>
	await send(key, ['EVAL', replaceHeadScript, '1', key, hash('sha1', before), head, String(length), String(ttlMs ?? '')]) === 1;
