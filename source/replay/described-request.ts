import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {essenceOf, isJsonType, textOf} from '../fixtures/body-file.ts';
import {canonicalJson} from '../http/canonical-json.ts';
import {normalizeQuery} from '../http/url.ts';
import {isJsonObject} from '../fixtures/json-file.ts';
import type {MatchingRules} from './options.ts';
import {redactJson, redactParameters, redactUrl} from './redaction.ts';

/** The content of a request as it is written: readable if it is short text. */
export type Content =
	| {readonly kind: 'none'}
	| {readonly kind: 'json'; readonly json: unknown}
	| {readonly kind: 'form'; readonly form: string}
	| {readonly kind: 'text'; readonly text: string}
	| {readonly kind: 'bytes'; readonly sha256: string; readonly bytes: number};

/** The parts of a request that distinguish it from others, without secrets. */
export type DescribedRequest = {
	/** Upper-case. */
	readonly method: string;
	/** Normalised, without ignored parameters. */
	readonly url: string;
	readonly content: Content;
	/** All header fields, in lower case. */
	readonly fields: Readonly<Record<string, string>>;
};

/** Longer content is written as a digest. */
const longestText = 16_384;

const noParameters: ReadonlySet<string> = new Set();

const describeBytes = (bytes: Uint8Array): Content => ({kind: 'bytes', sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength});

/** Without the ignored members of the outermost object. */
const withoutIgnored = (value: unknown, ignored: ReadonlySet<string>): unknown => isJsonObject(value)
	? Object.fromEntries(Object.entries(value).filter(([name]) => !ignored.has(name.toLowerCase())))
	: value;

/** The JSON, unless parsing loses something, such as digits. */
const describeJson = (text: string, {ignoredParameters, isSecret}: MatchingRules): Content | undefined => {
	const canonical = canonicalJson(text, noParameters);
	const value: unknown = canonical === undefined ? undefined : JSON.parse(text);

	return canonical !== undefined && canonicalJson(JSON.stringify(value), noParameters) === canonical
		? {kind: 'json', json: redactJson(withoutIgnored(value, ignoredParameters), isSecret)}
		: undefined;
};

/** Clients choose the boundary at random. */
const withSameBoundary = (body: Uint8Array, contentType: string | undefined): Uint8Array => {
	const {quoted, bare} = /^multipart\/.*boundary=(?:"(?<quoted>[^"]+)"|(?<bare>[^\s;]+))/iv.exec(contentType ?? '')?.groups ?? {};
	const boundary = quoted ?? bare;

	return boundary === undefined ? body : Buffer.from(Buffer.from(body).toString('latin1').replaceAll(`--${boundary}`, '--boundary'), 'latin1');
};

/** Describes the content of a request, without secrets. */
export const describeContent = (body: Uint8Array, contentType: string | undefined, rules: MatchingRules): Content => {
	if (body.byteLength === 0) {
		return {kind: 'none'};
	}

	const bytes = withSameBoundary(body, contentType);
	const text = bytes.byteLength > longestText ? undefined : textOf(bytes);
	if (text === undefined) {
		return describeBytes(bytes);
	}

	if (essenceOf(contentType) === 'application/x-www-form-urlencoded') {
		const form = normalizeQuery(text, rules.ignoredParameters) ?? '';
		return {kind: 'form', form: redactParameters(form, rules.isSecret)};
	}

	return (isJsonType(contentType) ? describeJson(text, rules) : undefined) ?? {kind: 'text', text};
};

type Sent = {
	readonly method: string;
	readonly url: string;
	readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>;
	readonly body: Uint8Array;
};

/** Describes a request that is about to be sent. */
export const describeRequest = ({method, url, headers, body}: Sent, rules: MatchingRules): DescribedRequest => {
	const fields: Record<string, string> = {};
	for (const [name, value] of Object.entries(headers)) {
		if (value !== undefined) {
			fields[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value);
		}
	}

	return {
		method: method.toUpperCase(),
		url: redactUrl(url, rules),
		content: describeContent(body, fields['content-type'], rules),
		fields,
	};
};

/** A text that is the same for the same content. */
export const contentKey = (content: Content, {ignoredParameters}: MatchingRules): string => {
	switch (content.kind) {
		case 'none': {
			return '';
		}

		case 'json': {
			const text = JSON.stringify(content.json);
			return `json ${canonicalJson(text, ignoredParameters) ?? text}`;
		}

		case 'form': {
			return `form ${normalizeQuery(content.form, ignoredParameters) ?? ''}`;
		}

		case 'text': {
			return `text ${content.text}`;
		}

		case 'bytes': {
			return `bytes ${content.sha256}`;
		}
	}
};
