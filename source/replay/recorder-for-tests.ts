import {createHash} from 'node:crypto';
import path from 'node:path';
import {slug} from '../fixtures/file-name.ts';
import {describe} from '../options/validate.ts';
import {resolveReplayOptions, type ReplayOptions} from './options.ts';
import {Recorder} from './recorder.ts';

/** The context of a test in node:test. */
type NodeTest = {
	readonly name: string;
	readonly fullName?: string;
	readonly filePath?: string | undefined;
	readonly after?: (teardown: () => void) => void;
};

type VitestSuite = {
	readonly name: string;
	readonly suite?: VitestSuite | undefined;
};

/** The context of a test in Vitest. */
type VitestTest = {
	readonly task: VitestSuite & {readonly file: {readonly filepath: string}};
	readonly onTestFinished?: (teardown: () => void) => void;
};

/** The part of Jest's `expect` that knows the test. */
type JestExpect = {
	readonly getState: () => {readonly currentTestName?: string | undefined; readonly testPath?: string | undefined};
};

/** A test that a recorder is for: the context that node:test or Vitest gives it, or Jest's `expect`. */
export type TestOfRunner = NodeTest | VitestTest | JestExpect;

type CurrentTest = {
	readonly name: string;
	readonly file: string;
	readonly afterwards: ((teardown: () => void) => void) | undefined;
};

/** The names of a test and its suites; the file itself is a suite without a name, or with that of the file. */
const namesOf = ({name, suite}: VitestSuite): string[] => [...suite ? namesOf(suite) : [], name];

const currentTest = (test: TestOfRunner): CurrentTest | undefined => {
	if (test === null || (typeof test !== 'object' && typeof test !== 'function')) {
		return undefined;
	}

	if ('task' in test) {
		const {task, onTestFinished} = test;
		return {name: namesOf(task).filter(name => name !== '').join(' '), file: task.file.filepath, afterwards: onTestFinished};
	}

	if ('getState' in test) {
		const {currentTestName, testPath} = test.getState();
		return currentTestName === undefined || testPath === undefined ? undefined : {name: currentTestName.replaceAll(' > ', ' '), file: testPath, afterwards: undefined};
	}

	const {name, fullName = name, filePath} = test;
	return typeof name !== 'string' || filePath === undefined
		? undefined
		: {
			name: fullName.replaceAll(' > ', ' '),
			file: filePath,
			afterwards: test.after && (teardown => {
				test.after?.(teardown);
			}),
		};
};

/** The name of a folder for a test; with a hash where letters were lost, since another test may have the same ones. */
const folderName = (name: string): string => {
	const readable = slug(name);

	return readable === name.replaceAll(' ', '-') ? readable : `${readable}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
};

/**
Makes a recorder for one test, with a folder of its own that is named after the test: `fixtures/{test file}/{test}` beside the test's file.

In the mode `'record'`, recordings that the test no longer makes are removed when it ends. Jest tells nobody of the end: call `removeUnused()` there.

@param test - The context that node:test or Vitest gives the test, or Jest's `expect`.
@param options - Options of `replay()`. The `folder` takes the place of `fixtures`.
@returns A recorder for `got.extend()`.
@throws {TypeError} If `test` is none of these, or not within a test, or an option is not valid.

@example
```
import test from 'node:test';
import got from 'got';
import {replayForTest} from 'got-redis-cache/replay';

test('lists items', async t => {
	const client = got.extend(replayForTest(t, {mode: 'auto'}));
	await client('https://api.example.com/items');
});
```
*/
export const replayForTest = (test: TestOfRunner, options: Partial<ReplayOptions> = {}): Recorder => {
	const current = currentTest(test);
	if (!current) {
		throw new TypeError(`Expected the context of a test in replayForTest(), as node:test and Vitest give it, or the \`expect\` of Jest within a test, got ${describe(test)}`);
	}

	const {name, file, afterwards} = current;
	const {folder: root = path.join(path.dirname(file), 'fixtures')} = options;
	const folder = path.join(root, slug(path.basename(file).replace(/\.(?:test|spec)?\.?[cm]?[jt]sx?$/v, '')), folderName(name));
	const settings = resolveReplayOptions({...options, folder}, 'replayForTest()');
	const recorder = new Recorder(settings);
	if (settings.mode === 'record') {
		afterwards?.(() => {
			recorder.removeUnused();
		});
	}

	return recorder;
};
