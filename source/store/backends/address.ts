import type {RedisClientOptions} from '@redis/client';
import type {RedisConnection} from './redis-connection.ts';

type Location = {readonly host?: string | undefined; readonly port?: number | undefined; readonly path?: string | undefined; readonly tls?: boolean | undefined};

const hostAndPort = (host = 'localhost', port = 6379): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Where a client connects to, as a URL without credentials. */
export const addressOfClient = ({url, socket, database}: RedisClientOptions): string => {
	const {host, port, path, tls} = (socket ?? {}) as Location;
	if (path !== undefined) {
		return `unix://${path}${database === undefined ? '' : `?db=${database}`}`;
	}

	if (url !== undefined && URL.canParse(url)) {
		const {protocol, hostname, port: urlPort, pathname} = new URL(url);
		return `${protocol}//${hostname || 'localhost'}:${urlPort || 6379}${pathname === '/' ? '' : pathname}`;
	}

	return `${tls ? 'rediss' : 'redis'}://${hostAndPort(host, port)}${database === undefined ? '' : `/${database}`}`;
};

const nodesShown = 3;

/** The addresses of a cluster are known once it is connected. */
const addressOfCluster = (masters: readonly unknown[]): string => {
	const addresses = (masters as readonly Location[]).map(({host, port}) => hostAndPort(host, port));
	const more = addresses.length > nodesShown ? ', …' : '';

	return ['a cluster of node-redis', ...addresses.length === 0 ? [] : [`(${addresses.slice(0, nodesShown).join(', ')}${more})`]].join(' ');
};

/** Where a connection of the user's leads to, as far as node-redis tells. */
export const addressOfConnection = (connection: RedisConnection): string => {
	if ('masters' in connection) {
		return addressOfCluster(connection.masters as readonly unknown[]);
	}

	if ('getSentinelNode' in connection) {
		return 'a sentinel of node-redis';
	}

	const {options} = connection as {readonly options?: RedisClientOptions};
	return options === undefined ? 'a pool of node-redis' : addressOfClient(options);
};
