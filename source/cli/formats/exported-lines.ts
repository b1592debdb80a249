import type {ExportedResponse} from '../../index.ts';
import {bodyFields, bodyOf, mediaTypeIn, type BodyFields} from './body.ts';
import {propertiesOf} from './data.ts';

/*
An exported response as an object of JSON, one a line.
*/

const formatVersion = 1;

/** JSON has no number for a lifetime without end. */
const endless = 'Infinity';

export type ExportedData = {
	readonly version: number;
	readonly keptUntil?: string;
	readonly [name: string]: unknown;
} & BodyFields;

const policyToData = (policy: ExportedResponse['policy']): Record<string, unknown> => Object.fromEntries(Object.entries(policy).map(([name, value]) => [name, value === Infinity ? endless : value]));

const policyFromData = (policy: unknown): ExportedResponse['policy'] => {
	const entries = Object.entries(propertiesOf(policy)).map(([name, value]) => [name, value === endless ? Infinity : value] as const);
	return Object.fromEntries(entries) as ExportedResponse['policy'];
};

export const toData = ({body, policy, keptUntil, ...others}: ExportedResponse): ExportedData => ({
	version: formatVersion,
	...others,
	policy: policyToData(policy),
	...keptUntil && {keptUntil: keptUntil.toISOString()},
	...bodyFields(body, mediaTypeIn(others.headers)),
});

/**
The types of the properties are for `cache.import()` to check.

@throws {TypeError} If it is no exported response of a known version.
*/
export const fromData = (data: unknown): ExportedResponse => {
	const {version, body, bodyEncoding, policy, keptUntil, ...others} = propertiesOf(data) as Partial<ExportedData>;
	if (version !== formatVersion) {
		throw new TypeError(
			version === undefined
				? 'it is no response that `got-redis-cache export` wrote'
				: `it has version ${JSON.stringify(version)} of the format, and this program reads version ${formatVersion}`,
		);
	}

	if (typeof body !== 'string' || !(bodyEncoding === undefined || bodyEncoding === 'base64')) {
		throw new TypeError('its `body` is no string, or its `bodyEncoding` is not base64');
	}

	return {
		...others,
		policy: policyFromData(policy),
		body: bodyOf({body, ...bodyEncoding && {bodyEncoding}}),
		keptUntil: keptUntil === undefined ? undefined : new Date(keptUntil),
	} as unknown as ExportedResponse;
};
