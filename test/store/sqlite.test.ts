/* eslint-disable @typescript-eslint/no-loop-func -- each form, and each damage, in turn */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import {DatabaseSync, StatementSync} from 'node:sqlite';
import {
	after,
	before,
	test,
	type TestContext,
} from 'node:test';
import {setImmediate as nextTurn, setTimeout as delay} from 'node:timers/promises';
import {redisCache, type SqliteOptions} from '../../source/index.ts';
import {createStore} from '../../source/store/create-store.ts';
import type {StoreEvent} from '../../source/store/ports/health.ts';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import type {Store} from '../../source/store/ports/store.ts';
import {policy, response} from '../helpers/records.ts';
import {runScript} from '../helpers/script.ts';

/*
A file of SQLite as a store: its forms, its bounds, and what befalls a file.
*/

let directory: string;
let count = 0;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'sqlite-test-'));
});

after(async () => {
	await rm(directory, {recursive: true});
});

const newFile = () => path.join(directory, `${++count}.db`);

type Opened = {readonly store: Store; readonly events: StoreEvent[]; messages(): string[]};

/** Closed with the test. */
const open = (t: TestContext, store: string | URL | SqliteOptions, options: Partial<Parameters<typeof createStore>[0]> = {}): Opened => {
	const events: StoreEvent[] = [];
	const opened = createStore({
		store,
		namespace: 'n',
		timeoutMs: 5000,
		memoryBytes: 0,
		cooldownMs: 10,
		onEvent(event) {
			events.push(event);
		},
		...options,
	});
	t.after(async () => opened.close());
	return {
		store: opened,
		events,
		messages: () => events.map(event => 'error' in event ? event.error.message : event.type),
	};
};

const minuteMs = 60_000;

const bodyOf = async (store: Store, key: string): Promise<string | undefined> => {
	const [record] = await store.get([key]);
	return record?.kind === 'response' ? Buffer.from(record.body).toString() : record?.kind;
};

const set = async (store: Store, key: string, body: string | Uint8Array, timeToLive: number | 'forever' = minuteMs) => store.set(key, response({body: Buffer.from(body)}), timeToLive);

/** Holds the right to write, as another process may. */
const lock = (file: string): DatabaseSync => {
	const other = new DatabaseSync(file);
	other.exec('BEGIN IMMEDIATE');
	return other;
};

const asideOf = (file: string): string[] => readdirSync(path.dirname(file)).filter(name => name.startsWith(`${path.basename(file)}.corrupt-`));

test('the forms of a path lead to the same file', async t => {
	const file = newFile();
	const {store} = open(t, `sqlite:${file}`);
	await set(store, '{a}', 'body');
	const forms: ReadonlyArray<string | URL | SqliteOptions> = [`sqlite:${path.relative(process.cwd(), file)}`, `sqlite://${file}`, `SQLITE:${file}`, new URL(`sqlite://${file}`), {sqlite: file}];
	for (const [number, form] of forms.entries()) {
		assert.equal(await bodyOf(open(t, form).store, '{a}'), 'body', `form ${number}`);
	}
});

test('the path of a URL object is unescaped', async t => {
	const file = path.join(directory, 'a b%.db');
	const {store} = open(t, new URL(pathToFileURL(file).href.replace(/^file/v, 'sqlite')));
	await set(store, '{a}', 'body');
	assert.ok(existsSync(file));
});

test('a database in memory is its cache\'s alone', async t => {
	const {store} = open(t, 'sqlite::memory:');
	await set(store, '{a}', 'body');
	assert.equal(await bodyOf(store, '{a}'), 'body');
	assert.equal(await bodyOf(open(t, 'sqlite::memory:').store, '{a}'), undefined);
	assert.equal(existsSync(':memory:'), false);
});

test('a file is open to its user alone, with those beside it', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file});
	await set(store, '{a}', 'body');
	for (const name of [file, `${file}-wal`, `${file}-shm`]) {
		assert.equal(statSync(name).mode % 0o1000, 0o600, name);
	}
});

