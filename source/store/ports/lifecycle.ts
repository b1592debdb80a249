export type StoreReadiness = {
	/** The store's address, without credentials. */
	readonly address: string;
	/** Warnings about features that work partially or temporarily, in one or two sentences each. */
	readonly warnings: readonly string[];
};

/** Connecting, waiting for what is under way, and closing. */
export type StoreLifecycle = {
	/** The address, without credentials, or the kind of store. */
	readonly address: string;

	/**
	Checks whether the store supports the operations of the cache.

	@param expires - Whether keys have a TTL.
	@throws {StoreError} If the store can't be reached, read or written to.
	*/
	ready(expires: boolean): Promise<StoreReadiness>;

	/**
	Connects, and resolves to whether the store has answered.

	@param patienceMs - The longest wait.
	*/
	confirmConnection(patienceMs: number): Promise<boolean>;

	/** Resolves when all current writes have ended, successfully or not. */
	flush(): Promise<void>;

	/** Flushes queued writes within the deadline, and closes connections that the store opened. */
	close(): Promise<void>;
};
