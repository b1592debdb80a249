import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {promisify} from 'node:util';
import {createCluster, createSentinel} from '@redis/client';
import got from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {createCertificate} from '../helpers/certificate.ts';
import {startCluster} from '../helpers/cluster.ts';
import {secondPortOffset, startRedis} from '../helpers/redis.ts';
import {startSentinel} from '../helpers/sentinel.ts';
import {startSentinelSet} from '../helpers/sentinel-set.ts';
import {createTally, failuresOf, startLoad, type Load} from './load.ts';
import {startResources} from './resources.ts';

/*
Redis on many nodes, and behind locks: no request is lost while nodes come and go.
*/

const temporaryDirectory = async () => {
	const directory = await mkdtemp(path.join(tmpdir(), 'got-redis-cache-'));
	return {
		directory,
		async [Symbol.asyncDispose]() {
			await rm(directory, {recursive: true});
		},
	};
};

const patienceMs = 30_000;

const untilHits = async (load: Load, hits: number) => {
	load.tally = createTally();
	const dueMs = performance.now() + patienceMs;
	while (load.tally.hits < hits) {
		assert.ok(performance.now() < dueMs, `${load.tally.hits} of ${hits} hits in ${patienceMs} ms, of ${load.tally.requests} requests`);
		await wait(10);
	}
};

/** A load on one cache while something happens; afterwards it caches again, and nothing was lost. */
const assertNothingLost = async (options: RedisCacheOptions, happen: (load: Load) => Promise<void>): Promise<void> => {
	await using resources = await startResources();
	await using cache = redisCache({timeout: 250, ...options});
	const plain = got.extend({prefixUrl: resources.origin.url, retry: {limit: 0}, timeout: {request: 20_000}});
	const load = startLoad(resources, plain, [{name: 'one', client: plain.extend(cache)}], {workers: 4, pauseMs: 3});
	const tallies = [load.tally];
	const next = async () => {
		await untilHits(load, 30);
		tallies.push(load.tally);
	};

	try {
		await next();
		await happen(load);
		tallies.push(load.tally);
		await next();
	} finally {
		await load.stop();
	}

	for (const tally of tallies) {
		assert.deepEqual(failuresOf(tally), []);
		assert.deepEqual(tally.wrong, []);
	}
};

test('a cluster: resharding, a failover and the death of a master lose no request', {timeout: 110_000}, async () => {
	await using nodes = await startCluster({losesNodes: true});
	const [first, second, third] = nodes.masters;
	const [firstReplica] = nodes.replicas;
	assert.ok(first && second && third && firstReplica); // eslint-disable-line node-test/no-compound-assertion -- for TypeScript
	const cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url}))});
	cluster.on('error', () => undefined);
	using _ended = {
		[Symbol.dispose]() {
			cluster.destroy();
		},
	};

	await assertNothingLost({store: cluster, coalesce: 'fleet'}, async load => {
		const slots = await nodes.moveSlots(second, third);
		assert.ok(slots > 0);
		await untilHits(load, 30);

		await firstReplica.client.sendCommand(['CLUSTER', 'FAILOVER']);
		await untilHits(load, 30);

		await third.kill();
		await untilHits(load, 30);
	});
	assert.equal(cluster.isOpen, true, 'it is the user\'s');
});

test('a sentinel: the death of the master loses no request', {timeout: 60_000}, async () => {
	await using set = await startSentinelSet();
	const {master, watcher} = set;
	const sentinel = set.open();
	await assertNothingLost({store: sentinel}, async () => {
		await master.kill();
		await watcher.wanted('+switch-master');
	});
	assert.equal(sentinel.isOpen, true, 'it is the user\'s');
});

const errorsOf = (cache: RedisCache): string[] => {
	const errors: string[] = [];
	cache.on('error', error => errors.push(error.message));
	return errors;
};