for (const [store, message] of [
	['sqlite:', /^The option `store` is 'sqlite:' without a path: expected a form such as 'sqlite:\.\/cache\.db'/v],
	['sqlite://cache.db', /^The option `store` is 'sqlite:\/\/cache\.db', which leaves open whether the path is relative: expected/v],
	['sqlite:./cache.db?maxSize=1', /a query or a fragment, which has no meaning here/v],
	[{sqlite: ''}, /whose `sqlite` is empty/v],
	[{sqlite: 1}, /whose `sqlite` is of type number/v],
	[{sqlite: 'sqlite:./cache.db'}, /whose `sqlite` begins with 'sqlite:'/v],
	[{sqlite: './cache.db', max: 1}, /an object with `sqlite` and `max`/v],
	[{sqlite: './cache.db', maxSize: '1GB'}, /whose `maxSize` is 1GB: expected a number of bytes, 1048576 or more/v],
	[{sqlite: './cache.db', maxSize: 1000}, /whose `maxSize` is 1000/v],
	['sqlite:/', /^The option `store` leads to \/, which is a directory/v],
	['sqlite:/no/such/directory/cache.db', /is to lie in \/no\/such\/directory, and that is no directory; create it/v],
] as const) {
	test(`a mistaken store is refused when a cache is made: ${JSON.stringify(store)}`, () => {
		assert.throws(() => redisCache({store: store as string}), {name: 'TypeError', message});
	});
}

const foreignFiles: Record<string, readonly [make: (file: string) => void, message: RegExp]> = {
	'a text': [file => {
		writeFileSync(file, 'My notes');
	}, /which is no SQLite database, and was left as it is/v],
	'another application\'s database': [file => {
		const database = new DatabaseSync(file);
		database.exec('CREATE TABLE notes (text TEXT)');
		database.close();
	}, /which is the SQLite database of another application, and was left as it is/v],
	'a database of another version': [file => {
		const database = new DatabaseSync(file);
		database.exec('CREATE TABLE entries (key TEXT); PRAGMA application_id = 1735549697; PRAGMA user_version = 7');
		database.close();
	}, /which another version of got-redis-cache has written \(format 7, and this one has 1\)/v],
};

for (const [what, [make, message]] of Object.entries(foreignFiles)) {
	test(`${what} is refused, and not touched`, async t => {
		const file = path.join(directory, `foreign-${++count}`);
		make(file);
		const content = readFileSync(file);
		assert.throws(() => redisCache({store: {sqlite: file}}), {name: 'TypeError', message});
		assert.deepEqual(readFileSync(file), content);

		// Where it comes later, requests go on.
		const late = `${file}-late`;
		const {store, messages} = open(t, {sqlite: late});
		make(late);
		const lateContent = readFileSync(late);
		assert.equal(await bodyOf(store, '{a}'), undefined);
		assert.equal(await set(store, '{a}', 'body'), false);
		assert.match(messages()[0] ?? '', message);
		assert.deepEqual(readFileSync(late), lateContent);
	});
}

test('a file or a directory that may not be written is refused', async () => {
	const file = newFile();
	writeFileSync(file, '', {mode: 0o444});
	const closed = path.join(directory, 'closed');
	mkdirSync(closed);
	chmodSync(directory, 0o777);
	chmodSync(closed, 0o555);
	const module = new URL('../../source/store/sqlite/file-check.ts', import.meta.url).href;
	const {stdout} = await runScript(`
		import {whyUnusable} from '${module}';
		if (process.getuid() === 0) {
			process.setuid(65534);
		}

		console.log(JSON.stringify([whyUnusable('${file}'), whyUnusable('${closed}/cache.db')]));
	`);
	const [ofFile, ofDirectory] = JSON.parse(stdout) as string[];
	assert.match(String(ofFile), /may not read and write/v);
	assert.match(String(ofDirectory), /may not write to .*closed, where SQLite keeps files/v);
});

test('a Node.js without SQLite is told what is needed', async () => {
	const {stdout} = await runScript(`
		process.getBuiltinModule = () => undefined;
		const {redisCache} = await import('./source/index.ts');
		try {
			redisCache({store: 'sqlite:./cache.db'});
		} catch (error) {
			console.log(error.name, error.message);
		}
	`);
	assert.match(stdout, /^TypeError The option `store` is an SQLite database, for which Node\.js 22\.13 or later is needed; this is v/v);
});

