/*
Record the responses of an API once, and replay them: in tests, on a train, or to reproduce what a user saw.
*/
import {readdir} from 'node:fs/promises';
import process from 'node:process';
import got from 'got';
import {replay} from 'got-redis-cache/replay';

const prefixUrl = process.env.API_URL ?? 'https://api.example.com';
const folder = 'recordings';

// With the API: each response becomes a file that you can read, change and commit.
const recording = got.extend({prefixUrl}, replay({folder, mode: 'record'}));
const recorded = await recording('counter').json();

console.log(recorded, (await readdir(folder)).length > 0);
//=> 1 true

// Without the API: nothing is sent, and the answer is the same each time.
const recorder = replay({folder});
const replaying = got.extend({prefixUrl, retry: {limit: 0}}, recorder);

console.log(await replaying('counter').json(), await replaying('counter').json());
//=> 1 1

// A request without a recording fails, and says how it differs from the nearest one.
try {
	await replaying('counters');
} catch (error) {
	console.log((error as Error).message.split('\n', 2)[1]);
}
//=> "- path: recorded '/counter', requested '/counters'"

console.log(recorder.unused());
//=> []