test('TLS: a certificate that is trusted is used, any other is refused, and no request fails', {timeout: 60_000}, async () => {
	await using place = await temporaryDirectory();
	const key = path.join(place.directory, 'key.pem');
	const certificate = path.join(place.directory, 'certificate.pem');
	await promisify(execFile)('openssl', [
		'req',
		'-x509',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:prime256v1',
		'-nodes',
		'-keyout',
		key,
		'-out',
		certificate,
		'-days',
		'2',
		'-subj',
		'/CN=localhost',
		'-addext',
		'subjectAltName=IP:127.0.0.1',
	]);
	await using redis = await startRedis({
		args: port => [
			'--tls-port',
			String(port + secondPortOffset),
			'--tls-cert-file',
			certificate,
			'--tls-key-file',
			key,
			'--tls-ca-cert-file',
			certificate,
			'--tls-auth-clients',
			'no',
		],
	});
	await using resources = await startResources();
	const url = `rediss://127.0.0.1:${redis.port + secondPortOffset}`;
	const plain = got.extend({prefixUrl: resources.origin.url});

	await using trusting = redisCache({store: {url, socket: {tls: true, ca: await readFile(certificate)}}, timeout: 5000});
	const errors = errorsOf(trusting);
	const client = plain.extend(trusting);
	await client('probe/1');
	assert.equal((await client('probe/1')).isFromCache, true);
	assert.deepEqual(errors, []);
	assert.equal(await redis.client.dbSize() > 0, true);

	await using wary = redisCache({store: url, timeout: 5000});
	const refusals = errorsOf(wary);
	const other = plain.extend(wary);
	await other('probe/1');
	assert.equal((await other('probe/1')).isFromCache, false);
	assert.match(refusals.join('\n'), /self-signed certificate/v);
});

/** Beside the ports of the cluster's bus. */
const tlsPortOffset = 20_000;

/** A certificate of the test's own, for servers and for clients. */
const certify = async (directory: string) => {
	const [keyFile, certificateFile] = [path.join(directory, 'key.pem'), path.join(directory, 'certificate.pem')];
	const {key, cert} = createCertificate();
	await Promise.all([writeFile(keyFile, key), writeFile(certificateFile, cert)]);
	const options = (port: number) => [
		['tls-port', String(port)],
		['tls-replication', 'yes'],
		['tls-cert-file', certificateFile],
		['tls-key-file', keyFile],
		['tls-ca-cert-file', certificateFile],
		['tls-auth-clients', 'no'],
	] as const;
	return {
		linesOf: (port: number) => options(port).map(option => option.join(' ')),
		argsOf: (port: number) => options(port + tlsPortOffset).flatMap(([name, value]) => [`--${name}`, value]),
		socket: {tls: true, ca: cert} as const,
	};
};

test('TLS with a cluster: the death of a master loses no request', {timeout: 110_000}, async () => {
	await using place = await temporaryDirectory();
	const {argsOf, socket} = await certify(place.directory);
	await using nodes = await startCluster({losesNodes: true, args: port => [...argsOf(port), '--tls-cluster', 'yes', '--cluster-port', String(port + secondPortOffset)]});
	const cluster = createCluster({rootNodes: nodes.masters.map(({port}) => ({url: `rediss://127.0.0.1:${port + tlsPortOffset}`})), defaults: {socket}});
	cluster.on('error', () => undefined);
	using _ended = {
		[Symbol.dispose]() {
			cluster.destroy();
		},
	};

	await assertNothingLost({store: cluster, coalesce: 'fleet'}, async load => {
		assert.deepEqual(new Set(cluster.masters.map(({port}) => port)), new Set(nodes.masters.map(({port}) => port + tlsPortOffset)));
		await nodes.masters[0]?.kill();
		await untilHits(load, 30);
	});
});

test('TLS with a sentinel: the death of the master loses no request', {timeout: 60_000}, async () => {
	await using place = await temporaryDirectory();
	const {linesOf, argsOf, socket} = await certify(place.directory);
	const tlsArgs = (port: number) => [...argsOf(port), '--repl-diskless-sync-delay', '0'];
	await using master = await startRedis({args: tlsArgs});
	await using replica = await startRedis({args: port => [...tlsArgs(port), '--replicaof', '127.0.0.1', String(master.port + tlsPortOffset)]});
	await using watcher = await startSentinel(master, {
		masterPort: master.port + tlsPortOffset,
		directives: port => ['port 0', ...linesOf(port)],
	});
	while (!(await replica.client.info('replication')).includes('master_link_status:up')) {
		await wait(20);
	}

	await watcher.wanted('+slave');
	const sentinel = createSentinel({...watcher.options, sentinelClientOptions: {socket}, nodeClientOptions: {socket}});
	sentinel.on('error', () => undefined);
	await assertNothingLost({store: sentinel}, async () => {
		await master.kill();
		await watcher.wanted('+switch-master');
	});
	assert.equal(sentinel.isOpen, true, 'it is the user\'s');
	sentinel.destroy();
});
