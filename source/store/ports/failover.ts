/** The progress of replicas with a purge. */
export type ReplicaWatch = {
	/** Called before a key is written, or without a key before any may be written. */
	note(key?: string): void;

	/** Resolves to whether enough replicas have all earlier writes, for each master that was written to. */
	confirm(options?: {readonly isInBackground?: boolean}): Promise<boolean>;
};

/** Failovers that may undo confirmed writes, and the replicas that keep them from it. */
export type FailoverWatcher = {
	/** Watches the progress of replicas from now on. Absent if no purge waits for replicas. */
	watchReplicas?(): Promise<ReplicaWatch>;

	/** Calls back, as long as the store is open, when another master may have taken over: a failover may have undone confirmed writes. */
	onDoubt(listener: () => void): void;
};
