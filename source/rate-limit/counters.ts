/**
The requests to one host, as one process has seen them.

New properties may be added in a minor version.
*/
export type HostCounts = {
	/** Requests that were sent to the origin, refreshes included. */
	readonly sent: number;
	/** Of these, requests that waited before. */
	readonly waited: number;
	/** How long they waited, in milliseconds. */
	readonly waitedMs: number;
	/** Requests that a stale response answered. */
	readonly stale: number;
	/** Requests that failed, because their turn would have come too late. */
	readonly failed: number;
	/** Refreshes in the background that gave way. */
	readonly gaveWay: number;
	/** Responses with 429 (Too Many Requests). */
	readonly refused: number;
	/** Requests that this process alone has counted, because Redis did not answer. */
	readonly uncounted: number;
	/** Requests that are waiting now. */
	readonly waiting: number;
};

export type Counters = {-readonly [Name in Exclude<keyof HostCounts, 'waiting'>]: HostCounts[Name]};

export const createCounters = (): Counters => ({
	sent: 0,
	waited: 0,
	waitedMs: 0,
	stale: 0,
	failed: 0,
	gaveWay: 0,
	refused: 0,
	uncounted: 0,
});