test('the warning of Node.js that SQLite is experimental is not printed, and others are', async () => {
	const {stdout, stderr} = await runScript(`
		const {getBuiltinModule} = process;
		process.getBuiltinModule = name => {
			if (name === 'node:sqlite') {
				process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning');
				process.emitWarning('something else');
			}

			return getBuiltinModule(name);
		};
		const {redisCache} = await import('./source/index.ts');
		const cache = redisCache({store: 'sqlite::memory:'});
		console.log((await cache.ready()).store);
		await cache.close();
	`);
	assert.equal(stdout, 'sqlite::memory:\n');
	assert.match(stderr, /something else/v);
	assert.doesNotMatch(stderr, /experimental/v);
});

test('node:sqlite is loaded by a store that needs it alone', async () => {
	const {stdout} = await runScript(`
		const {redisCache} = await import('./source/index.ts');
		const isLoaded = () => process.moduleLoadList.includes('NativeModule sqlite');
		redisCache({store: 'memory'});
		const before = isLoaded();
		redisCache({store: 'sqlite::memory:'});
		console.log(before, isLoaded());
	`);
	assert.equal(stdout, 'false true\n');
});

/* Values. */

test('values of every length come back as they were', async t => {
	const {store} = open(t, {sqlite: newFile()}, {isCompressing: false});
	for (const length of [0, 1, 1500, 2048, 4096, 20_000, 1_000_000]) {
		const body = randomBytes(length);
		assert.equal(await set(store, '{a}', body), true);
		const [record] = await store.get(['{a}']);
		assert.strictEqual(record?.kind, 'response');
		assert.equal(Buffer.compare(record.body, body), 0, String(length));
	}
});

test('a head is replaced without its body', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file}, {isCompressing: false});
	const body = randomBytes(1_000_000);
	await set(store, '{a}', body);
	const [record] = await store.get(['{a}']);
	assert.strictEqual(record?.kind, 'response');
	const look = new DatabaseSync(file);
	t.after(() => {
		look.close();
	});
	const partOf = () => look.prepare('SELECT id, hex(substr(start, 1, 60)) AS start FROM entries').get();
	const former = partOf();
	assert.equal(await store.set('{a}', {...record, policy: policy({freshnessLifetimeSeconds: 120})}, minuteMs), true);
	assert.equal(former?.id, partOf()?.id);
	assert.notDeepEqual(former, partOf());
	const [freshened] = await store.get(['{a}']);
	assert.strictEqual(freshened?.kind, 'response');
	assert.equal(freshened.policy.freshnessLifetimeSeconds, 120);
	assert.equal(Buffer.compare(freshened.body, body), 0);
});

test('an entry that has expired is not given, and goes with a later write', async t => {
	t.mock.timers.enable({apis: ['Date'], now: Date.now()});
	const file = newFile();
	const {store} = open(t, {sqlite: file});
	await set(store, '{a}', 'body', 1000);
	await set(store, '{b}', 'body', 'forever');
	await set(store, '{c}', 'body', minuteMs);
	await store.placeGuard('{a}:guard', 0);
	t.mock.timers.tick(4_000_000);
	assert.equal(await bodyOf(store, '{a}'), undefined);
	assert.equal(await bodyOf(store, '{b}'), 'body');
	assert.deepEqual(await Array.fromAsync(store.entries(), ({key}) => key), ['{b}']);
	await set(store, '{d}', 'body');
	const look = new DatabaseSync(file);
	assert.deepEqual(look.prepare('SELECT key FROM entries ORDER BY key').all().map(({key}) => key), ['n:{b}', 'n:{d}']);
	assert.equal(look.prepare('SELECT count(*) AS count FROM guards').get()?.count, 0);
	look.close();
});

test('a namespace is cleared without what others have', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file});
	const {store: other} = open(t, {sqlite: file}, {namespace: 'n2'});
	for (let number = 0; number < 450; number++) {
		await set(store, `{${number}}`, 'body');
	}

	await set(other, '{a}', 'body');
	assert.equal((await Array.fromAsync(store.entries())).length, 450);
	assert.equal(await store.clear(), true);
	assert.deepEqual(await Array.fromAsync(store.entries()), []);
	assert.equal(await bodyOf(other, '{a}'), 'body');
});

/* The bound. */

