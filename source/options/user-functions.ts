import {Buffer} from 'node:buffer';
import {headersOf} from '../http/header-fields.ts';
import type {Content, RequestHead, ResponseHead} from '../http/message.ts';
import type {CacheableRequest, CacheableResponse} from './options.ts';
import {describe} from './validate.ts';

/*
Functions of the user's, and requests and responses as they are given them.
*/

/** The content of a response whose body is on its way. */
export const unreadContent = (): Content => ({bytes: undefined, isMissed: false});

/** The content of a response whose body is there. */
export const readContent = (bytes: Uint8Array): Content => ({bytes, isMissed: false});

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** Decoded only where somebody asks. */
export const givenRequest = (head: RequestHead, options: CacheableRequest['options'], body: Uint8Array | string | undefined): CacheableRequest => ({
	...head,
	options,
	get body() {
		return typeof body === 'object' ? textOf(body) : body;
	},
});

/** A request as functions of the user's are given it. */
export const requestGiven = (request: RequestHead): CacheableRequest => (request.given ?? request) as CacheableRequest;

/**
Asks a function of the user's about a response. Where it wants a body that has not come yet, it is asked again when that has.

@param provisional - The answer until then.
*/
export const askAbout = <Answer>({statusCode, rawHeaders, content}: ResponseHead, ask: (response: CacheableResponse) => Answer, provisional: Answer): Answer => {
	let isMissed = false;
	const response: CacheableResponse = {
		statusCode,
		headers: headersOf(rawHeaders),
		get body() {
			if (content && content.bytes === undefined) {
				isMissed = true;
				content.isMissed = true;
			}

			return textOf(content?.bytes ?? new Uint8Array());
		},
	};

	try {
		const answer = ask(response);
		return isMissed ? provisional : answer;
	} catch (error) {
		if (isMissed) {
			return provisional;
		}

		throw error;
	}
};

/** Says which function it was; `cause` is the error as it came. */
export const callNamed = <Arguments extends readonly unknown[], Result>(name: string, call: (...parameters: Arguments) => Result, ...parameters: Arguments): Result => {
	try {
		return call(...parameters);
	} catch (error) {
		throw new Error(`The function \`${name}\` of redisCache() threw: ${error instanceof Error ? error.message : describe(error)}`, {cause: error});
	}
};
