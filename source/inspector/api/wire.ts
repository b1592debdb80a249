/*
The JSON between the page and its handler. Dates are strings by ISO 8601. The page imports these types and nothing else of the package.
*/

/** The header field of each request of the page. Its value is the token, if there is one. A page of another origin cannot send it. */
export const headerName = 'x-inspector';

export type WireEntry = {
	readonly storeKey: string;
	readonly url: string;
	readonly method: string;
	readonly statusCode: number;
	/** The request's header fields that select it among the variants of its URL. */
	readonly vary: Readonly<Record<string, string>>;
	/** Bytes of the body. */
	readonly size: number;
	/** In seconds. */
	readonly age: number;
	readonly isFresh: boolean;
	readonly storedAt: string;
	/** Absent if it is always fresh. */
	readonly expiresAt?: string;
	/** The time at which the store removes it. Absent if never, or if it is not known. */
	readonly keptUntil?: string;
	readonly tags: readonly string[];
	readonly groups: readonly string[];
};

export type WireEntries = {
	readonly entries: readonly WireEntry[];
	/** To be given for the next entries. Absent if there are none. */
	readonly cursor?: string;
	/** The number of stored responses that the search has looked at so far. */
	readonly lookedAt: number;
	/** The number of values so far that cannot be read, by reason. */
	readonly unreadable: Readonly<Record<string, number>>;
};

export type WireResponse = WireEntry & {
	readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
};

export type WireCounts = {
	readonly requests: number;
	readonly errors: number;
	readonly statuses: Readonly<Record<string, number>>;
	readonly savedMs: number;
	readonly bytes: {readonly memory: number; readonly store: number; readonly origin: number};
};

export type WireStep = WireCounts & {
	/** The beginning of the step. */
	readonly from: string;
};

export type WireStatistics = WireCounts & {
	readonly since: string;
	readonly reasons: Readonly<Record<string, number>>;
	readonly notStored: Readonly<Record<string, number>>;
	readonly origins: Readonly<Record<string, Readonly<Record<string, number>>>>;
	readonly collapsed: number;
	readonly refreshes: number;
	readonly lookUps: {readonly count: number; readonly p50Ms?: number; readonly p99Ms?: number};
	readonly hottest: {
		readonly urls: ReadonlyArray<{readonly url: string; readonly requests: number}>;
		readonly origins: ReadonlyArray<{readonly origin: string; readonly requests: number}>;
	};
	/** Whether all processes are counted, or only the one that the page is served by. */
	readonly isOfFleet: boolean;
	/** Why only this process is counted. */
	readonly why?: string;
	/** Empty for one process. */
	readonly timeline: readonly WireStep[];
};

export type WireNode = {
	readonly state: string;
	readonly since: string;
	readonly lastError?: string;
	readonly lastErrorAt?: string;
};

export type WireHealth = WireNode & {
	readonly nodes: ReadonlyArray<WireNode & {readonly address: string}>;
	readonly counters: Readonly<Record<string, number>>;
};

export type WireExchange = {
	/** Counts up from 1. */
	readonly id: number;
	readonly at: string;
	readonly method: string;
	readonly url: string;
	readonly status: string;
	readonly reason: string;
	readonly notStored?: string;
	readonly tier?: string;
	readonly statusCode?: number;
	readonly bytes?: number;
	readonly totalMs: number;
	readonly lookUpMs?: number;
	readonly originMs?: number;
	/** The kinds of request: `stream`, `hop`, `refresh`, `collapsed`, `retry`. */
	readonly kinds: readonly string[];
	readonly error?: string;
};

export type WireExchanges = {
	/** The earliest first. */
	readonly exchanges: readonly WireExchange[];
	/** The id of the last exchange, to be given for the next ones. */
	readonly last: number;
	/** The number of exchanges that were left out, because more came than are kept. */
	readonly missed: number;
};

export type WireDone = {
	/** Whether the store has confirmed it. */
	readonly isConfirmed: boolean;
};

export type WireCheck = {
	/** The address of the store. */
	readonly store: string;
	readonly warnings: readonly string[];
};

export type WireError = {
	readonly error: string;
};
