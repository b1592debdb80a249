import assert from 'node:assert/strict';
import {globSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'node:test';

/*
A sentence of a comment or a page names its subject first: "The response", "Redis", not "What…", "Those that…", "Of which…". A reader who has to look for the subject reads twice.
*/

const root = path.join(import.meta.dirname, '../..');

const openers = /^(?:As (?:many|much)|None of|Of (?:an?|the|those|which)|One that|So (?:many|much)|That (?:of|which)|Those|What|Whatever|Which|Who|Whoever|Whose)\b/v;

const commentPattern = /\/\*(?<block>.*?)\*\/|(?:^|\s)\/\/ (?<line>.*?)$/gmsv;

/** The text in front of the first word of a sentence: a list's dash, a tag of a docstring. */
const lead = /^(?:- )?(?:@returns |@param \S+ - |@throws \{\w+\} )?/v;

const sentencesOf = (text: string): string[] => text.split(/(?<=[!.:?](?:\*\*)?)\s+|\n\s*/v);

/** The sentences that an opener begins. A question may begin with its pronoun. */
const withoutSubject = (sentences: readonly string[]): string[] => sentences.filter(sentence => openers.test(sentence) && !sentence.replace(/\*\*$/v, '').endsWith('?'));

const inComments = (text: string): string[] => withoutSubject(text.matchAll(commentPattern)
	.flatMap(({groups}) => sentencesOf(groups?.block ?? groups?.line ?? ''))
	.map(sentence => sentence.replace(/^[\s*]+/v, '').replace(lead, ''))
	.toArray());

/** The lines of a page that are no code. */
const proseOf = (text: string): string[] => {
	let isCode = false;

	return text.split('\n').filter(line => {
		const isFence = line.trimStart().startsWith('```');
		isCode = isFence ? !isCode : isCode;
		return !isCode && !isFence;
	});
};

/** The marks in front of a sentence of a page: those of headings, lists, quotes and emphasis. */
const marks = /^(?:#{1,6} |[*\-] |\d+\. |> |\*\*|\*|_)+/v;

const inPage = (text: string): string[] => withoutSubject(proseOf(text)
	.flatMap(line => line.replaceAll(/\[(?<label>[^\[\]]*)\]\([^\)]*\)/gv, '$<label>').split(/(?:^|\s)\|(?:\s|$)/v))
	.flatMap(cell => sentencesOf(cell))
	.map(sentence => sentence.trim().replace(marks, '')));

const found = (patterns: readonly string[], read: (text: string) => string[]): string[] =>
	globSync(patterns, {cwd: root}).toSorted().flatMap(file => read(readFileSync(path.join(root, file), 'utf8')).map(sentence => `${file}: ${sentence}`));

test('a comment\'s sentence without a subject at its beginning is found', () => {
	assert.deepEqual(inComments(`
		/** What the cache keeps. The response is stored. Those that follow are not. */
		// Of an origin, the version.
		/**
		@param key - Whose it is.
		@returns The key of what is stored.
		*/
		const what = 1; // The body
	`), ['What the cache keeps.', 'Those that follow are not.', 'Of an origin, the version.', 'Whose it is.']);
});

test('a page\'s sentence without a subject at its beginning is found, questions and code are not', () => {
	assert.deepEqual(inPage([
		'# What it keeps',
		'## What does it keep?',
		'Redis keeps it. [Which of them](a.md) is kept? Those that are fresh.',
		'- **Who asks** is told.',
		'1. Of the others, none.',
		'| What is left | The rest |',
		'```js',
		'// What is code',
		'```',
	].join('\n')), ['What it keeps', 'Those that are fresh.', 'Who asks** is told.', 'Of the others, none.', 'What is left']);
});

test('comments of the source and of the examples name their subject first', () => {
	assert.deepEqual(found(['source/**/*.ts', 'examples/**/*.ts'], inComments), []);
});

test('sentences of the documentation name their subject first', () => {
	assert.deepEqual(found(['*.md', 'docs/**/*.md', 'examples/**/*.md'], inPage), []);
});
