import {describe, isFieldName, validate, type Rule} from '../options/validate.ts';
import type {AuditedResponse, ComparisonRules} from './compare.ts';

/** Options of `audit()`, about the hits to audit and what may differ in them. */
export type AuditOptions = {
	/**
	The share of hits to audit, from 0 (none) to 1 (all). Each audited hit costs the origin one request, and a wrong answer four more at most.
	*/
	share: number;

	/**
	Differences that do not count: regular expressions for text in bodies, such as a nonce or the time of rendering, and names of response header fields. Fields that differ anyway, such as `Date`, `Age`, `ETag`, `Set-Cookie` and identifiers of requests, need not be listed.

	@default []

	@example
	```
	audit(cache, {share: 0.001, ignore: [/nonce="[^"]+"/, 'x-build']});
	```
	*/
	ignore?: ReadonlyArray<RegExp | string> | undefined;

	/**
	Decides whether two bodies that differ say the same. Called only with bodies that differ in more than `ignore` allows. It must be synchronous; an `error` event tells what it throws.

	@default () => false
	*/
	compare?: ((stored: AuditedResponse, current: AuditedResponse) => boolean) | undefined;

	/**
	The number of hits that are audited at the same time. Each makes one request at a time. A hundred hits, or 32 MiB of their bodies, wait, and more are passed over.

	@default 2
	*/
	concurrency?: number | undefined;
};

const isRegExp = (value: unknown): value is RegExp => value instanceof RegExp;

const rules: Readonly<Record<keyof AuditOptions, Rule>> = {
	share: [value => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1, such as 0.001 for one hit in a thousand'],
	ignore: [value => Array.isArray(value) && value.every(each => isRegExp(each) || isFieldName(each)), 'an array of regular expressions, for bodies, and names of header fields'],
	compare: [value => typeof value === 'function', 'a function'],
	concurrency: [value => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 100, 'a whole number from 1 to 100'],
};

export type AuditSettings = {
	readonly share: number;
	readonly concurrency: number;
	readonly comparison: ComparisonRules;
};

/** Every match of a regular expression counts. */
const toNonce = ({source, flags}: RegExp): RegExp => new RegExp(source, `${flags.replaceAll(/[gy]/gv, '')}g`);

/**
@throws {TypeError} If an option is missing, unknown or of the wrong type.
*/
export const resolveAuditOptions = (options: AuditOptions): AuditSettings => {
	validate(options, rules, {where: 'audit()', noun: 'option'});
	const {share, ignore = [], compare, concurrency = 2} = options;
	if (share === undefined) {
		throw new TypeError(`Expected the option \`share\` in audit() to be ${rules.share[1]}, got ${describe(share)}`);
	}

	return {
		share,
		concurrency,
		comparison: {
			nonces: ignore.filter(each => isRegExp(each)).map(nonce => toNonce(nonce)),
			ignoredFields: new Set(ignore.filter(each => typeof each === 'string').map(name => name.toLowerCase())),
			isEqual: compare,
		},
	};
};
