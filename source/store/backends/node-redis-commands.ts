import {Buffer} from 'node:buffer';
import type {RESP_TYPES} from '@redis/client';
import {toErrorReply} from '../ports/error-reply.ts';
import {isCluster} from './node-redis-kinds.ts';
import {noteMasters} from './masters.ts';
import type {RedisConnection} from './redis-connection.ts';
import type {MasterNode, ReplyForm, SendCommand} from './redis-link.ts';

/** The byte `$`, by which node-redis knows the type: its own name for it would have to be loaded. */
const blobString = 36 satisfies (typeof RESP_TYPES)['BLOB_STRING'];

const forms: Readonly<Record<ReplyForm, {readonly typeMapping: Readonly<Record<number, unknown>>}>> = {
	bytes: {typeMapping: {[blobString]: Buffer}},
	text: {typeMapping: {}},
};

const asBytes = forms.bytes;

/** Rejects with an `ErrorReply` of ours if Redis refused the command, whichever version of node-redis sent it. */
const settle = async (reply: Promise<unknown>): Promise<unknown> => {
	try {
		return await reply;
	} catch (error) {
		throw toErrorReply(error);
	}
};

/*
Masters alone, whether or not the owner reads from replicas: one that lags behind would give what was purged.

Not `withTypeMapping()`: a sentinel would change the replies of its owner too, and a cluster's nodes lose the mapping.
*/

/**
How commands are sent through node-redis. A command may throw at once, or reject with node-redis's own error.

@param current - The connection now; for one of the user's, always the same.
*/
export const senderOf = (current: () => RedisConnection): SendCommand => {
	const connection = current();
	if (isCluster(connection)) {
		return async (key, arguments_) => {
			const reply = await connection.sendCommand(key, false, arguments_, asBytes);
			noteMasters(connection);
			return reply;
		};
	}

	return 'getSentinelNode' in connection
		? (_key, arguments_) => connection.sendCommand(false, arguments_, asBytes)
		: (_key, arguments_) => current().sendCommand(arguments_, asBytes);
};

export const mastersOf = (connection: RedisConnection): MasterNode[] => {
	if (isCluster(connection)) {
		return connection.masters.map(node => ({
			address: node.address,
			async send(arguments_, form) {
				const client = await connection.nodeClient(node);
				return settle(client.sendCommand(arguments_, forms[form]));
			},
		}));
	}

	return [{
		address: undefined,
		send: 'getSentinelNode' in connection
			? async (arguments_, form) => settle(connection.sendCommand(false, arguments_, forms[form]))
			: async (arguments_, form) => settle(connection.sendCommand(arguments_, forms[form])),
	}];
};
