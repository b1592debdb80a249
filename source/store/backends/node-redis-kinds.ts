import type {Cluster} from './cluster-nodes.ts';
import type {RedisConnection} from './redis-connection.ts';

/** Its nodes take commands like any other client; the cluster itself must be told of which key. */
export type ClusterConnection = RedisConnection & Cluster;

export const isCluster = (connection: RedisConnection): connection is ClusterConnection => 'masters' in connection;

/** Whether a connection is neither a cluster nor a sentinel; a pool is single too. */
export const isSingle = (connection: RedisConnection): boolean => !isCluster(connection) && !('getSentinelNode' in connection);

/** Whether operations on one slot keep their order: a sentinel and a pool have several connections in turn. */
export const keepsOrder = (connection: RedisConnection): boolean => !('getSentinelNode' in connection || 'totalClients' in connection);
