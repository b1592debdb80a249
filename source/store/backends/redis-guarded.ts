import {hash} from 'node:crypto';
import type {Change, ChangeResult, GuardedChanges} from '../ports/backend.ts';
import {isErrorReply, StorePermissionError} from '../ports/error-reply.ts';
import {isLongKey} from '../ports/long-keys.ts';
import type {Argument, SendCommand} from './redis-link.ts';

// `SET NX GET` does the same from Redis 7.0 on.
const placeScript = `
	local token = redis.pcall('GET', KEYS[1])
	if type(token) == 'string' and #token == 9 then return token end
	redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
	return ARGV[1]
`;

/*
KEYS: the guard, then one key for each change, then the keys that values are moved from. ARGV: the token that the guard has to have or, in a purge, nothing; the token to put there; the guard's life; then for each change its kind, what has to lie there, how long that is, the new value (or the key that it is moved from), its life.

Everything is checked before anything is changed, also whether the user has the right to change a part: an empty one changes nothing. A command that is refused is run once more with \`call\`, whose error names the line, and so the command. A purge deletes before it writes: Redis refuses the first write of a script when it is full, and no deletion; where the guard can't be replaced, it is removed, which refuses as much.
*/
const changeScript = `
	local isPurge = ARGV[1] == ''
	local former = redis.pcall('GET', KEYS[1])
	if not isPurge and former ~= ARGV[1] then return -1 end
	local conflict = 0
	local last = (#ARGV + 2) / 5
	for i = 2, last do
		local at = 5 * i - 6
		local kind, expected, length, value = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
		if kind == 'move' then
			local moved = redis.pcall('RENAME', value, value)
			if moved.err and string.find(moved.err, 'no such key', 1, true) then return -1 end
			if moved.err then redis.call('RENAME', value, value) end
		end
		if length ~= '' and conflict == 0 then
			local isLong = kind == 'replace-long-head'
			local first = isLong and redis.pcall('HGET', KEYS[i], '0')
			local found = isLong and redis.pcall('HGET', KEYS[i], 'length') or redis.pcall('STRLEN', KEYS[i])
			if type(found) == 'table' and string.find(found.err, 'WRONGTYPE', 1, true) == nil then
				if isLong then
					redis.call('HGET', KEYS[i], 'length')
				else
					redis.call('STRLEN', KEYS[i])
				end
			end
			if isLong and type(found) == 'string' then found = tonumber(found) end
			if found ~= tonumber(length) then conflict = i - 1
			elseif isLong then
				local isSame = type(first) == 'string' and redis.sha1hex(string.sub(first, 1, #value)) == expected
				if not isSame or redis.pcall('HSET', KEYS[i], '0', first) ~= 0 then conflict = i - 1 end
			elseif kind == 'replace-head' then
				local isSame = redis.sha1hex(redis.call('GETRANGE', KEYS[i], 0, #value - 1)) == expected
				if not isSame or type(redis.pcall('SETRANGE', KEYS[i], 0, '')) ~= 'number' then conflict = i - 1 end
			elseif found > 0 and redis.call('GETRANGE', KEYS[i], 0, #expected - 1) ~= expected then conflict = i - 1 end
		end
	end
	if conflict == 0 then
		for i = 2, last do
			local at = 5 * i - 6
			local kind, value, ttl = ARGV[at], ARGV[at + 3], ARGV[at + 4]
			if kind == 'delete' then redis.call('UNLINK', KEYS[i])
			elseif kind == 'put' and ttl == '' then redis.call('SET', KEYS[i], value)
			elseif kind == 'put' then redis.call('SET', KEYS[i], value, 'PX', ttl)
			else
				if kind == 'replace-head' then redis.call('SETRANGE', KEYS[i], 0, value)
				elseif kind == 'replace-long-head' then redis.call('HSET', KEYS[i], '0', value .. string.sub(redis.call('HGET', KEYS[i], '0'), #value + 1))
				else
					redis.call('UNLINK', KEYS[i])
					redis.call('RENAME', value, KEYS[i])
				end
				if ttl == '' then redis.call('PERSIST', KEYS[i])
				else redis.call('PEXPIRE', KEYS[i], ttl) end
			end
		end
	end
	if isPurge then
		if redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]).err then redis.call('UNLINK', KEYS[1]) end
	elseif conflict == 0 then
		local left = redis.pcall('PTTL', KEYS[1])
		if type(left) ~= 'number' or left > tonumber(ARGV[3]) then redis.pcall('PEXPIRE', KEYS[1], ARGV[3]) end
	end
	if isPurge and conflict == 0 and type(former) == 'string' then return former end
	return conflict
`;

