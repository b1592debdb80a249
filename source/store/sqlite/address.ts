import path from 'node:path';

/**
A store in an SQLite file.

@example
```
redisCache({store: {sqlite: './cache.db', maxSize: 100 * 1024 * 1024}});
```
*/
export type SqliteOptions = {
	/** The path of the file, relative to the working directory or absolute; or `':memory:'`, for a database of this cache alone that is gone when the cache is closed. */
	readonly sqlite: string;

	/**
	The bytes that the database may take. When there are more, the responses that were stored first are removed. At least 1 MiB. The file remembers it: a cache that names none goes by the one that was named last.

	@default 536_870_912 // 512 MiB
	*/
	readonly maxSize?: number | undefined;
};

/** Where a database is, and how large it may be. */
export type SqliteLocation = {
	/** An absolute path; `undefined`: in memory. */
	readonly path: string | undefined;
	/** `undefined`: as the file says. */
	readonly maxBytes: number | undefined;
};

export const leastMaxBytes = 1024 * 1024;

const forms = '\'sqlite:./cache.db\', \'sqlite:///absolute/path/cache.db\', \'sqlite::memory:\', or {sqlite: \'./cache.db\', maxSize: 104_857_600}';

const refuse = (what: string): never => {
	throw new TypeError(`The option \`store\` is ${what}: expected a form such as ${forms}`);
};

export const isSqliteUrl = (store: unknown): store is string | URL => (typeof store === 'string' || store instanceof URL) && /^sqlite:/iv.test(String(store));

export const isSqliteOptions = (store: unknown): store is SqliteOptions => typeof store === 'object' && store !== null && 'sqlite' in store && Object.getPrototypeOf(store) === Object.prototype;

const locate = (file: string, maxBytes?: number): SqliteLocation => ({
	path: file === ':memory:' ? undefined : path.resolve(file),
	maxBytes,
});

const inUrl = (store: string | URL): string => {
	const text = String(store).slice('sqlite:'.length);
	if (/[#?]/v.test(text)) {
		refuse('an sqlite: URL with a query or a fragment, which has no meaning here');
	}

	if (!text.startsWith('//')) {
		return text;
	}

	// Others take this for a relative path, or for a host.
	if (!text.startsWith('///')) {
		refuse(`'sqlite:${text}', which leaves open whether the path is relative`);
	}

	// A `URL` escapes what a path may have.
	return store instanceof URL ? decodeURIComponent(text.slice(2)) : text.slice(2);
};

const inOptions = ({sqlite, maxSize, ...others}: SqliteOptions): SqliteLocation => {
	const [unknown] = Object.keys(others);
	if (unknown !== undefined) {
		refuse(`an object with \`sqlite\` and \`${unknown}\``);
	}

	if (typeof sqlite !== 'string' || sqlite === '') {
		refuse(`an object whose \`sqlite\` is ${sqlite === '' ? 'empty' : `of type ${typeof sqlite}`}`);
	}

	if (isSqliteUrl(sqlite)) {
		refuse('an object whose `sqlite` begins with \'sqlite:\', where the path alone belongs');
	}

	if (maxSize !== undefined && !(Number.isSafeInteger(maxSize) && maxSize >= leastMaxBytes)) {
		throw new TypeError(`The option \`store\` is an object whose \`maxSize\` is ${String(maxSize)}: expected a number of bytes, ${leastMaxBytes} or more`);
	}

	return locate(sqlite, maxSize);
};

/**
@throws {TypeError} If it is none of the forms that `StoreOption` lists.
*/
export const parseSqlite = (store: string | URL | SqliteOptions): SqliteLocation => {
	if (typeof store !== 'string' && !(store instanceof URL)) {
		return inOptions(store);
	}

	const file = inUrl(store);
	return file === '' ? refuse('\'sqlite:\' without a path') : locate(file);
};
