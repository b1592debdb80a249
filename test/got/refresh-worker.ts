import process from 'node:process';
import got from 'got';
import {redisCache} from '../../source/index.ts';

/*
A script that is given a stale response and has nothing else to do.
*/
const [store, url] = process.argv.slice(2) as [string, string];
const client = got.extend(redisCache({store, timeout: '5s'}));

await client(url);
process.stdout.write(await client(url).text());
