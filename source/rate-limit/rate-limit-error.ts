type RateLimitErrorInit = {
	readonly host: string;
	readonly limit: string;
	readonly retryAt: Date;
	readonly waitMs: number;
	/** The reason why the request does not wait for so long. */
	readonly because: string;
};

/** The error of a request whose turn would come too late. Got's `RequestError` has it as its `cause`. */
export class RateLimitError extends Error {
	/** The name tells it from other errors, also across copies of this package. */
	override readonly name = 'RateLimitError';
	/** `'ERR_RATE_LIMITED'`. */
	readonly code: string;

	/** The host that is not asked. */
	readonly host: string;

	/** The limit that decided: one of yours, such as `'100/m'`, or `'origin'`, if the origin said so itself. */
	readonly limit: string;

	/** The time from which the request would be sent. */
	readonly retryAt: Date;

	constructor({host, limit, retryAt, waitMs, because}: RateLimitErrorInit) {
		const seconds = Math.ceil(waitMs / 100) / 10;
		const decided = limit === 'origin' ? 'what the origin has said' : limit;
		super(`The rate limit of ${host} (${decided}) allows the next request in ${seconds} s, at ${retryAt.toISOString()}, and ${because}`);
		this.code = 'ERR_RATE_LIMITED';
		this.host = host;
		this.limit = limit;
		this.retryAt = retryAt;
	}
}
