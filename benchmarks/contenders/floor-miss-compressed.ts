import {promisify} from 'node:util';
import {constants, zstdCompress, zstdCompressSync} from 'node:zlib';
import type {Contender} from '../contender.ts';
import {floorMiss} from './parts/floor-miss.ts';

const level = {params: {[constants.ZSTD_c_compressionLevel]: 1}};

/** As the cache does it: a long body beside the event loop. */
const longBody = 128 * 1024;

/** The least that a miss costs which is compressed: the floor of a miss, with the body as a Zstandard frame. */
const contender: Contender = {
	name: 'floor: got hooks with one Redis GET, Zstandard and one SET',
	answersFrom: 'origin',
	setup: floorMiss(async body => body.byteLength > longBody ? promisify(zstdCompress)(body, level) : zstdCompressSync(body, level)),
};

export default contender;
