import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import {primaryKey} from '../../source/http/cache-key.ts';
import {
	credentialsByKind,
	hasCredential,
	isCredentialName,
	isRedacted,
	redactedUrl,
} from '../../source/http/credentials.ts';
import {normalizeUrl} from '../../source/http/url.ts';

const at = (query: string) => `https://example.com/a?${query}`;
const googleKey = `AIza${'a-B_5'.repeat(7)}`;

const cases: ReadonlyArray<readonly [query: string, shown: string]> = [
	['api_key=1', 'api_key=REDACTED'],
	['b=2&API-Key=1&a=1', 'API-Key=REDACTED&a=1&b=2'],
	['apikey=1&x-api-key=2', 'apikey=REDACTED&x-api-key=REDACTED'],
	['%61pi%5Fkey=1', 'api_key=REDACTED'],
	['access+token=1', 'access+token=REDACTED'],
	['user%5Bpassword%5D=1&user[name]=2', 'user[name]=2&user%5Bpassword%5D=REDACTED'],
	['sig=a=b', 'sig=REDACTED'],
	['sig=1&sig=2', 'sig=REDACTED&sig=REDACTED'],
	['X-Amz-Credential=a%2Fb&X-Amz-Date=1&X-Amz-Signature=2&X-Amz-Security-Token=3', 'X-Amz-Credential=REDACTED&X-Amz-Date=1&X-Amz-Security-Token=REDACTED&X-Amz-Signature=REDACTED'],
	['GoogleAccessId=1&X-Goog-Signature=2&Expires=3', 'Expires=3&GoogleAccessId=REDACTED&X-Goog-Signature=REDACTED'],
	['sv=2024&se=x&sig=1', 'se=x&sig=REDACTED&sv=2024'],
	[`key=${googleKey}`, 'key=REDACTED'],
	[`appid=${'0a'.repeat(16)}`, 'appid=REDACTED'],
	// Of these, the values are no secret.
	['key=users&appid=440', 'appid=440&key=users'],
	['page_token=1&nextToken=2&monkey=3&design=4&code=5&tokens=6', 'code=5&design=4&monkey=3&nextToken=2&page_token=1&tokens=6'],
	['token&api_key=', 'api_key=&token'],
	['q=api_key', 'q=api_key'],
];

test('a URL that is stored, listed or told has the values of credentials replaced, and nothing else', () => {
	for (const [query, shown] of cases) {
		assert.equal(redactedUrl(at(query)), at(shown), query);
		assert.equal(redactedUrl(at(shown)), at(shown));
		assert.equal(isRedacted(at(shown)), shown.includes('=REDACTED'), shown);
	}

	assert.equal(redactedUrl('https://user:token=1@example.com/api_key=1#?token=1'), 'https://example.com/api_key=1');
});

test('credentials tell requests apart', () => {
	const names = Object.values(credentialsByKind).flatMap(list => list.split(' '));
	for (const name of names) {
		const [first, second] = ['1', '2'].map(value => ({method: 'GET', url: at(`${name}=${value}`), headers: {}}));
		assert.ok(first);
		assert.ok(second);
		assert.equal(redactedUrl(first.url), redactedUrl(second.url));
		assert.notEqual(primaryKey(first, {ignoredParameters: new Set()}), primaryKey(second, {ignoredParameters: new Set()}));
	}
});

test('whatever the query, no value of a credential is left, and the rest is as it was', () => {
	const parameter = fc.tuple(fc.constantFrom('api_key', 'Token', 'x-amz-signature', 'a', '%73ig', 'q'), fc.constantFrom('=', ''), fc.constantFrom('', 's3cret', 's3cret=1', '%73', 'b'));
	fc.assert(fc.property(fc.array(parameter), parameters => {
		const url = at(parameters.map(parts => parts.join('')).join('&'));
		const shown = redactedUrl(url);
		assert.doesNotMatch(shown, /(?:api_key|token|signature|sig)=s3cret/iv);
		assert.equal(shown.replaceAll(/(?<=[&?](?:api_key|token|x-amz-signature|sig)=)[^&]+/giv, 'x'), normalizeUrl(url).replaceAll(/(?<=[&?](?:api_key|token|x-amz-signature|sig)=)[^&]+/giv, 'x'));
	}));
});

test('a pattern that a credential keeps from any stored URL is told', () => {
	for (const query of ['api_key=1', 'a=1&sig=x*', '*&token=1', 'to*&token=1']) {
		assert.equal(hasCredential(query), true, query);
	}

	for (const query of ['', '*', 'a=1', 'api_key', 'api_key=', 'api_key=*', 'api_key=REDACTED', 'token=RED', 'token=REDACTED*']) {
		assert.equal(hasCredential(query), false, query);
	}
});

test('docs/security.md names all credentials, and none that is none', async () => {
	const page = await readFile(path.resolve(import.meta.dirname, '../../docs/security.md'), 'utf8');
	const [, section = ''] = page.split('### Credentials in URLs', 2);
	const rows = section.split('\n## ', 1)[0]?.split('\n').filter(line => line.startsWith('- ')) ?? [];
	const told = rows.flatMap(row => row.split('`').filter((_, position) => position % 2 === 1));
	for (const name of told) {
		assert.ok(isCredentialName(name), name);
	}

	const letters = new Set(told.map(name => name.toLowerCase().replace(/^x-/v, '').replaceAll(/[^\da-z]/gv, '')));
	assert.deepEqual([...letters].toSorted(), Object.values(credentialsByKind).flatMap(list => list.split(' ')).toSorted());
});
