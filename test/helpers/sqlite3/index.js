import {DatabaseSync} from 'node:sqlite';

class Database {
	#database;

	constructor(file, callback) {
		setImmediate(() => {
			try {
				this.#database = new DatabaseSync(file);
				callback.call(this, null);
			} catch (error) {
				callback.call(this, error);
			}
		});
	}

	configure(_option, milliseconds) {
		this.#database.exec(`PRAGMA busy_timeout = ${Number(milliseconds)}`);
	}

	all(sql, ...rest) {
		const callback = rest.pop();
		setImmediate(() => {
			try {
				callback(null, this.#database.prepare(sql).all(...rest.flat()));
			} catch (error) {
				callback(error);
			}
		});
	}

	close(callback) {
		this.#database.close();
		setImmediate(callback, null);
	}
}

const sqlite3 = {Database};

export default sqlite3;
