/** A client, cluster, sentinel or pool of node-redis 5 or 6, whatever its modules, RESP version and type mapping. */
export type RedisConnection = {
	readonly isOpen: boolean;
	readonly isReady?: boolean;
	connect(): Promise<unknown>;
	sendCommand(...parameters: any[]): Promise<unknown>;
	withTypeMapping(mapping: any): unknown;
	on(event: string, listener: (...parameters: any[]) => void): unknown;
};
