import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import test from 'node:test';
import fc from 'fast-check';
import {normalizeSelectingValue} from '../../source/http/selecting-value.ts';
import {runsOf, triesOf} from '../helpers/runs.ts';

type Negotiate = (available?: readonly string[]) => string[];

type Negotiator = Readonly<Record<'charsets' | 'encodings' | 'languages' | 'mediaTypes', Negotiate>>;

type NegotiatorConstructor = new (request: {readonly headers: Readonly<Record<string, string>>}) => Negotiator;

const require = createRequire(import.meta.url);
// The parser that Express, Koa and Fastify choose a representation with. It has no types.
const parsers = ['negotiator', 'negotiator-0.6'].map(name => ({name, Parser: require(name) as NegotiatorConstructor}));

type Field = {
	readonly name: string;
	readonly method: keyof Negotiator;
	readonly ranges: readonly string[];
	readonly available: readonly string[];
};

const fields: readonly Field[] = [
	{
		name: 'accept-language',
		method: 'languages',
		ranges: ['en', 'en-US', 'en-us', 'EN', 'de', 'de-AT', '*', 'fr', '-', ''],
		available: ['en', 'en-US', 'en-GB', 'de', 'de-AT', 'fr', 'it'],
	},
	{
		name: 'accept-encoding',
		method: 'encodings',
		ranges: ['gzip', 'GZip', 'br', 'zstd', 'identity', '*', ''],
		available: ['gzip', 'br', 'zstd', 'identity', 'deflate'],
	},
	{
		name: 'accept-charset',
		method: 'charsets',
		ranges: ['utf-16', 'UTF-16', 'iso-8859-1', '*', ''],
		available: ['utf-16', 'iso-8859-1', 'us-ascii'],
	},
	{
		name: 'accept',
		method: 'mediaTypes',
		ranges: ['text/html', 'TEXT/html', 'text/*', 'text/html;level=1', 'text/html;Level="1"', 'text/plain', 'application/json', 'application/*', 'text/html;a=",b"', '*/*', 'text', ''],
		available: ['text/html', 'text/html;level=1', 'text/html;level=2', 'text/plain', 'application/json', 'text/html;a=",b"'],
	},
];

const validWeights = ['', ';q=1', ';q=1.000', ';q=0.5', ';q=0.50', ';q=0.8', ';q=0', ';q=0.001'];

const weights = [...validWeights, ';q=', ';q', ';q=2', ';q=-1', ';q=x', ';q="0.5"', ';q=0.5;q=0.8', ';q=1;a=1', ';q=0.5;a=1', ';a=1;q=0.5', ';'];

/** The same list in other words: mostly in an order that weights allow, and with other whitespace. */
const respelled = (list: readonly string[], seed: readonly number[]): string[] => {
	const keyed = list.map((member, position) => ({member, at: position + (seed[position % seed.length] ?? 0)}));

	return keyed.toSorted((first, second) => first.at - second.at).map(({member}) => member.replace(/;q=(?<digit>[01])$/v, ';q=$<digit>.0'));
};

for (const {name: parser, Parser} of parsers) {
	for (const {name, method, ranges, available} of fields) {
		test(`${parser} chooses alike for two values of ${name} that are taken for the same`, () => {
			const member = fc.tuple(fc.constantFrom(...ranges), fc.constantFrom(...weights)).map(parts => parts.join(''));
			const list = fc.array(member, {minLength: 1, maxLength: 5});
			const seed = fc.array(fc.constantFrom(0, 0, 1.5, -1.5, 3), {minLength: 5, maxLength: 5});
			const separator = fc.constantFrom(',', ', ', ' ,\t');
			const tries = 2000;
			let count = 0;

			fc.assert(fc.property(list, seed, separator, fc.subarray([...available]), (members, order, comma, offered) => {
				const first = members.join(',');
				const second = respelled(members, order).join(comma);
				fc.pre(normalizeSelectingValue(name, first) === normalizeSelectingValue(name, second));
				count += Number(first !== second);
				const [one, other] = [first, second].map(value => new Parser({headers: {[name]: value}})[method](offered));

				assert.deepEqual(one, other, `${first} and ${second}`);
			}), triesOf(tries));
			assert.ok(count > runsOf(tries) / 4, `Only ${count} pairs differed`);
		});
	}
}

test('negotiator reads whitespace and the case of names as RFC 9110 says', () => {
	// Version 0.6 takes `; q=0.5` of a language for no weight.
	const [{Parser} = parsers[1]!] = parsers;
	for (const [name, method, first, second] of [
		['accept-language', 'languages', 'EN ; Q=0.5, de', 'de,en;q=0.5'],
		['accept-encoding', 'encodings', 'GZIP\t;\tq=0.5 , br', 'br, gzip; q=0.50'],
		['accept', 'mediaTypes', 'TEXT/HTML ; LEVEL=1 ; Q=0.5, text/plain', 'text/plain, text/html;level=1;q=0.5'],
	] as const) {
		assert.equal(normalizeSelectingValue(name, first), normalizeSelectingValue(name, second));
		const available = ['en', 'de', 'gzip', 'br', 'text/html;level=1', 'text/plain'].filter(value => value.includes('/') === (name === 'accept'));
		assert.deepEqual(new Parser({headers: {[name]: first}})[method](available), new Parser({headers: {[name]: second}})[method](available));
	}
});
