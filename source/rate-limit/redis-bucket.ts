import type {CommandResult, CommandSender} from '../store/ports/commands.ts';
import {longestPauseMs, mostAheadMs, sameWindowMs, sparePart, type Heard, type Turn, type TurnRequest} from './bucket.ts';
import type {Limit} from './limits.ts';

/*
The bucket of `bucket.ts` for all processes together: one script, which goes by Redis's own clock. `EVAL` in place of `EVALSHA`, so that `SCRIPT FLUSH` or a failover cannot lose it. Each line has one command, because Redis's errors name the line.

All keys of a host have the same braces, so that they lie in one slot of a cluster: a hash, with the serial, the pause and the quotas that the origin has told of, and for each limit a list of the times of its requests.
*/

/** How long nothing of a host is forgotten: as long as an origin is left alone. */
const keptMs = longestPauseMs + mostAheadMs;

/** The current time; tests give one. */
const clock = `
	local now = tonumber(ARGV[1])
	if not now then
		local time = redis.call('TIME')
		now = time[1] * 1000 + math.floor(time[2] / 1000)
	end
`;

const state = `
	local fields = redis.call('HGETALL', KEYS[1])
	local state = {}
	for position = 1, #fields, 2 do state[fields[position]] = fields[position + 1] end
	local serial = tonumber(state.serial or '0')
	local paused = tonumber(state.paused or '0')
	if paused > now + ${longestPauseMs + mostAheadMs} then paused = 0 end
	local function number(value) return string.format('%.0f', value) end
	local function put(field, value) redis.call('HSET', KEYS[1], field, value) end
	local ceilings = {}
	for field, value in pairs(state) do
		if string.sub(field, 1, 2) == 'q:' then
			local heard, ceiling, untilMs, count, window = string.match(value, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
			if heard then ceilings[field] = {tonumber(heard), tonumber(ceiling), tonumber(untilMs), tonumber(count), tonumber(window)} end
		end
	end
	local function keep(field, quota)
		ceilings[field] = quota
		put(field, table.concat({number(quota[1]), number(quota[2]), number(quota[3]), number(quota[4]), number(quota[5])}, ' '))
	end
`;

/** Applies the limits that responses have told of, `ARGV[2]`, if any. */
const heed = `
	for _, heard in ipairs(ARGV[2] == '' and {} or cjson.decode(ARGV[2])) do
		serial = math.max(serial, heard.serial)
		if heard.pauseMs then
			paused = math.max(paused, now + math.min(heard.pauseMs, ${longestPauseMs}))
			put('paused', number(paused))
		end
		for _, quota in ipairs(heard.quotas) do
			local field = 'q:' .. quota.name
			local untilMs = now + math.min(quota.resetMs, ${longestPauseMs})
			local ceiling = heard.serial + quota.remaining
			local known = ceilings[field]
			if known and known[3] <= now then known = nil end
			local isSame = known and math.abs(untilMs - known[3]) <= ${sameWindowMs}
			if isSame then
				keep(field, {math.max(heard.serial, known[1]), math.min(ceiling, known[2]), math.max(untilMs, known[3]), quota.count or 0, math.max(quota.windowMs or 0, known[5])})
			elseif not known or untilMs > known[3] or heard.serial > known[1] then
				keep(field, {heard.serial, ceiling, untilMs, quota.count or 0, quota.windowMs or 0})
			end
		end
	end
`;

const keep = `
	put('serial', number(serial))
	redis.call('PEXPIRE', KEYS[1], ${keptMs})
`;

/** Replies: whether granted, the wait, the limit that decided (0: none, -1: the origin), the serial, the time. `ARGV`: the time, what was heard, the patience, whether it gives way, and the count and the time of each limit. */
const takeScript = `
	${clock}
	${state}
	${heed}
	local patience = tonumber(ARGV[3])
	local isSpare = ARGV[4] == '1'
	local function spareOf(count) return isSpare and math.ceil(count / ${sparePart}) or 0 end
	local at = math.max(now, paused)
	local by = at > now and -1 or 0
	local function wait(untilMs, reason)
		if untilMs > at then
			at = untilMs
			by = reason
		end
	end
	for field, quota in pairs(ceilings) do
		local isKnown = true
		if now >= quota[3] then
			isKnown = quota[4] > 0 and quota[5] > 0
			if isKnown then
				keep(field, {quota[1], math.min(serial, quota[2]) + quota[4], now + quota[5], quota[4], quota[5]})
				quota = ceilings[field]
			else
				redis.call('HDEL', KEYS[1], field)
			end
		end
		local above = serial - quota[2] + spareOf(quota[4])
		if isKnown and above >= 0 then
			wait(quota[4] == 0 and quota[3] or quota[3] + math.floor(above / quota[4]) * quota[5], -1)
		end
	end
	for position = 2, #KEYS do
		local count = tonumber(ARGV[position * 2 + 1])
		local window = tonumber(ARGV[position * 2 + 2])
		local log = KEYS[position]
		local last = tonumber(redis.call('LINDEX', log, -1) or '0')
		if last > now + ${mostAheadMs} then
			redis.call('UNLINK', log)
			last = 0
		end
		local first = redis.call('LINDEX', log, 0)
		while first and tonumber(first) <= now - window do
			redis.call('LPOP', log)
			first = redis.call('LINDEX', log, 0)
		end
		local left = math.max(1, count - spareOf(count))
		local nth = redis.call('LINDEX', log, -left)
		if nth then wait(tonumber(nth) + window, position - 1) end
		if redis.call('LLEN', log) > 0 then wait(last, position - 1) end
	end
	local isGranted = at - now <= patience
	if isGranted then
		serial = serial + 1
		for position = 2, #KEYS do
			redis.call('RPUSH', KEYS[position], number(at))
			redis.call('PEXPIRE', KEYS[position], math.ceil(at - now + tonumber(ARGV[position * 2 + 2])))
		end
	end
	${keep}
	return {isGranted and 1 or 0, number(at - now), by, number(serial), number(at)}
`;

