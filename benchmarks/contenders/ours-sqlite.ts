import type {Contender} from '../contender.ts';
import {oursSqlite} from './parts/ours-sqlite.ts';

const contender: Contender = {
	name: 'got-redis-cache, memory tier before SQLite',
	answersFrom: 'memory',
	setup: oursSqlite({}),
};

export default contender;
