/**
The public cache test suite, http-cache-tests, as data and two functions: its tests are run by its own client and scored by its own rules.
*/
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {registerHooks} from 'node:module';
import path from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

export type Kind = 'required' | 'optimal' | 'check';

export const kinds: readonly Kind[] = ['required', 'optimal', 'check'];

export type SuiteTest = {
	readonly id: string;
	readonly name: string;
	readonly kind: Kind;
	readonly group: string;
	readonly dependsOn: readonly string[];
};

/** What the suite says of one test: `true`, or the name and the message of the error it failed with. */
export type RawResult = true | readonly [name: string, message: string];

export type RawResults = Readonly<Record<string, RawResult>>;

/** The suite's own classes of results: `setup` and `dependency` mean that the test itself could not be judged. */
export type Verdict = 'untested' | 'pass' | 'fail' | 'yes' | 'no' | 'setup' | 'harness' | 'dependency' | 'retry';

/** The suite asks private caches something else than shared ones: it knows them as browsers. */
export type Audience = 'shared' | 'private';

/** The results that another cache's run of the suite published. */
export type Published = {
	readonly name: string;
	readonly version: string;
	readonly audience: Audience;
	readonly results: RawResults;
};

/** As much of a `Response` as the suite reads. The real one refuses status 999, which the suite's server sends. */
export type SuiteResponse = {
	readonly status: number;
	readonly statusText: string;
	readonly headers: Headers;
	text(): Promise<string>;
};

export type SuiteRequest = {
	readonly method?: string;
	readonly headers?: Array<[string, string]>;
	readonly body?: string;
	readonly redirect?: 'follow' | 'manual';
	readonly signal?: AbortSignal;

	/** An undici interceptor that collects interim responses. */
	readonly dispatcher?: Interceptor;

	/** `no-store` is for browsers alone: the suite keeps them from adding fields. */
	readonly cache?: 'no-store' | 'no-cache';
};

export type SuiteFetch = (url: string, init?: SuiteRequest) => Promise<SuiteResponse>;

type Dispatch<Handler> = (options: unknown, handler: Handler) => void;

type Interceptor = (dispatch: Dispatch<InterimHandler>) => Dispatch<Record<string, unknown>>;

type InterimHandler = {
	onResponseStart(controller: undefined, statusCode: number, headers: Record<string, unknown>): void;
};

export type Suite = {
	/** Names the version in the report and in the baseline. */
	readonly version: string;
	readonly serverFile: string;

	readonly tests: Readonly<Record<Audience, readonly SuiteTest[]>>;
	readonly published: readonly Published[];
	judge(id: string, results: RawResults): Verdict;

	/** Once per process: the suite keeps its results in the module. */
	run(fetch: SuiteFetch, options: RunOptions): Promise<RawResults>;
};

export type RunOptions = {
	readonly baseUrl: string;
	readonly audience: Audience;

	/** Run these tests alone. */
	readonly testIds?: readonly string[];

	/** Print what is sent and received. */
	readonly isVerbose: boolean;
};

type DefinedTest = {
	id: string;
	name: string;
	kind?: Kind;
	browser_only?: boolean;
	browser_skip?: boolean;
	cdn_only?: boolean;
	depends_on?: string[];
	dump?: boolean;
};

type DefinedGroup = {name: string; tests: DefinedTest[]};

export const installedSuite = fileURLToPath(new URL('../../node_modules/http-cache-tests', import.meta.url));

/**
Tests that run at the same time. Each waits for seconds and works for milliseconds, but those that measure seconds fail on a machine that is kept too busy.
*/
const concurrentTests = 75;

/** The symbols are what the suite's current and its published version share. */
const verdicts: Readonly<Record<string, Verdict>> = {
	'-': 'untested',
	'✅': 'pass',
	'⛔️': 'fail',
	'⚠️': 'fail',
	Y: 'yes',
	N: 'no',
	'🔹': 'setup',
	'⁉️': 'harness',
	'⚪️': 'dependency',
	'↻': 'retry',
};

