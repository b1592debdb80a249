import type {Readable} from 'node:stream';

/**
Where a contender says that a hit comes from. The harness holds it to that: by the origin's counters and by Redis's own statistics.
*/
export type Source = 'origin' | 'memory' | 'redis' | 'disk' | 'canned';

export type ContenderContext = {
	/** Of an empty Redis that nobody else uses. */
	readonly redisUrl: string;

	/** An empty directory that is removed afterwards. */
	readonly directory: string;
};

export type Client = {
	/** One request, and its whole body in bytes. */
	readonly request: (url: string) => Promise<Uint8Array>;

	/** One request, and its body as a string. */
	readonly text?: (url: string) => Promise<string>;

	/** One request whose body arrives as a stream, for those that have streams. */
	readonly stream?: (url: string) => Readable;

	/** Let go of every connection, so that the process can end. */
	readonly teardown?: () => Promise<void>;
};

/** A contender with the name of its file. */
export type Entrant = Contender & {readonly id: string};

export type Contender = {
	readonly name: string;

	/** Of a hit. */
	readonly answersFrom: Source;

	readonly setup: (context: ContenderContext) => Promise<Client>;
};
