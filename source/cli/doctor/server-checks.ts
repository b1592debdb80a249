import {connectServer, isForbidden, readInfo, type Server} from '../commands/server.ts';
import type {StoreAccess} from '../commands/store-access.ts';
import {formatBytes} from '../terminal/text.ts';
import {failed, ok, warning, type Finding} from './check.ts';

type Info = ReadonlyMap<string, string>;

const whatToSet = 'Set maxmemory-policy allkeys-lfu, or volatile-lfu if this Redis holds more than caches';

const oldestWithTracking = 6;

export const checkVersion = (info: Info): Finding => {
	const valkey = info.get('valkey_version');
	const version = valkey ?? info.get('redis_version');
	if (version === undefined) {
		return warning('server', 'it does not tell its version', 'Redis 6 and later are tested; see whether the other lines are well');
	}

	const name = `${valkey === undefined ? 'Redis' : 'Valkey'} ${version}${info.get('redis_mode') === 'cluster' ? ', a node of a cluster' : ''}`;

	return Number(version.split('.', 1)[0]) < oldestWithTracking
		? warning('server', name, 'Update to Redis 6 or later, which has client tracking for the memory tier, and users with permissions')
		: ok('server', name);
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.');

export const checkTls = (url: string): Finding => {
	if (url.startsWith('unix:')) {
		return ok('TLS', 'not needed on a Unix socket');
	}

	const {protocol, hostname} = new URL(url === 'redis' ? 'redis://localhost' : url);
	if (protocol === 'rediss:' || protocol === 'valkeys:') {
		return ok('TLS', 'on, with a certificate that was verified');
	}

	return isLoopback(hostname)
		? ok('TLS', 'off, and not needed on this machine')
		: warning('TLS', 'off: responses, and the password, can be read on the way', 'Use a rediss: URL, unless the network is trusted');
};

export const checkRole = (info: Info): Finding => {
	if (info.get('role') === 'slave') {
		return failed('role', `a replica of ${info.get('master_host')}:${info.get('master_port')}, which takes no writes`, 'Give the address of the master');
	}

	const replicas = Number(info.get('connected_slaves') ?? 0);

	return ok('role', `master with ${replicas === 0 ? 'no replica' : `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`}`);
};

export const checkEviction = (info: Info): Finding => {
	const policy = info.get('maxmemory_policy');
	if (policy === undefined) {
		return warning('eviction', 'it does not tell its maxmemory-policy', 'See the settings of the service: when it is full, it has to remove keys by itself');
	}

	if (Number(info.get('maxmemory')) === 0) {
		return ok('eviction', `${policy}, but no maxmemory: what expires is removed, and nothing else`);
	}

	if (policy === 'noeviction') {
		return warning('eviction', 'noeviction: once Redis is full, nothing new is stored', whatToSet);
	}

	return ok('eviction', policy);
};

/** Of what Redis may use. */
const nearlyFull = 0.9;

export const checkMemory = (info: Info): Finding => {
	const used = Number(info.get('used_memory'));
	if (Number.isNaN(used)) {
		return warning('memory', 'it does not tell how much it uses', 'See the metrics of the service');
	}

	const limit = Number(info.get('maxmemory'));
	const evicted = Number(info.get('evicted_keys') ?? 0);
	const evictions = evicted === 0 ? '' : `, ${evicted} keys evicted since it began`;
	if (limit === 0) {
		return ok('memory', `${formatBytes(used)} used, no limit${evictions}`);
	}

	const detail = `${formatBytes(used)} of ${formatBytes(limit)} used${evictions}`;

	return used > limit * nearlyFull && info.get('maxmemory_policy') === 'noeviction' ? failed('memory', `${detail}: nearly full`, `Raise maxmemory. ${whatToSet}`) : ok('memory', detail);
};

export const checkPersistence = (info: Info): Finding => {
	if (info.get('loading') === '1') {
		return failed('persistence', 'it is reading its data from disk', 'Wait until it is done');
	}

	if (info.get('rdb_last_bgsave_status') === 'err' || info.get('aof_last_write_status') === 'err') {
		return failed('persistence', 'it could not save to its disk, and refuses writes', 'See the log of Redis, and make room on its disk; or turn saving off for a cache: CONFIG SET save ""');
	}

	const isAppending = info.get('aof_enabled') === '1';

	return ok('persistence', isAppending ? 'an append-only file' : 'none or snapshots, which is enough for a cache');
};

export const checkTracking = async (store: StoreAccess): Promise<Finding> => {
	const advice = (reason: string) => warning('tracking', reason, 'The memory tier stays off, and each hit takes a round trip: allow HELLO and CLIENT TRACKING, or set `memory: false`');
	try {
		const server = await connectServer(store, 3);
		try {
			await server.send('CLIENT', 'TRACKING', 'ON');
			return ok('tracking', 'RESP3 and CLIENT TRACKING, so processes may keep responses in memory');
		} finally {
			server.close();
		}
	} catch (error) {
		return advice(isForbidden(error) ? 'this user may not run CLIENT TRACKING' : `refused (${(error as Error).message})`);
	}
};

const pings = 21;

/** Hits wait for one round trip; the option `timeout` is 250 ms unless it was set. */
const slowMs = 20;
const tooSlowMs = 250;

export const checkLatency = async ({send}: Pick<Server, 'send'>): Promise<Finding> => {
	const times: number[] = [];
	for (let count = 0; count < pings; count++) {
		const startMs = performance.now();
		await send('PING'); // eslint-disable-line no-await-in-loop -- one at a time
		times.push(performance.now() - startMs);
	}

	const sorted = times.toSorted((one, other) => one - other);
	const median = sorted[Math.floor(pings / 2)] ?? 0;
	const longest = sorted.at(-1) ?? 0;
	const detail = `${median.toFixed(1)} ms a round trip, ${longest.toFixed(1)} ms at most, of ${pings}`;
	if (median >= tooSlowMs) {
		return failed('latency', detail, 'Requests give Redis up after `timeout`, 250 ms by default: bring Redis nearer, or raise `timeout`');
	}

	return median >= slowMs ? warning('latency', detail, 'Each hit from Redis takes that long: use a Redis in the same region') : ok('latency', detail);
};

/** Clocks are assumed to agree to a minute. */
const mostSeconds = 60;
const noticeableSeconds = 2;

export const checkClock = async ({send}: Pick<Server, 'send'>): Promise<Finding> => {
	const before = Date.now();
	const [seconds, micros] = (await send('TIME')) as [string, string];
	const here = (before + Date.now()) / 2;
	const difference = Math.abs((Number(seconds) * 1000) + (Number(micros) / 1000) - here) / 1000;
	const detail = `${difference.toFixed(difference < 1 ? 3 : 1)} s between this machine and Redis`;
	if (difference > mostSeconds) {
		return failed('clock', detail, 'Set the clocks by NTP: ages are wrong, and purges may be missed');
	}

	return difference > noticeableSeconds ? warning('clock', detail, 'Set the clocks by NTP: ages are wrong by that much') : ok('clock', detail);
};

const refused = (name: string, right: string): Finding => warning(name, `this user may not run ${right.toUpperCase()}, so it is not known`, `Grant it: ACL SETUSER <user> +${right}`);

/** Runs a check that needs a right; without it, nothing is known. */
export const withRight = async (name: string, right: string, check: () => Promise<Finding>): Promise<Finding> => {
	try {
		return await check();
	} catch (error) {
		if (isForbidden(error)) {
			return refused(name, right);
		}

		throw error;
	}
};

/** All that INFO tells. */
export const checkInfo = async (server: Server): Promise<Finding[]> => {
	try {
		const info = await readInfo(server, 'server', 'replication', 'memory', 'persistence', 'stats');
		return [checkVersion(info), checkRole(info), checkEviction(info), checkMemory(info), checkPersistence(info)];
	} catch (error) {
		if (isForbidden(error)) {
			return [refused('server', 'info')];
		}

		throw error;
	}
};
