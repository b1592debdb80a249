import assert from 'node:assert/strict';
import {globSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'node:test';

/*
A sentence of a comment names its subject first: "The response", "Redis", not "What…", "Those that…", "Of which…". A reader who has to look for the subject reads twice.
*/

const source = path.join(import.meta.dirname, '../../source');

const openers = /^(?:None of them|Of (?:an?|the|those|which)|That (?:of|which)|Those|What|Whatever|Which|Who|Whoever|Whose)\b/v;

/** The count only goes down. */
const most = 0;

const commentPattern = /\/\*(?<block>.*?)\*\/|(?:^|\s)\/\/ (?<line>.*?)$/gmsv;

/** What stands in front of the first word of a sentence: a list's dash, a tag of a docstring. */
const lead = /^(?:- )?(?:@returns |@param \S+ - |@throws \{\w+\} )?/v;

const sentencesOf = (text: string): string[] => text.matchAll(commentPattern)
	.flatMap(({groups}) => (groups?.block ?? groups?.line ?? '').split(/(?<=[!.:?])\s+|\n\s*/v))
	.map(sentence => sentence.replace(/^[\s*]+/v, '').replace(lead, ''))
	.toArray();

const sentencesWithoutSubject = (text: string): string[] => sentencesOf(text).filter(sentence => openers.test(sentence));

test('sentences without a subject at their beginning are found', () => {
	assert.deepEqual(sentencesWithoutSubject(`
		/** What the cache keeps. The response is stored. Those that follow are not. */
		// Of an origin, the version.
		/**
		@param key - Whose it is.
		@returns The key of what is stored.
		*/
		const what = 1; // The body
	`), ['What the cache keeps.', 'Those that follow are not.', 'Of an origin, the version.', 'Whose it is.']);
});

test('comments of the source name their subject first', () => {
	const found = globSync('**/*.ts', {cwd: source}).toSorted().flatMap(file => sentencesWithoutSubject(readFileSync(path.join(source, file), 'utf8')).map(sentence => `${file}: ${sentence}`));

	assert.ok(found.length <= most, `${found.length} sentences, at most ${most}; write “The response…”, “Redis…”:\n${found.join('\n')}`);
});
