/*
A download with progress. The second one comes from Redis.
*/
import {createWriteStream} from 'node:fs';
import {rm, stat} from 'node:fs/promises';
import process from 'node:process';
import {pipeline} from 'node:stream/promises';
import got from 'got';
import {cacheInfo, redisCache} from 'got-redis-cache';

const api = process.env.API_URL ?? 'https://api.example.com';
const client = got.extend(redisCache({maxBodySize: 100 * 1024 * 1024}));

for (const file of ['first.bin', 'second.bin']) {
	const download = client.stream(`${api}/large`);
	let percent = 0;
	download.on('downloadProgress', progress => {
		percent = Math.round(progress.percent * 100);
	});
	await pipeline(download, createWriteStream(file));
	const {size} = await stat(file);

	console.log(cacheInfo(download.response)?.status, `${percent} %`, size);
	await rm(file);
}
//=> 'miss' '100 %' 1048576
//=> 'hit' '100 %' 1048576
