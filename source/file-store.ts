import path from 'node:path';
import './node-version.ts';
import {FileStore} from './file-store/file-store.ts';
import {describeRedacted, isString} from './options/validate.ts';

export {FileError} from './fixtures/json-file.ts';
export type {FileStore} from './file-store/file-store.ts';
export type {FileEntry} from './file-store/record-file.ts';

/** One for each folder, whose caches guard their writes against one another's purges. */
const stores = new Map<string, FileStore>();

/**
Makes a store of readable files: one JSON file for each response, with its body beside it, named after the URL. For scripts, development and fixtures that are reviewed, since it reads and writes synchronously.

A body or a field that you edit is served as edited. A file that can't be read is an `error` event of the cache, which names the file, and a miss. Options that make values unreadable, `compression` and `encryption`, make the files unreadable, too.

Within a process, writes are guarded as with a `Map`: nothing that a purge has removed comes back. Between processes, each file is written in one step, and nothing guards a write against another process's purge.

@param folder - The path of the folder, relative to the current directory. It is made when the first response is stored.
@returns A value for the option `store`.
@throws {TypeError} If `folder` is no string, or an empty one.

@example
```
import got from 'got';
import {redisCache} from 'got-redis-cache';
import {fileStore} from 'got-redis-cache/file-store';

const client = got.extend(redisCache({store: fileStore('./fixtures'), ttl: false}));
```
*/
export const fileStore = (folder: string): FileStore => {
	if (folder === '' || !isString(folder)) {
		throw new TypeError(`Expected the path of a folder in fileStore(), such as './fixtures', got ${describeRedacted(folder)}`);
	}

	const location = path.resolve(folder);
	const store = stores.get(location) ?? new FileStore(folder);
	stores.set(location, store);

	return store;
};