const mebibyte = 1024 * 1024;

test('the oldest entries go where there is no room, small ones last, and the file stays within its bound', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file, maxSize: 2 * mebibyte}, {isCompressing: false});
	const version = {kind: 'version', version: 'v', softVersion: '', purgedAtMs: 0} as const;
	await store.set('{tag:a}', version, minuteMs);
	for (let number = 0; number < 200; number++) {
		await set(store, `{${number}}`, randomBytes(50_000));
	}

	const keys = await Array.fromAsync(store.entries(), ({key}) => key);
	const numbers = keys.map(key => Number(/\d+/v.exec(key)?.[0])).filter(number => !Number.isNaN(number)).toSorted((one, next) => one - next);
	assert.ok(numbers.length > 20, String(numbers.length));
	assert.ok(numbers.length < 42, String(numbers.length));
	assert.deepEqual(numbers, Array.from({length: numbers.length}, (_, position) => 200 - numbers.length + position));
	assert.equal(await bodyOf(store, '{tag:a}'), 'version');
	await store.close();
	assert.ok(statSync(file).size < 2.3 * mebibyte, String(statSync(file).size));
});

test('a bound that is given is the file\'s, also for those who give none', async t => {
	const file = newFile();
	const {store: bounded} = open(t, {sqlite: file, maxSize: mebibyte}, {isCompressing: false});
	await set(bounded, '{a}', 'body');
	const {store} = open(t, {sqlite: file}, {isCompressing: false});
	for (let number = 0; number < 100; number++) {
		await set(store, `{${number}}`, randomBytes(50_000));
	}

	assert.ok((await Array.fromAsync(store.entries())).length < 22);
});

test('many small entries are bounded as well', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file, maxSize: mebibyte}, {isCompressing: false});
	for (let number = 0; number < 6000; number++) {
		await store.set(`{${number}}`, {kind: 'version', version: 'v'.repeat(50), softVersion: '', purgedAtMs: 0}, minuteMs);
	}

	await store.close();
	assert.ok(statSync(file).size < 1.3 * mebibyte, String(statSync(file).size));
});

test('a value that would take more than a quarter of the room is not stored, which is an event', async t => {
	const {store, messages} = open(t, {sqlite: newFile(), maxSize: mebibyte}, {isCompressing: false});
	assert.equal(await set(store, '{a}', randomBytes(300_000)), false);
	assert.match(messages()[0] ?? '', /A value of \d+ bytes is not stored in a database of 1048576 bytes at most/v);
	assert.equal(store.health().state, 'unknown');
	assert.equal(await set(store, '{b}', 'body'), true);
});

/* What befalls a file. */

const damage: Record<string, (file: string) => void> = {
	'is overwritten in the middle'(file) {
		const content = readFileSync(file);
		content.fill(0xAB, 8192);
		writeFileSync(file, content);
	},
	'is cut off'(file) {
		truncateSync(file, 10_000);
	},
	'is filled with zeros'(file) {
		writeFileSync(file, Buffer.alloc(statSync(file).size));
	},
	'is overwritten with a text'(file) {
		writeFileSync(file, 'no database at all');
	},
};

for (const [what, change] of Object.entries(damage)) {
	test(`a file that ${what} is set aside, and an empty one begins`, async t => {
		const file = newFile();
		const first = open(t, {sqlite: file}, {isCompressing: false});
		for (let number = 0; number < 100; number++) {
			await set(first.store, `{${number}}`, randomBytes(3000));
		}

		await first.store.close();
		change(file);
		const damaged = readFileSync(file);
		const {store, messages} = open(t, {sqlite: file});
		// Whatever it reads first: nothing of it fails.
		for (let number = 0; number < 100; number++) {
			await bodyOf(store, `{${number}}`);
		}

		await Array.fromAsync(store.entries());
		assert.equal(await set(store, '{a}', 'new'), true);
		assert.equal(await bodyOf(store, '{a}'), 'new');
		const [name = '', ...others] = asideOf(file).filter(each => !each.endsWith('-wal'));
		assert.strictEqual(others.length, 0);
		assert.match(name, /^\d+\.db\.corrupt-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/v);
		assert.deepEqual(readFileSync(path.join(directory, name)), damaged);
		assert.equal(messages().length, 1);
		assert.match(messages()[0] ?? '', /is damaged \(SQLITE_(?:CORRUPT|NOTADB): .*\)\. It was set aside as .*corrupt-.*, and an empty one begins/v);
		assert.equal(store.health().state, 'ok');
	});
}