const newValueOf = (change: Exclude<Change, {kind: 'replace-head'}>): Argument => {
	switch (change.kind) {
		case 'put': {
			return change.value;
		}

		case 'move': {
			return change.partKey;
		}

		case 'delete': {
			return '';
		}
	}
};

const argumentsOf = (change: Change): Argument[] => {
	switch (change.kind) {
		case 'replace-head': {
			const {key, change: {before, head, length}, ttlMs} = change;
			// A hash stands for the head that is expected: it may be as long as the one that takes its place.
			return [isLongKey(key) ? 'replace-long-head' : change.kind, hash('sha1', before), String(length), head, String(ttlMs ?? '')];
		}

		case 'put':
		case 'move':
		case 'delete': {
			const {kind, expected} = change;
			const [start, length] = typeof expected === 'string' ? ['', expected === 'nothing' ? '0' : ''] : [expected.start, String(expected.length)];
			return [kind, start, length, newValueOf(change), String(kind === 'delete' ? '' : change.ttlMs ?? '')];
		}
	}
};

const resultOf = (reply: unknown): ChangeResult => {
	if (typeof reply !== 'number') {
		return {kind: 'done', formerToken: String(reply)};
	}

	const code = reply;
	if (code === 0) {
		return {kind: 'done'};
	}

	return code < 0 ? {kind: 'refused'} : {kind: 'conflict', position: code - 1};
};

type Script<Result> = {
	readonly text: string;
	readonly toResult: (reply: unknown) => Result;
	readonly digest: string;
	/** Whether Redis was given it by this process. */
	isKnown: boolean;
	/** Whether the user lacks the right to `EVALSHA`: trying each time would take a round trip more. */
	isSentWhole: boolean;
};

const toScript = <Result>(text: string, toResult: (reply: unknown) => Result): Script<Result> => ({text, toResult, digest: hash('sha1', text), isKnown: false, isSentWhole: false});

/** The script goes by its digest where Redis has it, for it is longer than most of what it is sent with. After a restart or a failover, it is sent anew. */
const runScript = <Result>(send: SendCommand, script: Script<Result>, key: string, arguments_: readonly Argument[]): Promise<Result> => {
	const {text, toResult, digest} = script;
	const sendWhole = () => send(key, ['EVAL', text, ...arguments_]).then(toResult);
	if (!script.isKnown || script.isSentWhole) {
		script.isKnown = true;
		return sendWhole();
	}

	// eslint-disable-next-line unicorn/prefer-then-catch -- one promise instead of two, for each command of each request
	return send(key, ['EVALSHA', digest, ...arguments_]).then(toResult, (error: unknown) => {
		const isUnknown = isErrorReply(error) && error.message.startsWith('NOSCRIPT');
		// A user may have the right to `EVAL` alone; and only the script itself tells which of its commands is refused.
		if (!isUnknown && !(error instanceof StorePermissionError)) {
			throw error;
		}

		script.isSentWhole = !isUnknown && error.message.includes(' EVALSHA ');
		return sendWhole();
	});
};

/** The scripts: each is one step for all clients. */
export const createGuardedChanges = (send: SendCommand): GuardedChanges => {
	const placing = toScript(placeScript, String);
	const changing = toScript(changeScript, resultOf);

	const change = (guardKey: string, head: readonly string[], changes: readonly Change[]): Promise<ChangeResult> => {
		const keys = [guardKey];
		const values: Argument[] = [...head];
		for (const each of changes) {
			keys.push(each.key);
			values.push(...argumentsOf(each));
		}

		for (const each of changes) {
			if (each.kind === 'move') {
				keys.push(each.partKey);
			}
		}

		return runScript(send, changing, guardKey, [String(keys.length), ...keys, ...values]);
	};

	return {
		place: (guardKey, token, ttlMs) => runScript(send, placing, guardKey, ['1', guardKey, token, String(ttlMs)]),
		commit: ({key, token, ttlMs}, changes) => change(key, [token, '', String(ttlMs)], changes),
		purge: ({key, token, ttlMs}, changes) => change(key, ['', token, String(ttlMs)], changes),
	};
};
