import type {ErrorReply} from '@redis/client';
import type {Nodes} from '../ports/backend.ts';

/*
The port between the store and a client of Redis. `own-client.ts` and `borrowed-client.ts` implement it for node-redis, `ioredis.ts` for ioredis and iovalkey.
*/

export type Argument = string | Uint8Array;

/** Sends a command about one key to the master that keeps it. Replies are bytes (`Buffer`) and numbers; the rejection of a command that Redis refused is an `ErrorReply`. */
export type SendCommand = (key: string, arguments_: readonly Argument[]) => Promise<unknown>;

/** The form of strings in a reply. */
export type ReplyForm = 'bytes' | 'text';

export type MasterNode = {
	/** The address of a cluster's node. */
	readonly address: string | undefined;
	readonly send: (arguments_: readonly Argument[], form: ReplyForm) => Promise<unknown>;
};

/** Listens for keys that were changed or removed since they were read here, by wire key. */
export type Tracker = {
	invalidate(key: string): void;
	/** Word may have been missed. */
	lose(): void;
	/** All that Redis had to tell so far has arrived. Only for a link that tells it apart from an answer, see `proveTracking`. */
	confirm(): void;
	/** Redis tells nothing, for the reason that it gave. */
	refused(error: ErrorReply): void;
};

/**
A connection to Redis that opens when it is first needed: a client, or a cluster or sentinel with several.
*/
export type RedisLink = {
	/** Where it leads, for messages: without credentials. */
	readonly address: string;
	/** Why a client that connects by itself has not succeeded yet. */
	readonly connectionError?: Error | undefined;
	/** Stands before the namespace in each key. */
	readonly keyPrefix?: string;
	/** Whether Redis tells `tracker` what becomes of the keys that are read. */
	readonly isTracking: boolean;
	/** Has `tracker` told when all that Redis had to tell so far has arrived. Absent where each answer says as much. */
	readonly proveTracking?: () => void;
	/** `undefined` when commands may be sent, otherwise resolves when they may. */
	readonly connect: () => Promise<void> | undefined;
	/** As `SendCommand`, but a refusal may be the client's own error, and a client may throw at once. */
	readonly send: SendCommand;
	/** The masters of a cluster, as far as they are known, or the one that there is. */
	masters(): readonly MasterNode[];
	/** Calls back when replies may come from another master than before. Returns how to end it. */
	watchMasters(onChange: () => void): () => void;
	/** Drops a connection that fell silent, and the commands on it. */
	reset(): void;
	/** The nodes of a cluster. */
	readonly nodes?: Nodes | undefined;
	/** Whether it may turn out to be a node of a cluster: it is neither a cluster nor a sentinel. */
	readonly isSingle: boolean;
	/** See `Backend`. */
	readonly keepsOrder: boolean;
	close(): Promise<void>;
	readonly probePatienceMs: number;
};

