/*
The JSON between the page and its handler. Dates are strings by ISO 8601. The page imports these types and nothing else of the package.
*/

export type WireSettings = {
	/** Whether the page can purge and switch nothing. */
	readonly isReadOnly: boolean;
};

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
	/** Whether a search that sorts is still looking: the entries come when it has seen all. */
	readonly isLooking?: boolean;
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
		readonly notStored: ReadonlyArray<{readonly url: string; readonly reason: string; readonly responses: number}>;
	};
	/** Whether all processes are counted, or only the one that the page is served by. */
	readonly isOfFleet: boolean;
	/** Why only this process is counted. */
	readonly why?: string;
	/** Whether other processes may have counts that cannot be read now. */
	readonly isIncomplete?: boolean;
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
	/** Whether the store answers now. Its state says so only after several failures. */
	readonly isAnswering: boolean;
	/** The store's address, without credentials, and the beginning of its keys. */
	readonly place?: {readonly address: string; readonly namespace: string};
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

/** The number of seconds, or `'unlimited'`. */
export type WireSeconds = number | 'unlimited';

/** How long a stale response may answer in one case, and who says so: `'response'`, `'option'` or `'none'`. */
export type WireWindow = {
	readonly seconds: WireSeconds;
	readonly source: string;
};

/** A stored response as `explain()` sees it. */
export type WireExplained = WireEntry & {
	readonly isSelected: boolean;
	readonly isPurged: boolean;
	readonly isInMemory: boolean;
	readonly lifetimeSeconds: WireSeconds;
	/** The directive, field or option that the lifetime is from. */
	readonly lifetimeSource: string;
	readonly staleForbiddenBy?: string;
	readonly whileRevalidate: WireWindow;
	readonly ifError: WireWindow;
	readonly ifDisconnected: WireWindow;
};

export type WireExplanation = {
	readonly method: string;
	readonly url: string;
	readonly storeKey: string;
	readonly decision: {readonly kind: string; readonly reason: string; readonly text: string; readonly rfc?: string; readonly mend?: string};
	readonly lastRefusal?: {readonly reason: string; readonly text: string; readonly mend?: string; readonly at: string};
	/** Why responses to this URL were not stored in the last hour, in all processes. */
	readonly fleetRefusals: ReadonlyArray<{readonly reason: string; readonly text: string; readonly mend?: string; readonly responses: number}>;
	/** The fields that tell variants apart, with the values of this request, or without a value. */
	readonly selectedBy: ReadonlyArray<readonly [name: string, value?: string]>;
	readonly stored: readonly WireExplained[];
	/** Whether the store has answered. Without an answer, nothing of what is stored is known. */
	readonly isStoreAnswering: boolean;
	/** All of it, as text. */
	readonly text: string;
};

export type WireSwitch = {
	readonly origin: string;
	readonly kind: string;
	readonly until: string;
};

export type WireSwitches = {
	readonly switches: readonly WireSwitch[];
	/** Why there may be others. Absent if these are all. */
	readonly why?: string;
};

/** The responses that a purge would find now. */
export type WirePreview = {
	readonly count: number;
	/** Bytes of their bodies. */
	readonly bytes: number;
	/** Whether everything that is stored was looked at. */
	readonly isComplete: boolean;
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
