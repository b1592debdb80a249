import path from 'node:path';
import {cacheStores} from 'undici';
import type {Contender} from '../contender.ts';
import {undiciClient} from './parts/undici.ts';

const contender: Contender = {
	name: 'undici, SqliteCacheStore',
	answersFrom: 'disk',
	async setup({directory}) {
		const store = new cacheStores.SqliteCacheStore({location: path.join(directory, 'undici.db')});
		const client = undiciClient(store);

		return {
			...client,
			async teardown() {
				await client.teardown?.();
				store.close();
			},
		};
	},
};

export default contender;