test('one damaged file is kept, the last', async t => {
	const file = newFile();
	for (let round = 0; round < 3; round++) {
		writeFileSync(file, `round ${round}`);
		const {store} = open(t, {sqlite: file});
		await set(store, '{a}', 'body');
		await store.close();
		// Another name each time.
		await delay(2);
	}

	assert.deepEqual(asideOf(file).map(name => readFileSync(path.join(directory, name), 'utf8')), ['round 2']);
});

test('a file that is damaged while two caches have it open is left by both, and what one purges is gone for the other', async t => {
	const file = newFile();
	const {store: one, messages} = open(t, {sqlite: file}, {isCompressing: false, memoryBytes: mebibyte});
	const {store: other} = open(t, {sqlite: file}, {isCompressing: false, memoryBytes: mebibyte});
	for (let number = 0; number < 50; number++) {
		await set(one, `{${number}}`, randomBytes(20_000));
	}

	await bodyOf(other, '{1}');
	const look = new DatabaseSync(file);
	look.exec('PRAGMA wal_checkpoint(TRUNCATE)');
	look.close();
	damage['is overwritten in the middle']?.(file);
	for (let number = 0; number < 50; number++) {
		await bodyOf(one, `{${number}}`);
	}

	assert.match(messages()[0] ?? '', /set aside/v);
	await set(one, '{a}', 'body');
	assert.equal(await bodyOf(other, '{a}'), 'body');
	await other.delete(['{a}']);
	assert.equal(await bodyOf(one, '{a}'), undefined);
	assert.equal(await bodyOf(other, '{1}'), undefined);
});

test('a file that is removed while it is in use is opened anew, which is an event', async t => {
	const file = newFile();
	const {store, messages} = open(t, {sqlite: file}, {memoryBytes: mebibyte});
	const {store: other} = open(t, {sqlite: file});
	await set(store, '{a}', 'body');
	assert.equal(await bodyOf(store, '{a}'), 'body');
	assert.equal(await bodyOf(other, '{a}'), 'body');
	unlinkSync(file);
	assert.equal(store.peek('{a}'), undefined);
	assert.equal(await bodyOf(store, '{a}'), undefined);
	assert.match(messages()[0] ?? '', /was removed or replaced while it was in use, and is opened anew/v);
	await set(other, '{b}', 'other');
	assert.equal(await bodyOf(store, '{b}'), 'other');
});

test('a log without its database is not taken for that of a new one', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file});
	await set(store, '{a}', 'body');
	rmSync(file);
	assert.ok(existsSync(`${file}-wal`));
	const {store: next} = open(t, {sqlite: file});
	assert.equal(await bodyOf(next, '{a}'), undefined);
	assert.equal(await set(next, '{b}', 'body'), true);
	assert.equal(await bodyOf(next, '{b}'), 'body');
});

test('while another process moves a file out of the way, it is waited for; a sign that was left behind is passed by', async t => {
	const file = newFile();
	mkdirSync(`${file}-moving`);
	const {store, messages} = open(t, {sqlite: file}, {timeoutMs: 100});
	assert.equal(await set(store, '{a}', 'body'), false);
	assert.match(messages()[0] ?? '', /SQLITE_BUSY/v);
	const {store: patient} = open(t, {sqlite: file});
	const written = set(patient, '{a}', 'body');
	rmSync(`${file}-moving`, {recursive: true});
	assert.equal(await written, true);
});

/* Locks. */

test('operations that find the database locked wait without holding the event loop up, in the order in which they began', async t => {
	const file = newFile();
	const {store} = open(t, {sqlite: file});
	await set(store, '{a}', 'first');
	const other = lock(file);
	const written = set(store, '{a}', 'second');
	const removed = store.delete(['{b}']);
	// They have come as far as the database.
	await nextTurn();
	const read = bodyOf(store, '{a}');
	// Another key is read meanwhile.
	assert.equal(await bodyOf(store, '{c}'), undefined);
	let isWritten = false;
	void written.then(() => {
		isWritten = true;
	});
	await delay(50);
	assert.equal(isWritten, false);
	other.exec('COMMIT');
	other.close();
	assert.deepEqual(await Promise.all([written, removed, read]), [true, true, 'second']);
});