const heedScript = `
	${clock}
	${state}
	${heed}
	${keep}
	return 1
`;

const pausedScript = `
	${clock}
	local paused = tonumber(redis.call('HGET', KEYS[1], 'paused') or '0')
	if paused > now + ${longestPauseMs + mostAheadMs} then paused = 0 end
	return string.format('%.0f', math.max(0, paused - now))
`;

const releaseScript = `
	for position = 1, #KEYS do
		redis.call('LREM', KEYS[position], -1, ARGV[1])
	end
	return 1
`;

/** The bucket of one host in Redis. Each call resolves to `undefined` if Redis does not answer. */
export type RedisBucket = {
	take(request: TurnRequest, heard: readonly Heard[]): Promise<Turn | undefined>;
	release(limits: readonly Limit[], atMs: number): Promise<void>;
	heed(heard: readonly Heard[]): Promise<void>;
	pausedMs(): Promise<number | undefined>;
};

export type RedisBucketOptions = {
	/** The name of the host in Redis. */
	readonly name: string;
	readonly command: NonNullable<CommandSender['plainCommand']>;
	/** Receives the error with which Redis refuses a script. */
	readonly onRefusal: (error: Error) => void;
	/** The time in place of Redis's own, for tests. */
	readonly nowMs?: (() => number) | undefined;
};

/** Larger numbers would be written with an exponent. */
const mostMs = 2 ** 50;

const toText = (milliseconds: number): string => String(Math.ceil(Math.min(milliseconds, mostMs)));

const reasonOf = (by: number): Turn['by'] => {
	if (by === 0) {
		return undefined;
	}

	return by < 0 ? 'origin' : by - 1;
};

export const createRedisBucket = ({name, command, onRefusal, nowMs}: RedisBucketOptions): RedisBucket => {
	const run = async (script: string, windows: readonly Limit[] | undefined, withState: boolean, ...arguments_: string[]): Promise<unknown> => {
		const result: CommandResult | undefined = await command(`rate-limit.{${name}}`, wireKey => {
			const logs = (windows ?? []).map(({windowMs}) => `${wireKey}.${windowMs}`);
			const keys = withState ? [wireKey, ...logs] : logs;
			return ['EVAL', script, String(keys.length), ...keys, ...arguments_];
		});
		if (result?.refusal) {
			onRefusal(result.refusal);
			return undefined;
		}

		return result?.reply;
	};

	const now = (): string => nowMs ? String(nowMs()) : '';

	return {
		async take({limits, patienceMs, isSpare}, heard) {
			const reply = await run(
				takeScript,
				limits,
				true,
				now(),
				heard.length === 0 ? '' : JSON.stringify(heard),
				toText(patienceMs),
				isSpare ? '1' : '0',
				...limits.flatMap(({count, windowMs}) => [String(count), String(windowMs)]),
			);
			if (!Array.isArray(reply)) {
				return undefined;
			}

			const [isGranted = 0, waitMs = 0, by = 0, serial = 0, atMs = 0] = reply.map(Number);

			return {isGranted: isGranted === 1, waitMs, by: reasonOf(by), serial, atMs};
		},
		async release(limits, atMs) {
			if (limits.length > 0) {
				await run(releaseScript, limits, false, String(atMs));
			}
		},
		async heed(heard) {
			await run(heedScript, undefined, true, now(), JSON.stringify(heard));
		},
		async pausedMs() {
			const reply = await run(pausedScript, undefined, true, now());

			return reply === undefined || reply === null ? undefined : Number(reply);
		},
	};
};
