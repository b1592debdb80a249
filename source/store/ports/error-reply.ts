import type {ErrorReply} from '@redis/client';
import {nodeRedis} from '../../types/packages.cjs';

/** Redis refuses a command, or the cache's keys, to this user: by its ACL, or because the command was disabled. */
export class StorePermissionError extends Error {
	override readonly name = 'StorePermissionError';
}

/** Whether Redis refused a command. Loads node-redis: to be called of errors that come from Redis. */
export const isErrorReply = (error: unknown): error is ErrorReply => error instanceof StorePermissionError || error instanceof nodeRedis().ErrorReply;

/** By the name of its class: another version of node-redis has another class of that name. */
const isOfForeignClass = (error: Error): boolean => {
	for (let prototype: unknown = Object.getPrototypeOf(error); prototype instanceof Error; prototype = Object.getPrototypeOf(prototype)) {
		if (prototype.constructor.name === 'ErrorReply') {
			return true;
		}
	}

	return false;
};

/** Returns a refusal by Redis as an `ErrorReply`, whichever copy of node-redis it came through; any other error as it is. */
export const toErrorReply = (error: unknown): unknown => {
	if (!(error instanceof Error) || error instanceof nodeRedis().ErrorReply || !isOfForeignClass(error)) {
		return error;
	}

	const reply = new (nodeRedis().ErrorReply)(error.message);
	reply.cause = error;
	return reply;
};
