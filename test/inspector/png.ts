import {Buffer} from 'node:buffer';
import {crc32, deflateSync} from 'node:zlib';

const chunk = (type: string, data: Uint8Array): Uint8Array => {
	const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
	const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
	length.writeUInt32BE(data.length);
	sum.writeUInt32BE(crc32(body));

	return Buffer.concat([length, body, sum]);
};

/** A PNG with a gradient. */
export const pngOf = (width: number, height: number): Uint8Array => {
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	header.set([8, 2, 0, 0, 0], 8);
	const rows = Array.from({length: height}, (_, y) => [0, ...Array.from({length: width}, (_pixel, x) => [Math.round((255 * x) / width), Math.round((255 * y) / height), 180]).flat()]);

	return Buffer.concat([
		Buffer.from('\u{89}PNG\r\n\u{1A}\n', 'latin1'),
		chunk('IHDR', header),
		chunk('IDAT', deflateSync(Uint8Array.from(rows.flat()))),
		chunk('IEND', Buffer.alloc(0)),
	]);
};
