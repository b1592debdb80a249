import type {ErrorReply} from '@redis/client';
import {isErrorReply, StorePermissionError} from '../ports/error-reply.ts';

const advice = 'docs/security.md lists what a cache needs';

/** The command on the line of a script that Redis's error names, or else the one that was sent. */
const refusedCommand = (reply: string, [name, script]: ReadonlyArray<string | Uint8Array>): string => {
	const line = Number(/@user_script: ?(?<line>\d+)/v.exec(reply)?.groups?.line);
	const inScript = String(script).split('\n')[line - 1]?.match(/redis\.p?call\('(?<command>\w+)'/v);

	return inScript?.groups?.command ?? String(name);
};

const describe = (reply: string, arguments_: ReadonlyArray<string | Uint8Array>, prefix: string): string | undefined => {
	if (/no permissions to access (?:a|one of the) key/iv.test(reply)) {
		return `Redis does not let this user access the cache's keys (NOPERM): grant them with ACL SETUSER <user> ~${prefix}*; ${advice}`;
	}

	if (/no permissions to access (?:a|one of the) channel/iv.test(reply)) {
		return `Redis does not let this user hear of changed keys (NOPERM): grant it the channel with ACL SETUSER <user> &__redis__:invalidate; ${advice}`;
	}

	// “ACL failure in script: …” since Redis 7.2.
	const refused = /no permissions to run the '(?<command>[^']+)'/iv.exec(reply)?.groups?.command;
	if (refused !== undefined || reply.includes('The user executing the script can\'t run this command')) {
		const command = (refused ?? refusedCommand(reply, arguments_)).toUpperCase();
		return `Redis does not let this user run ${command} (NOPERM): grant it with ACL SETUSER <user> +${command.toLowerCase()}; ${advice}`;
	}

	if (/^err unknown (?:redis )?command/iv.test(reply)) {
		return `Redis does not have the command ${refusedCommand(reply, arguments_)}: it may have been renamed or disabled in redis.conf; ${advice}`;
	}

	return undefined;
};

/** The error about a missing permission; `undefined` for a refusal of another kind. */
export const toPermissionError = ({message: reply}: ErrorReply, prefix: string): StorePermissionError | undefined => {
	const message = reply.startsWith('NOPERM') ? describe(reply, [''], prefix) : undefined;
	return message === undefined ? undefined : new StorePermissionError(message);
};

/**
Says of a command that is refused for want of a permission which one that is, and what to do about it.
*/
export type PermissionErrors = {
	/** To be called when a command was answered. */
	noteReply(arguments_: ReadonlyArray<string | Uint8Array>): void;
	/** The error to throw for the one that a command failed with: the same object each time until the command is allowed again. */
	explain(arguments_: ReadonlyArray<string | Uint8Array>, error: unknown): unknown;
	/** Runs a command. */
	run<Reply>(arguments_: ReadonlyArray<string | Uint8Array>, command: () => Promise<Reply>): Promise<Reply>;
};

const subjectOf = ([name, script]: ReadonlyArray<string | Uint8Array>): string => String(name === 'EVAL' ? script : name);

export const createPermissionErrors = (prefix: string): PermissionErrors => {
	const refusals = new Map<string, StorePermissionError>();
	const errors: PermissionErrors = {
		noteReply(arguments_) {
			if (refusals.size > 0) {
				refusals.delete(subjectOf(arguments_));
			}
		},
		explain(arguments_, error) {
			const message = isErrorReply(error) ? describe(error.message, arguments_, prefix) : undefined;
			if (message === undefined) {
				return error;
			}

			// Without the reply, which may quote a value.
			const refusal = refusals.values().find(known => known.message === message) ?? new StorePermissionError(message);
			refusals.set(subjectOf(arguments_), refusal);
			return refusal;
		},
		async run(arguments_, command) {
			try {
				const reply = await command();
				errors.noteReply(arguments_);
				return reply;
			} catch (error) {
				throw errors.explain(arguments_, error);
			}
		},
	};

	return errors;
};
