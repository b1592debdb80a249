import {Buffer, isUtf8} from 'node:buffer';

const textTypes = /^(?:text\/|application\/(?:[\w\-.]+\+)?(?:json|xml|javascript|ecmascript|graphql|sql|x-www-form-urlencoded|x-ndjson|yaml|x-yaml|toml)|image\/svg\+xml)/iv;

/** A body without a media type is shown as text only if it has no other control characters than line breaks and tabs. */
const binary = /[\p{Control}--[\t\n\r]]/v;

/** A body as text; `undefined` if it is no text in UTF-8. */
export const textOf = (body: Uint8Array, mediaType: string | undefined): string | undefined => {
	if (!isUtf8(body)) {
		return undefined;
	}

	// Unlike a `TextDecoder`, it leaves a byte order mark where it is.
	const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
	return textTypes.test(mediaType ?? '') || !binary.test(text) ? text : undefined;
};

export const mediaTypeIn = (headers: ReadonlyArray<readonly [name: string, value: string]>): string | undefined => headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];

export type BodyFields = {
	readonly body: string;
	/** Absent for text. */
	readonly bodyEncoding?: 'base64';
};

/** A body in JSON: as text if it is text, otherwise in base64. */
export const bodyFields = (body: Uint8Array, mediaType: string | undefined): BodyFields => {
	const text = textOf(body, mediaType);
	return text === undefined ? {body: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'), bodyEncoding: 'base64'} : {body: text};
};

export const bodyOf = ({body, bodyEncoding}: BodyFields): Uint8Array => Buffer.from(body, bodyEncoding ?? 'utf8');
