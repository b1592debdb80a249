import process from 'node:process';
import got from 'got';
import {redisCache} from '../../source/index.ts';
import {rateLimit} from '../../source/rate-limit.ts';

/*
One process of a fleet: asks for so many different responses at once, and prints the status codes.
*/

const [store, url = '', count, limit] = process.argv.slice(2);
const cache = redisCache({store, timeout: '10s'});
rateLimit(cache, {[new URL(url).host]: limit as '1/s'}, {maxWait: '5m', margin: '2s'});
const client = got.extend({retry: {limit: 0}, throwHttpErrors: false}, cache);
const responses = await Promise.all(Array.from({length: Number(count)}, async (_, number) => client(`${url}/${process.pid}/${number}`)));
console.log(JSON.stringify(responses.map(({statusCode}) => statusCode)));
await cache.close();
