import type {PassReason} from '../http/outcome.ts';
import type {Hints} from '../types/hints.ts';

/** The last reason in this process why a response was not stored. */
export type LastRefusal = {
	readonly reason: PassReason;
	/** The status code of the origin's response; `undefined` if there was none. */
	readonly statusCode: number | undefined;
	/** The time, in milliseconds since the epoch. */
	readonly atMs: number;
};

/** The last refusals by the key of their exchange. A hint: a response that was stored removes it. */
export type Refusals = Hints<LastRefusal>;
