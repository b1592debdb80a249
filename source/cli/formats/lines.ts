import {Buffer} from 'node:buffer';

const lineFeed = 0x0A;

// The lines of a stream, without their ends. Only a line feed ends one: JSON may hold other separators.
export const readLines = async function * (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
	let parts: Uint8Array[] = [];
	for await (const chunk of chunks) {
		let start = 0;
		for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
			parts.push(chunk.subarray(start, end));
			yield Buffer.concat(parts).toString('utf8').replace(/\r$/v, '');
			parts = [];
			start = end + 1;
		}

		parts.push(chunk.subarray(start));
	}

	const last = Buffer.concat(parts).toString('utf8');
	if (last !== '') {
		yield last;
	}
};
