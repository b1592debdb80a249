import {redacted, redactedUrl} from '../http/credentials.ts';
import {decodedName, normalizeUrl} from '../http/url.ts';
import {isJsonObject} from '../fixtures/json-file.ts';
import type {MatchingRules} from './options.ts';

/** Replaces the secrets among the parameters of a query or form. */
export const redactParameters = (query: string, isSecret: (name: string) => boolean): string => query
	.split('&')
	.map(parameter => {
		const equals = parameter.indexOf('=');
		return equals !== -1 && equals < parameter.length - 1 && isSecret(decodedName(parameter)) ? `${parameter.slice(0, equals)}=${redacted}` : parameter;
	})
	.join('&');

/** A URL as it is written and compared: normalised, without ignored parameters, and with `REDACTED` in place of secrets. */
export const redactUrl = (url: string, {ignoredParameters, isOwnSecret}: MatchingRules): string => {
	const safe = redactedUrl(url, ignoredParameters);
	const queryStart = safe.indexOf('?') + 1;

	return queryStart === 0 ? safe : safe.slice(0, queryStart) + redactParameters(safe.slice(queryStart), isOwnSecret);
};

/** Replaces the secrets in JSON, at any depth. */
export const redactJson = (value: unknown, isSecret: (name: string) => boolean): unknown => {
	if (Array.isArray(value)) {
		return value.map(each => redactJson(each, isSecret));
	}

	if (!isJsonObject(value)) {
		return value;
	}

	// `Object.fromEntries` defines each name as a property of its own, `__proto__` too.
	return Object.fromEntries(Object.entries(value).map(([name, member]) => {
		const isHidden = isSecret(name) && (typeof member === 'string' || typeof member === 'number') && member !== '';
		return [name, isHidden ? redacted : redactJson(member, isSecret)];
	}));
};

/** A day, an hour and a minute, in seconds. */
const steps = [86_400, 3600, 60];

/** In whole days, hours or minutes if it is some of them, so that another recording has the same number. */
const secondsUntil = (date: string, now: number): number => {
	const seconds = Math.max(0, (Date.parse(date) - now) / 1000);
	const step = steps.find(each => seconds >= 1.5 * each) ?? 1;

	return Math.round(seconds / step) * step;
};

/** A cookie without its value, and with a life that counts from when it is replayed. */
const redactCookie = (cookie: string, now: number): string => {
	const [pair = '', ...attributes] = cookie.split(';').map(part => part.trim());
	const equals = pair.indexOf('=');
	const isEmpty = equals === pair.length - 1;
	const hasMaxAge = attributes.some(attribute => /^max-age=/iv.test(attribute));
	const kept = attributes.flatMap(attribute => {
		const date = /^expires=(?<date>.*)$/iv.exec(attribute)?.groups?.date;
		if (date === undefined || Number.isNaN(Date.parse(date))) {
			return [attribute];
		}

		return hasMaxAge ? [] : [`Max-Age=${secondsUntil(date, now)}`];
	});

	return [isEmpty ? pair : `${pair.slice(0, equals + 1)}${redacted}`, ...kept].join('; ');
};

/** A reference to another resource; as it is, if it has no secrets. */
const redactReference = (reference: string, rules: MatchingRules): string => {
	const everything = {...rules, ignoredParameters: new Set<string>()};
	const safe = redactUrl(reference, everything);

	return safe === normalizeUrl(reference) ? reference : safe;
};

/**
The value of a response header field as it is written.

@param now - The time of the response, in milliseconds since the epoch.
*/
export const redactField = (name: string, value: string, rules: MatchingRules, now: number): string => {
	switch (name) {
		case 'set-cookie': {
			return redactCookie(value, now);
		}

		case 'location':
		case 'content-location': {
			return redactReference(value, rules);
		}

		case 'link': {
			return value.replaceAll(/<(?<reference>[^<>]*)>/gv, (_, reference: string) => `<${redactReference(reference, rules)}>`);
		}

		default: {
			return value !== '' && rules.isSecret(name) ? redacted : value;
		}
	}
};
