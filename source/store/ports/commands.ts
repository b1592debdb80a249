/** The reply of Redis to a command, or the error with which Redis refused it. */
export type CommandResult =
	| {readonly reply: unknown; readonly refusal?: undefined}
	| {readonly reply?: undefined; readonly refusal: Error};

/** Sends commands to Redis; each is absent if the store is not Redis. */
export type CommandSender = {
	/**
	Sends a Redis command for one key; absent if the store is not Redis. Resolves to `undefined` without a reply.

	@param toArguments - Receives the key as Redis has it.
	*/
	readonly command?: (key: string, toArguments: (wireKey: string) => readonly string[]) => Promise<CommandResult | undefined>;

	/** Sends a Redis command as `command` does, for a key that holds no record: its name is never hidden, and neither `entries()` nor `clear()` has it unless it begins with a brace. */
	readonly plainCommand?: CommandSender['command'];
};
