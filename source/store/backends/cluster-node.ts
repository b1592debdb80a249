import {isErrorReply} from '../ports/error-reply.ts';

/*
A node of a cluster answers for its own keys alone, and refuses most of what the cache asks: it would be a store that never has anything.
*/

export type ClusterNodeCheck = {
	/**
	Asks the server, once, whether it is a node of a cluster. `undefined` when commands may be sent.

	@throws {Error} If it is.
	*/
	connect(): Promise<void> | undefined;

	/** To be called with each error: a server that may not be asked tells by what it refuses. */
	note(error: unknown): void;
};

const nodeError = () => new Error('This Redis is a node of a cluster, and was given as a single Redis');

const modeOf = (reply: unknown): unknown => {
	if (Array.isArray(reply)) {
		const position = reply.findIndex(each => String(each) === 'mode');
		return position === -1 ? undefined : String(reply[position + 1]);
	}

	return reply instanceof Map ? reply.get('mode') : (reply as {readonly mode?: unknown} | undefined)?.mode;
};

/**
@param connect - Makes the connection.
@param askServer - Resolves to what `HELLO` replies.
*/
export const checkClusterNode = (connect: ClusterNodeCheck['connect'], askServer: () => Promise<unknown>): ClusterNodeCheck => {
	let isKnown = false;
	let isFoundOut = false;
	let checking: Promise<void> | undefined;

	/** A user who may not ask is told by the first refusal. */
	const isNode = async (): Promise<boolean> => {
		try {
			return modeOf(await askServer()) === 'cluster';
		} catch (error) {
			if (isErrorReply(error)) {
				return false;
			}

			throw error;
		}
	};

	const check = async (): Promise<void> => {
		try {
			await connect();
			// Another server may answer the next time.
			if (isFoundOut || await isNode()) {
				throw nodeError();
			}

			isKnown = true;
		} finally {
			checking = undefined;
		}
	};

	return {
		connect() {
			if (isKnown) {
				return connect();
			}

			checking ??= check();
			return checking;
		},
		note(error) {
			if (!(isErrorReply(error) && /^(?:CROSSSLOT|MOVED) /v.test(error.message))) {
				return;
			}

			isFoundOut = true;
			isKnown = false;
		},
	};
};
