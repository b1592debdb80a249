import path from 'node:path';
import KeyvSqlite from '@keyv/sqlite';
import Keyv from 'keyv';
import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, @keyv/sqlite',
	answersFrom: 'disk',
	async setup(context) {
		const adapter = new KeyvSqlite(`sqlite://${path.join(context.directory, 'keyv.db')}`);
		const client = await ours({store: new Keyv(adapter)})(context);

		return {
			...client,
			async teardown() {
				await client.teardown?.();
				await adapter.disconnect();
			},
		};
	},
};

export default contender;