test('a database that stays locked costs a bounded delay: writes are given up, reads go on, and it is used again afterwards', async t => {
	const file = newFile();
	const {store, events, messages} = open(t, {sqlite: file}, {timeoutMs: 300});
	await set(store, '{a}', 'body', 'forever');
	const other = lock(file);
	for (let number = 0; number < 3; number++) {
		assert.equal(await set(store, '{b}', 'body'), false);
	}

	assert.match(messages()[0] ?? '', /^got-redis-cache: SQLITE_BUSY: another connection has kept the database locked for \d+ ms \(store: sqlite:.*\.db\)/v);
	assert.equal(store.health().state, 'read-only');
	assert.equal(await bodyOf(store, '{a}'), 'body');
	assert.equal(await store.delete(['{a}']), false);
	assert.equal(await bodyOf(store, '{a}'), undefined);
	other.exec('ROLLBACK');
	other.close();
	while (!await set(store, '{b}', 'body')) {
		await delay(5); // The cooldown of writes.
	}

	// What could not be removed is removed a second later, also if others are removed all the time.
	const {store: next} = open(t, {sqlite: file});
	assert.equal(await bodyOf(next, '{a}'), 'body');
	const now = ownTimers.now.bind(ownTimers);
	t.mock.method(ownTimers, 'now', () => now() + 1000);
	for (let tries = 0; await bodyOf(next, '{a}') !== undefined; tries++) {
		assert.ok(tries < 100);
		await store.delete(['{c}']);
		await bodyOf(store, '{b}');
		await delay(5);
	}

	assert.ok(events.some(({type}) => type === 'degraded'));
});

test('a database that cannot be asked for changes is a miss in memory, and no error', async t => {
	const {store} = open(t, {sqlite: newFile()}, {memoryBytes: mebibyte});
	await set(store, '{a}', 'body');
	await bodyOf(store, '{a}');
	store.peek('{a}');
	await bodyOf(store, '{a}');
	await nextTurn();
	assert.equal(store.peek('{a}')?.kind, 'response');
	await nextTurn();
	t.mock.method(StatementSync.prototype, 'get', () => {
		throw new Error('disk I/O error');
	});
	assert.equal(store.peek('{a}'), undefined);
	t.mock.restoreAll();
	assert.equal(await bodyOf(store, '{a}'), 'body');
});

/* A full disk. */

test('a full disk is an event: nothing is written, purges and reads go on, and writes come back with room', async t => {
	const file = newFile();
	const {exec} = DatabaseSync.prototype;
	const connections: DatabaseSync[] = [];
	t.mock.method(DatabaseSync.prototype, 'exec', function (this: DatabaseSync, sql: string) {
		connections.push(this);
		exec.call(this, sql);
	});
	const {store, messages} = open(t, {sqlite: file}, {isCompressing: false});
	await set(store, '{kept}', 'kept');
	const [connection] = connections;
	assert.ok(connection);
	exec.call(connection, 'PRAGMA max_page_count = 60');
	let written = 0;
	while (await set(store, `{${written}}`, randomBytes(30_000))) {
		written++;
		assert.ok(written < 100);
	}

	assert.match(messages()[0] ?? '', /^got-redis-cache: SQLITE_FULL: database or disk is full/v);
	assert.equal(await bodyOf(store, '{kept}'), 'kept');
	const {token} = await store.placeGuard('{kept}:guard', 0) ?? {};
	assert.equal((await store.purge({guardKey: '{kept}:guard', keys: ['{kept}'], indexes: []})).kind, 'purged');
	assert.equal(await bodyOf(store, '{kept}'), undefined);
	assert.equal(await store.commit({guard: {key: '{kept}:guard', token: token ?? 'none'}, records: [{key: '{kept}', record: response(), timeToLive: minuteMs}], deletedKeys: []}), 'refused');
	exec.call(connection, 'PRAGMA max_page_count = 6000');
	while (!await set(store, '{more}', randomBytes(30_000))) {
		await delay(5);
	}
});
