import './node-version.ts';
import {createEvents, type AuditEvents} from './audit/events.ts';
import {createAuditor, type AuditStats} from './audit/auditor.ts';
import {resolveAuditOptions, type AuditOptions} from './audit/options.ts';
import type {RedisCache} from './got/redis-cache.ts';
import {listenToHits} from './got/state/hits.ts';
import {describeRedacted} from './options/validate.ts';

export type {AuditEvents} from './audit/events.ts';
export type {AuditedResponse} from './audit/compare.ts';
export type {AuditCause} from './audit/diagnose.ts';
export type {AuditOptions} from './audit/options.ts';
export type {AuditStats} from './audit/auditor.ts';
export type {WrongAnswer} from './audit/report.ts';

/** An audit of a cache's hits: what `audit()` returns. */
export type Audit = Disposable & {
	/**
	Calls `listener` at each event of that name. Nobody has to listen.

	@throws {TypeError} If there is no such event, or the listener is no function.
	*/
	on<Event extends keyof AuditEvents>(event: Event, listener: (...parameters: AuditEvents[Event]) => void): Audit;

	/** Returns the result so far, as plain data. It asks nothing. */
	stats(): AuditStats;

	/** Resolves when no hit is being audited or waits for that: for scripts and tests. */
	whenIdle(): Promise<void>;

	/** Ends the audit, with the requests that are under way. `stats()` still has the result. */
	close(): void;
};

/**
Asks the origin again about a share of a cache's hits, in the background, and compares: how many answers are wrong, and why. No caller waits for it, nothing is stored, and no request fails by it.

@param cache - A cache that `redisCache()` made.
@param options - The `share` of hits, and what may differ.
@returns The audit, with its events and statistics.
@throws {TypeError} If `cache` is none, or an option is missing, unknown or of the wrong type.

@example
```
import {audit} from 'got-redis-cache/audit';

const hits = audit(cache, {share: 0.001});

hits.on('wrong', ({url, cause, advice}) => {
	console.warn(url, cause, advice);
});
```
*/
export const audit = (cache: RedisCache, options: AuditOptions): Audit => {
	const settings = resolveAuditOptions(options);
	const events = createEvents();
	const auditor = createAuditor(settings, events, () => Math.random());
	const stop = typeof cache === 'object' && cache !== null ? listenToHits(cache, auditor.onHit) : undefined;
	if (!stop) {
		throw new TypeError(`Expected a cache that redisCache() made in audit(), got ${describeRedacted(cache)}`);
	}

	const close = () => {
		stop();
		auditor.close();
	};

	return {
		on(event, listener) {
			events.on(event, listener);

			return this;
		},
		stats: auditor.stats,
		whenIdle: auditor.whenIdle,
		close,
		[Symbol.dispose]: close,
	};
};
