import type {UrlPattern} from '../options/url-pattern.ts';
import type {UnreadableReason} from '../store/ports/listing.ts';
import type {Duration} from '../types/duration.ts';

/** The properties that identify a request. */
export type RequestLike = {
	/** Absolute. */
	readonly url: string | URL;
	/** Default: `'GET'`. With a `body`, `json` or `form`, it has to be given. */
	readonly method?: string | undefined;
	/** The request's header fields, where responses vary. Without them, `get()` and `has()` are about the variant that was stored last; `delete()` and `touch()` are about every variant, whatever these say. */
	readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
	/** Its content. It goes with the `content-type` that it was sent with, `undefined` if with none, and other `content-*` fields among `headers`; what was sent by got's `json` or `form` is given by the properties of these names. */
	readonly body?: string | Uint8Array | undefined;
	/** Its content, as in got's option `json`. */
	readonly json?: unknown;
	/** Its content, as in got's option `form`. */
	readonly form?: Readonly<Record<string, unknown>> | undefined;
	/** The result of the option `key` for the request: only of a cache that has that option. */
	readonly key?: string | undefined;
	/** The result of the option `user` for the request: whose response it is, only of a cache that has that option. Without it, this is about responses that are nobody's in particular. */
	readonly user?: string | undefined;
};

/** A filter for stored responses. If it has several properties, all have to hold. */
export type EntryFilter = {
	/** The origin of their URLs: of the URL that is given, its scheme, host and port count. */
	readonly origin?: string | URL | undefined;
	/** One of their tags; of an array, any of them is one. A whole tag: `*` is a character of it. */
	readonly tag?: string | readonly string[] | undefined;
	/** Their whole URL, as it was requested or as it is listed; of all methods, contents and users, and of whatever the option `key` returned. */
	readonly url?: string | URL | undefined;
	/** The beginning of their URLs, with the scheme. */
	readonly prefix?: string | undefined;
	/** A pattern for their URLs, as in `urlsExpireAfter`. */
	readonly pattern?: UrlPattern | undefined;
	/** The age or date: responses that were received or last validated longer ago, or before it. */
	readonly olderThan?: Duration | Date | undefined;
	/** `true`: they are not fresh; `false`: they are. */
	readonly stale?: boolean | undefined;
};

/** A value in the store that the cache cannot read. */
export type UnreadableEntry = {
	/** The key in the store, with the namespace. `deleteByKey()` takes it. */
	readonly storeKey: string;
	/** Why it cannot be read. */
	readonly reason: UnreadableReason;
};

/** Further arguments of `entries()` and `export()`. */
export type EntriesOptions = {
	/** Called with each value that cannot be read, whatever the filter says: requests miss it, and the next response replaces it. */
	readonly onUnreadable?: ((entry: UnreadableEntry) => void) | undefined;
};

type PurgeProperty = 'tag' | 'group' | 'origin' | 'url' | 'prefix' | 'pattern' | 'olderThan' | 'stale';

/** Without the properties that are not named: a union alone lets several members be mixed. */
type Only<Given> = Given & Readonly<Partial<Record<Exclude<PurgeProperty, keyof Given>, never>>>;

/** The responses to purge: one property of those that filter entries, with the same meaning, or a cache group, which is one of an origin's (RFC 9875). An array of tags or groups purges what has any of them, an empty one nothing. */
export type Purgeable =
	| Only<{
		/** A tag, or several, of which one is enough. */
		readonly tag: string | readonly string[];
	}>
	| Only<{
		/** A cache group of `origin`, or several, of which one is enough (RFC 9875). */
		readonly group: string | readonly string[];
		/** The origin that the group belongs to. */
		readonly origin: string | URL;
	}>
	| Only<{
		/** An origin: scheme, host and port of the URL count. */
		readonly origin: string | URL;
	}>
	| Only<{
		/** A whole URL, for all methods, contents and users. */
		readonly url: string | URL;
	}>
	| Only<{
		/** The beginning of URLs, with the scheme. */
		readonly prefix: string;
	}>
	| Only<{
		/** A pattern for URLs, as in `urlsExpireAfter`. */
		readonly pattern: UrlPattern;
	}>
	| Only<{
		/** A duration or date: responses that were received or last validated earlier. */
		readonly olderThan: Duration | Date;
	}>
	| Only<{
		/** `true`: responses that are not fresh. */
		readonly stale: true;
	}>;
