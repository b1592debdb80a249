/*
The scripts that count in Redis, and sum what all processes have counted.
*/

const fields = (position: number, command: string) => `for _, field in ipairs(added[${position}]) do redis.call(${command}) end`;

// Each line has one command, because Redis's errors name the line.
export const writeScript = `
	local added = cjson.decode(ARGV[1])
	${fields(1, '\'HINCRBY\', KEYS[1], field[1], field[2]')}
	${fields(2, '\'ZINCRBY\', KEYS[2], field[2], field[1]')}
	${fields(3, '\'ZINCRBY\', KEYS[3], field[2], field[1]')}
	${fields(4, '\'ZINCRBY\', KEYS[4], field[2], field[1]')}
	for position = 2, 4 do
		redis.call('ZREMRANGEBYRANK', KEYS[position], 0, -ARGV[3] - 1)
	end
	for _, key in ipairs(KEYS) do
		redis.call('PEXPIRE', key, ARGV[2])
	end
	return 1
`;

const sumScript = (command: string) => `
	local sums = {}
	for _, key in ipairs(KEYS) do
		local found = redis.call(${command})
		for position = 1, #found, 2 do
			sums[found[position]] = (sums[found[position]] or 0) + tonumber(found[position + 1])
		end
	end
	local reply = {}
	for name, sum in pairs(sums) do
		reply[#reply + 1] = name
		reply[#reply + 1] = string.format('%.0f', sum)
	end
	return reply
`;

export const sumHashesScript = sumScript('\'HGETALL\', key');
export const sumSortedSetsScript = sumScript('\'ZRANGE\', key, 0, -1, \'WITHSCORES\'');

/** Returns for each key the counters that the arguments name. */
export const countsScript = `
	local wanted = {}
	for _, name in ipairs(ARGV) do
		wanted[name] = true
	end
	local reply = {}
	for position, key in ipairs(KEYS) do
		local found = redis.call('HGETALL', key)
		local counts = {}
		for index = 1, #found, 2 do
			if wanted[found[index]] then
				counts[#counts + 1] = found[index]
				counts[#counts + 1] = found[index + 1]
			end
		end
		reply[position] = counts
	end
	return reply
`;
