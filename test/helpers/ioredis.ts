import {Cluster as IoredisCluster, Redis as Ioredis, type ClusterNode, type ClusterOptions, type RedisOptions} from 'ioredis';
import {Cluster as Ioredis5Cluster, Redis as Ioredis5} from 'ioredis-5';
import {Cluster as IovalkeyCluster, Redis as Iovalkey} from 'iovalkey';
import type {TestSentinel} from './sentinel.ts';

export type IoredisPackage = {
	readonly name: string;
	/** A client, connecting unless it has `lazyConnect`. Its failures are the test's to see. */
	open(url: string, options?: Readonly<RedisOptions>): Ioredis;
	openCluster(nodes: readonly ClusterNode[], options?: Readonly<ClusterOptions>): IoredisCluster;
};

const quiet = <Client extends {on(event: 'error', listener: () => void): unknown}>(client: Client): Client => {
	client.on('error', () => undefined);
	return client;
};

/** The packages have the same methods; their types differ in what no test uses. */
export const ioredisPackages: readonly IoredisPackage[] = [
	{
		name: 'ioredis 6',
		open: (url, options = {}) => quiet(new Ioredis(url, options)),
		openCluster: (nodes, options) => quiet(new IoredisCluster([...nodes], options)),
	},
	{
		name: 'ioredis 5',
		open: (url, options = {}) => quiet(new Ioredis5(url, options as never)) as unknown as Ioredis,
		openCluster: (nodes, options) => quiet(new Ioredis5Cluster([...nodes], options as never)) as unknown as IoredisCluster,
	},
	{
		name: 'iovalkey',
		open: (url, options = {}) => quiet(new Iovalkey(url, options as never)) as unknown as Ioredis,
		openCluster: (nodes, options) => quiet(new IovalkeyCluster([...nodes], options as never)) as unknown as IoredisCluster,
	},
];

export const [newestIoredis] = ioredisPackages as readonly [IoredisPackage];

/** Options of a client that follows a master through a sentinel. */
export const sentinelOptions = ({options: {name, sentinelRootNodes}}: TestSentinel): RedisOptions => ({name, sentinels: sentinelRootNodes, sentinelRetryStrategy: () => 50, retryStrategy: () => 20});
