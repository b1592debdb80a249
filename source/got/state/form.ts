import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {KeyInput} from '../../cache/exchange.ts';
import {fieldValue} from '../../http/header-fields.ts';
import type {GotOptions} from './got-options.ts';
import {findState, stateOf} from './request-state.ts';

/*
Got makes a stream of a `FormData` before its hooks run. The stream of a small form is read before it is sent, so that its content can be part of the key: what is sent is what is keyed.
*/

const mostBytes = 1024 * 1024;

/** More than the texts and files themselves take is left to the reading. */
const sizeOf = (form: FormData): number => Array.from(form.values(), value => typeof value === 'string' ? value.length : value.size).reduce((sum, size) => sum + size, 0);

/** To be called before got makes a stream of what a request sends. */
export const noteForm = (options: Options): void => {
	if (options.body instanceof FormData && sizeOf(options.body) < mostBytes) {
		stateOf(options).hasSmallForm = true;
	}
};

const isForm = (options: GotOptions): boolean => findState(options)?.hasSmallForm === true
	&& options.body instanceof ReadableStream
	&& !options.body.locked
	&& /^multipart\/form-data;/iv.test(fieldValue(options.headers, 'content-type') ?? '');

const withRest = async function * (chunks: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>) {
	yield * chunks;
	yield * rest;
};

/**
Reads the content of a form, and has got send what was read.

@returns `undefined` if the request sends no form, or a large one.
*/
export const readForm = async (options: GotOptions): Promise<Pick<KeyInput, 'body' | 'isEncoded'> | undefined> => {
	if (!isForm(options)) {
		return undefined;
	}

	const rest = (options.body as ReadableStream<Uint8Array>).values();
	const chunks: Uint8Array[] = [];
	let size = 0;
	while (size <= mostBytes) {
		// eslint-disable-next-line no-await-in-loop -- one after the other
		const {done, value} = await rest.next();
		if (done) {
			const body = Buffer.concat(chunks);
			options.body = body;
			return {body, isEncoded: !options.decompress};
		}

		chunks.push(value);
		size += value.byteLength;
	}

	options.body = withRest(chunks, rest);
	return undefined;
};
