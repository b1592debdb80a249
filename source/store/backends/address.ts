import type {RedisClientOptions} from '@redis/client';
import type {RedisConnection} from './redis-connection.ts';

type Location = {readonly host?: string | undefined; readonly port?: number | undefined; readonly path?: string | undefined; readonly tls?: boolean | undefined};

export const hostAndPort = (host = 'localhost', port = 6379): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** A server as a URL without credentials. */
export const addressOfServer = ({host, port, path, tls, database}: Location & {readonly database?: number | undefined}): string => path === undefined
	? `${tls ? 'rediss' : 'redis'}://${hostAndPort(host, port)}${database === undefined ? '' : `/${database}`}`
	: `unix://${path}${database === undefined ? '' : `?db=${database}`}`;

/** Where a client connects to, as a URL without credentials. */
export const addressOfClient = ({url, socket, database}: RedisClientOptions): string => {
	const location = (socket ?? {}) as Location;
	if (url !== undefined && location.path === undefined && URL.canParse(url)) {
		const {protocol, hostname, port: urlPort, pathname} = new URL(url);
		return `${protocol}//${hostname || 'localhost'}:${urlPort || 6379}${pathname === '/' ? '' : pathname}`;
	}

	return addressOfServer({...location, database});
};

const nodesShown = 3;

/** The addresses of a cluster are known once it is connected. */
export const listAddresses = (kind: string, addresses: readonly string[]): string => {
	const more = addresses.length > nodesShown ? ', …' : '';

	return addresses.length === 0 ? kind : `${kind} (${addresses.slice(0, nodesShown).join(', ')}${more})`;
};

/** Where a connection of the user's leads to, as far as node-redis tells. */
export const addressOfConnection = (connection: RedisConnection): string => {
	if ('masters' in connection) {
		return listAddresses('a cluster of node-redis', (connection.masters as readonly Location[]).map(({host, port}) => hostAndPort(host, port)));
	}

	if ('getSentinelNode' in connection) {
		return 'a sentinel of node-redis';
	}

	const {options} = connection as {readonly options?: RedisClientOptions};
	return options === undefined ? 'a pool of node-redis' : addressOfClient(options);
};
