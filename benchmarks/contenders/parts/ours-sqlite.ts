import path from 'node:path';
import type {RedisCacheOptions} from '../../../source/index.ts';
import type {Contender} from '../../contender.ts';
import {ours} from './ours.ts';

export const oursSqlite = (options: RedisCacheOptions): Contender['setup'] => async context => ours({...options, store: {sqlite: path.join(context.directory, 'cache.db')}})(context);
