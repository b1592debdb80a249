import {ErrorReply} from '@redis/client';

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
	if (!(error instanceof Error) || error instanceof ErrorReply || !isOfForeignClass(error)) {
		return error;
	}

	const reply = new ErrorReply(error.message);
	reply.cause = error;
	return reply;
};
