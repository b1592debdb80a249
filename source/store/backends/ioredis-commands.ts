import {Buffer} from 'node:buffer';
import {nodeRedis} from '../../types/packages.cjs';
import type {IoredisClient, IoredisCluster} from './ioredis-kinds.ts';
import type {Argument, ReplyForm} from './redis-link.ts';

/*
One command through ioredis. Its own ways to send commands add `keyPrefix`, wait for others with `enableAutoPipelining`, and read from replicas with `scaleReads`; and a command that was written when the connection broke is sent once more on the next one, however late. So a view of the client with other options makes the command, and a command that would be sent again becomes a PING.
*/

/** A command of ioredis before it is sent. */
type Command = {
	toWritable(stream: unknown): string | Uint8Array;
	reject(error: Error): void;
};

export type Sender = {
	send(arguments_: readonly Argument[], form: ReplyForm): Promise<unknown>;
	/** Rejects all that has not been answered: the connection is lost, and with it the answers. */
	abandon(): void;
};

const ping = '*1\r\n$4\r\nPING\r\n';

const connectionLost = () => new Error('The connection to Redis was lost before it had answered');

/** In a transaction of the owner's that is not sent at once, Redis keeps commands for later, or for never. */
const queued = 'QUEUED';

/** A `Buffer`, for ioredis takes other arrays of bytes for text. */
const toArgument = (argument: Argument): Argument => typeof argument === 'string' || Buffer.isBuffer(argument) ? argument : Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);

/** Where all strings are bytes, what is a string is a number, with `stringNumbers`. */
const toReply = (reply: unknown, form: ReplyForm): unknown => {
	if (Buffer.isBuffer(reply)) {
		return form === 'text' ? reply.toString() : reply;
	}

	if (typeof reply === 'string') {
		return Number(reply);
	}

	if (Array.isArray(reply)) {
		return reply.map(each => toReply(each, form));
	}

	// With `replyMapping: 'resp3'`, ioredis 6 makes an object of a map.
	return typeof reply === 'object' && reply !== null ? Object.fromEntries(Object.entries(reply).map(([name, value]) => [name, toReply(value, form)])) : reply;
};

/** Without the command and its arguments, which ioredis adds to errors. */
export const toError = (error: unknown): Error => {
	if (!(error instanceof Error)) {
		return new Error(String(error));
	}

	if (error.name === 'ReplyError') {
		return new (nodeRedis().ErrorReply)(error.message);
	}

	return 'command' in error ? new Error(error.message) : error;
};

const plainOptions = {keyPrefix: '', enableAutoPipelining: false, showFriendlyErrorStack: false};

/** The same client with other options, for one call. */
const viewOf = <Client extends IoredisClient | IoredisCluster>(client: Client, options: Readonly<Record<string, unknown>>, methods: Readonly<Record<string, unknown>>): Client => {
	const own: unknown = Object.assign(Object.create(client.options), options);
	return Object.assign(Object.create(client, {options: {value: own}}) as Client, methods);
};

/** An error that sends the command to another node. */
const redirection = /^(?:MOVED|ASK|TRYAGAIN) /v;

/**
@param deliver - Sends a command, and resolves to its reply.
*/
const createSender = (client: IoredisClient | IoredisCluster, deliver: (command: Command) => Promise<unknown>): Sender => {
	// `callBuffer()` gives the command to `sendCommand()`, and returns what that returns.
	const maker = viewOf(client, plainOptions, {sendCommand: (command: Command) => command});
	const pending = new Set<(error: Error) => void>();

	const toCommand = ([name = '', ...rest]: readonly Argument[]): Command => maker.callBuffer(String(name).toLowerCase(), ...rest.map(argument => toArgument(argument))) as Command;

	return {
		send: async (arguments_, form) => new Promise((resolve, reject) => {
			let isWritten = false;
			let isOver = false;
			const end = () => {
				isOver = true;
				pending.delete(giveUp);
			};

			const giveUp = (error: Error) => {
				end();
				reject(error);
			};

			const command = toCommand(arguments_);
			const toWritable = command.toWritable.bind(command);
			command.toWritable = stream => {
				if (isWritten || isOver) {
					giveUp(connectionLost());
					return ping;
				}

				isWritten = true;
				return toWritable(stream);
			};

			const deliverCommand = async () => {
				try {
					const delivered = deliver(command);
					const rejectCommand = command.reject.bind(command);
					command.reject = error => {
						// A cluster sends it to another node then.
						isWritten &&= !redirection.test(error.message);
						rejectCommand(error);
					};

					const reply = await delivered;
					if (Buffer.isBuffer(reply) && reply.length === queued.length && reply.toString() === queued) {
						throw new Error('The client of the store is in a transaction, which `multi({pipeline: false})` has begun');
					}

					end();
					resolve(toReply(reply, form));
				} catch (error) {
					giveUp(toError(error));
				}
			};

			pending.add(giveUp);
			void deliverCommand();
		}),
		abandon() {
			for (const giveUp of pending) {
				giveUp(connectionLost());
			}
		},
	};
};

const senders = new WeakMap<IoredisClient | IoredisCluster, Sender>();

const remember = <Client extends IoredisClient | IoredisCluster>(client: Client, create: (client: Client) => Sender): Sender => {
	const known = senders.get(client) ?? create(client);
	senders.set(client, known);
	return known;
};

/** The sender of a client of one server, or of a cluster's node. */
export const senderOfClient = (client: IoredisClient): Sender => remember(client, () => createSender(client, async command => client.sendCommand(command)));

/** The sender of a cluster, which finds the node by the key. */
export const senderOfCluster = (cluster: IoredisCluster): Sender => remember(cluster, () => {
	const masters = viewOf(cluster, {
		...plainOptions,
		// A replica that lags behind would give what was purged.
		scaleReads: 'master',
		// A node that is lost may have done it.
		retryDelayOnFailover: 0,
		retryDelayOnClusterDown: 0,
	}, {
		refreshSlotsCache(callback?: (error?: Error) => void) {
			cluster.refreshSlotsCache(callback);
		},
	});

	return createSender(cluster, async command => masters.sendCommand(command));
});
