import {isPromise} from 'node:util/types';

/** The end of the message for a mistaken option `store`. */
export const expected =
	'expected a redis:, rediss:, valkey:, valkeys:, unix: or sqlite: URL, \'redis\', \'memory\', options of a node-redis client, a client, cluster, sentinel or pool of node-redis, a client or cluster of ioredis or iovalkey, a Keyv, a Keyv storage adapter, or a Map';

/** Says what a value is, without what it holds. */
export const describe = (value: unknown): string => {
	if (value === null || value === undefined) {
		return String(value);
	}

	if (isPromise(value)) {
		return 'a promise, which has to be awaited first, such as that of embeddedRedis()';
	}

	if (typeof value === 'object') {
		return Array.isArray(value) ? 'an array' : `an object of class ${value.constructor?.name ?? 'none'}`;
	}

	return `a ${typeof value}`;
};
