import type {Contender} from '../contender.ts';
import {oursSqlite} from './parts/ours-sqlite.ts';

const contender: Contender = {
	name: 'got-redis-cache, SQLite each time',
	answersFrom: 'disk',
	setup: oursSqlite({memory: false}),
};

export default contender;
