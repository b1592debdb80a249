import * as nodeRedis5 from '@redis/client';
import * as nodeRedis6 from 'redis-client-6';

type NodeRedis = Pick<typeof nodeRedis5, 'createClient' | 'createClientPool' | 'createCluster' | 'createSentinel'>;

export type NodeRedisPackage = NodeRedis & {readonly name: string};

/** The versions have the same methods; their types differ in what no test uses. */
export const nodeRedisPackages: readonly NodeRedisPackage[] = [
	{name: 'node-redis 5', ...nodeRedis5},
	{name: 'node-redis 6', ...nodeRedis6 as unknown as NodeRedis},
];

export const [nodeRedis, newestNodeRedis] = nodeRedisPackages as readonly [NodeRedisPackage, NodeRedisPackage];

type Destroyable = {
	on(event: 'error', listener: () => void): unknown;
	destroy(): void;
};

/** A client whose errors are of no interest, and how to close it. */
export const opened = <Client extends Destroyable>(store: Client) => {
	store.on('error', () => undefined);
	return {
		store,
		close() {
			store.destroy();
		},
	};
};