/**
Loads the suite from the directory of its npm package or of a checkout of its repository, which has since moved on and lies differently.
*/
export const loadSuite = async (directory: string): Promise<Suite> => {
	const isCheckout = existsSync(path.join(directory, 'test-engine'));
	const engine = path.join(directory, isCheckout ? 'test-engine' : '');
	const load = async (...segments: string[]): Promise<any> => import(pathToFileURL(path.join(...segments)).href);

	const {default: groups} = await load(directory, 'tests/index.mjs') as {default: DefinedGroup[]};
	const {determineTestResult} = await load(engine, isCheckout ? 'lib/results.mjs' : 'lib/display.mjs') as {
		determineTestResult: (groups: DefinedGroup[], id: string, results: RawResults) => readonly [string, string, string];
	};
	const {default: index} = await load(directory, 'results/index.mjs') as {default: Array<Pick<Published, 'name' | 'version'> & {file: string; type: string}>};

	const testsFor = (audience: Audience): SuiteTest[] => groups.flatMap(group => group.tests
		.filter(test => audience === 'private' ? !test.browser_skip && !test.cdn_only : !test.browser_only)
		.map(({id, name, kind = 'required', depends_on: dependsOn = []}) => ({
			id,
			name,
			kind,
			group: group.name,
			dependsOn,
		})));

	const published = index.map(({file, name, version, type}) => ({
		name,
		version,
		audience: type === 'browser' ? 'private' as const : 'shared' as const,
		results: JSON.parse(readFileSync(path.join(directory, 'results', file), 'utf8')) as RawResults,
	}));

	const run = async (fetch: SuiteFetch, {baseUrl, audience, testIds, isVerbose}: RunOptions): Promise<RawResults> => {
		const chosen = groups.map(group => ({
			...group,
			tests: group.tests.filter(({id}) => testIds?.includes(id) ?? true).map(test => ({...test, dump: isVerbose})),
		}));
		withoutUndici();
		const {runTests, getResults} = await load(engine, 'client/runner.mjs') as {
			runTests: (...options: unknown[]) => Promise<void>;
			getResults: () => RawResults;
		};

		const isBrowser = audience === 'private';
		if (isCheckout) {
			Object.assign(globalThis, {fetch});
			await runTests(chosen, isBrowser, baseUrl, concurrentTests);
		} else {
			await runTests(chosen, fetch, isBrowser, baseUrl, concurrentTests);
		}

		return getResults();
	};

	return {
		version: versionOf(directory, isCheckout),
		serverFile: path.join(engine, 'server/server.mjs'),
		tests: {shared: testsFor('shared'), private: testsFor('private')},
		published,
		judge: (id, results) => verdicts[determineTestResult(groups, id, results)[2]] ?? 'harness',
		run,
	};
};

export const hasPassed = (verdict: Verdict): boolean => verdict === 'pass' || verdict === 'yes';

/**
Hands an interim response to the suite, which collects them with an undici interceptor.
*/
export const reportInterimResponse = (dispatcher: Interceptor | undefined, statusCode: number, headers: Record<string, unknown>) => {
	dispatcher?.((_options, handler) => {
		handler.onResponseStart(undefined, statusCode, headers);
	})({}, {});
};

/** The suite needs undici for `new Agent().compose(interceptor)` alone; here that gives the interceptor, for a client of any kind to call. */
const withoutUndici = () => {
	const source = 'export class Agent { compose(interceptor) { return interceptor; } }';
	registerHooks({
		resolve: (specifier, context, next) => specifier === 'undici' && context.parentURL?.endsWith('/client/test.mjs')
			? {url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true}
			: next(specifier, context),
	});
};

const versionOf = (directory: string, isCheckout: boolean): string => {
	if (isCheckout && existsSync(path.join(directory, '.git'))) {
		return execFileSync('git', ['-C', directory, 'log', '-1', '--format=%cs, commit %h'], {encoding: 'utf8'}).trim();
	}

	const {version} = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as {version: string};
	return `npm ${version}`;
};
