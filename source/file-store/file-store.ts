import {createHash} from 'node:crypto';
import {EventEmitter} from 'node:events';
import {readdirSync, renameSync, rmSync, statSync} from 'node:fs';
import path from 'node:path';
import {createLru} from '../types/lru.ts';
import {compareText} from '../fixtures/compare.ts';
import {fileNameOf} from '../fixtures/file-name.ts';
import {FileError} from '../fixtures/json-file.ts';
import {readFileIfAny, writeFileAtomically} from '../fixtures/write-file.ts';
import {parseEntry, toEntry, toFiles, type FileEntry} from './record-file.ts';

/** The folder of entries that are no responses: indexes of variants, versions of tags. */
const bookkeeping = 'bookkeeping';

const bodyMark = '.body.';

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 12);

/** The hash of the key at the end of a file's name. */
const hashIn = (name: string): string | undefined => /-(?<hash>[\da-f]{12})\.json$/v.exec(name)?.groups?.hash;

/** The state of a file; another one after each write. */
const stampOf = (file: string): string | undefined => {
	try {
		const {ino, mtimeNs, size} = statSync(file, {bigint: true});
		return [ino, mtimeNs, size].join(' ');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
};

/** An entry as it was read last. Readers compare values by identity. */
type Known = {
	readonly stamp: string;
	readonly bodyFile: string | undefined;
	readonly bodyStamp: string | undefined;
	readonly entry: FileEntry;
};

const knownBytes = 64 * 1024 * 1024;

/** The bytes of an entry beside its value, roughly. */
const entryOverhead = 500;

/** Other processes may write while this one reads. */
const mostReadings = 5;

/** Read in place of a file that is none: the value of no record. */
const unreadable = new Uint8Array(1);

/**
A `Map` whose entries are files: a store for `redisCache()`. It reads and writes synchronously, so that nobody in the process comes in between.
*/
export class FileStore extends Map<string, FileEntry> {
	readonly #folder: string;
	readonly #events = new EventEmitter();
	readonly #files = new Map<string, string>();
	readonly #known = createLru<Known>({max: knownBytes, weigh: ({entry}) => entry.value.byteLength + entryOverhead});
	readonly #reported = new Map<string, string>();

	/** The name of the store in messages. */
	readonly address: string;

	constructor(folder: string) {
		super();
		this.#folder = path.resolve(folder);
		this.address = `files in ${folder}`;
		// Each cache listens, and an event without a listener would throw.
		this.#events.setMaxListeners(0).on('error', () => undefined);
	}

	/** Tells of an error, once for each state of the file. */
	#report(file: string, error: Error): void {
		let stamp: string | undefined;
		try {
			stamp = stampOf(file);
		} catch {
			// The file is as unreadable as before.
		}

		const state = `${stamp ?? 'none'} ${error.message}`;
		if (this.#reported.get(file) === state) {
			return;
		}

		this.#reported.set(file, state);
		this.#events.emit('error', error);
	}

	/** The paths of all JSON files, in the order of their names. */
	#list(): string[] {
		const folders = [this.#folder, path.join(this.#folder, bookkeeping)];
		return folders.flatMap(folder => {
			try {
				return readdirSync(folder).filter(name => !name.includes(bodyMark) && name.endsWith('.json')).toSorted(compareText).map(name => path.join(folder, name));
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
					return [];
				}

				throw error;
			}
		});
	}

	#find(key: string): string | undefined {
		const hash = hashOf(key);
		const known = this.#files.get(hash);
		if (known !== undefined && stampOf(known) !== undefined) {
			return known;
		}

		this.#files.clear();
		for (const file of this.#list()) {
			this.#files.set(hashIn(file) ?? file, file);
		}

		return this.#files.get(hash);
	}

	#parse(file: string): ReturnType<typeof parseEntry> | undefined {
		try {
			const content = readFileIfAny(file);
			return content && parseEntry(file, content);
		} catch (error) {
			this.#report(file, error as Error);
			return undefined;
		}
	}

	#keys(): string[] {
		return this.#list().flatMap(file => this.#parse(file)?.key ?? []);
	}

	#read(file: string, key: string): FileEntry | undefined {
		const known = this.#known.get(key);
		if (known && known.stamp === stampOf(file) && (known.bodyFile === undefined || known.bodyStamp === stampOf(known.bodyFile))) {
			return known.entry;
		}

		try {
			return this.#readNew(file, key);
		} catch (error) {
			if (!(error instanceof FileError)) {
				throw error;
			}

			this.#report(file, error);
			return {value: unreadable};
		}
	}

	#readNew(file: string, key: string): FileEntry | undefined {
		for (let reading = 0; reading < mostReadings; reading++) {
			const stamp = stampOf(file);
			const content = stamp === undefined ? undefined : readFileIfAny(file);
			if (stamp === undefined || !content) {
				return undefined;
			}

			const {key: writtenKey, object} = parseEntry(file, content);
			if (writtenKey !== key) {
				return undefined;
			}

			let bodyFile: string | undefined;
			let bodyStamp: string | undefined;
			const entry = toEntry(file, key, object, name => {
				bodyFile = name;
				bodyStamp = stampOf(name);
				return readFileIfAny(name);
			});
			// Another process writes the body first, and removes the JSON file before that.
			if (stampOf(file) === stamp) {
				this.#known.set(key, {stamp, bodyFile, bodyStamp, entry});
				return entry;
			}
		}

		return undefined;
	}

	/** Removes what lies there under the key, so that no reader finds its JSON with another body. A file that cannot be read is put aside. */
	#clearWay(key: string, file: string, bodyFile: string | undefined): void {
		const former = this.#find(key);
		this.#known.delete(key);
		if (former === undefined) {
			return;
		}

		if (this.#read(former, key)?.value === unreadable) {
			renameSync(former, former.replace(/\.json$/v, '.unreadable'));
			return;
		}

		this.#known.delete(key);
		const {object} = this.#parse(former) ?? {};
		const formerBody = typeof object?.body === 'string' ? path.join(path.dirname(former), path.basename(object.body)) : undefined;
		if (former !== file || formerBody !== bodyFile) {
			this.#remove(former);
		} else if (bodyFile !== undefined) {
			rmSync(former, {force: true});
		}
	}

	#remove(file: string): void {
		const {object} = this.#parse(file) ?? {};
		rmSync(file, {force: true});
		if (typeof object?.body === 'string') {
			rmSync(path.join(path.dirname(file), path.basename(object.body)), {force: true});
		}
	}

	override get size(): number {
		return this.#keys().length;
	}

	/** Calls `listener` with the error of a file that cannot be read, once for each of its states. */
	on(event: 'error', listener: (error: Error) => void): this {
		this.#events.on(event, listener);
		return this;
	}

	/** Removes a listener. */
	off(event: 'error', listener: (error: Error) => void): this {
		this.#events.off(event, listener);
		return this;
	}

	override get(key: string): FileEntry | undefined {
		// A request looks up synchronously, and no failure of a store fails a request.
		try {
			const file = this.#find(key);
			return file === undefined ? undefined : this.#read(file, key);
		} catch (error) {
			this.#report(this.#folder, error as Error);
			return undefined;
		}
	}

	override has(key: string): boolean {
		return this.get(key) !== undefined;
	}

	override set(key: string, entry: FileEntry): this {
		const {response, body, toJson} = toFiles(key, entry);
		const name = response ? fileNameOf(response, key) : path.join(bookkeeping, `entry-${hashOf(key)}`);
		const file = path.join(this.#folder, `${name}.json`);
		const bodyFile = body && path.join(this.#folder, `${name}${bodyMark}${body.ending.slice(1)}`);
		this.#clearWay(key, file, bodyFile);
		if (body && bodyFile !== undefined) {
			writeFileAtomically(bodyFile, body.content);
		}

		writeFileAtomically(file, toJson(bodyFile && path.basename(bodyFile)));
		this.#files.set(hashOf(key), file);
		return this;
	}

	override delete(key: string): boolean {
		const file = this.#find(key);
		if (file === undefined) {
			return false;
		}

		this.#remove(file);
		this.#files.delete(hashOf(key));
		this.#known.delete(key);
		return true;
	}

	override clear(): void {
		for (const key of this.#keys()) {
			this.delete(key);
		}
	}

	override keys(): MapIterator<string> {
		return new Map(this.#keys().map(key => [key, key])).keys();
	}

	override entries(): MapIterator<[string, FileEntry]> {
		const entries = this.#keys().map((key): [string, FileEntry | undefined] => [key, this.get(key)]);
		return new Map(entries.filter((entry): entry is [string, FileEntry] => entry[1] !== undefined)).entries();
	}

	override values(): MapIterator<FileEntry> {
		return new Map(this.entries()).values();
	}

	override forEach(callback: (entry: FileEntry, key: string, map: Map<string, FileEntry>) => void): void {
		for (const [key, entry] of this.entries()) {
			callback(entry, key, this);
		}
	}

	/** `entries()`, for `for … of`. */
	override [Symbol.iterator](): MapIterator<[string, FileEntry]> {
		return this.entries();
	}
}
