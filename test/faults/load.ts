import {setTimeout as wait} from 'node:timers/promises';
import type {Got, Response} from 'got';
import {cacheInfo} from '../../source/index.ts';
import {garbage, type Question, type Resources} from './resources.ts';
import {stalledMs} from './stalls.ts';

export type Subject = {
	readonly name: string;
	readonly client: Got;
};

/** What became of the requests of a load. */
export type Tally = {
	requests: number;
	hits: number;
	/** What failed that plain got was spared. */
	failures: string[];
	wrong: string[];
	/** The longest that an answer with the cache took beyond plain got's to the same question at the same time, of the time that the process did not stand still. */
	longestAddedMs: number;
	/** The longest that plain got took for an answer, whatever it had to wait for. */
	longestPlainMs: number;
	/** Of each error that plain got met. */
	readonly plainErrors: Set<string>;
	readonly cachedErrors: Array<{readonly kind: string; readonly told: string}>;
};

export const createTally = (): Tally => ({
	requests: 0,
	hits: 0,
	failures: [],
	wrong: [],
	longestAddedMs: 0,
	longestPlainMs: 0,
	plainErrors: new Set(),
	cachedErrors: [],
});

type Answer = {readonly body: string; readonly isStale: boolean; readonly isHit: boolean};

type Result = {
	readonly tookMs: number;
	/** Of it, how long the process stood still. */
	readonly stalledMs: number;
	readonly answer?: Answer;
	readonly error?: unknown;
};

const answerOf = (response: Response, body: string): Answer => {
	const status = cacheInfo(response)?.status;
	return {body, isStale: status === 'stale', isHit: status === 'hit'};
};

const askPromise = async (client: Got, {method, path, headers}: Question): Promise<Answer> => {
	const response = await client(path.slice(1), {method, headers});
	return answerOf(response, response.body);
};

const askStream = async (client: Got, {path, headers}: Question): Promise<Answer> => {
	const stream = client.stream(path.slice(1), {headers});
	let response: Response | undefined;
	stream.once('response', (given: Response) => {
		response = given;
	});
	let body = '';
	stream.setEncoding('utf8');
	for await (const chunk of stream) {
		body += String(chunk);
	}

	if (!response) {
		throw new Error('The stream ended without a response');
	}

	return answerOf(response, body);
};

const timed = async (ask: () => Promise<Answer>): Promise<Result> => {
	const startedMs = performance.now();
	const times = () => {
		const endedMs = performance.now();
		return {tookMs: endedMs - startedMs, stalledMs: stalledMs(startedMs, endedMs)};
	};

	try {
		const answer = await ask();
		return {...times(), answer};
	} catch (error) {
		return {...times(), error};
	}
};

const kindOf = (error: unknown): string => `${(error as Error).name} ${String((error as NodeJS.ErrnoException).code)}`;

export type Load = {
	/** Counts in another tally from now on. */
	tally: Tally;
	stop(): Promise<void>;
};

/**
A steady load of requests with known right answers, each subject by so many workers. Every third question is asked with plain got at the same moment.
*/
export const startLoad = (resources: Resources, plain: Got, subjects: readonly Subject[], {workers, pauseMs}: {readonly workers: number; readonly pauseMs: number}): Load => {
	const stopping = new AbortController();

	const judge = (tally: Tally, question: Question, {answer, error}: Result) => {
		if (!answer) {
			tally.cachedErrors.push({kind: kindOf(error), told: `${question.method} ${question.path}: ${String((error as Error).stack)}`});
			return;
		}

		if (question.method === 'POST') {
			resources.changed(question.path);
			return;
		}

		tally.hits += Number(answer.isHit);
		const wrong = resources.check(question, answer.body, answer.isStale);
		if (wrong !== undefined) {
			tally.wrong.push(wrong);
		}
	};

	const work = async ({name, client}: Subject) => {
		for (let count = 0; !stopping.signal.aborted; count++) {
			const {tally} = load;
			const question = resources.ask(name);
			const ask = question.method === 'GET' && Math.random() < 0.15 ? askStream : askPromise;
			const isCompared = count % 3 === 0;
			const [cached, compared] = await Promise.all([
				timed(async () => ask(client, question)),
				isCompared ? timed(async () => ask(plain, question)) : undefined,
			]);
			tally.requests++;
			judge(tally, question, cached);
			if (compared?.error) {
				tally.plainErrors.add(kindOf(compared.error));
			}

			if (compared?.answer && cached.answer) {
				tally.longestAddedMs = Math.max(tally.longestAddedMs, (cached.tookMs - cached.stalledMs) - (compared.tookMs - compared.stalledMs));
				tally.longestPlainMs = Math.max(tally.longestPlainMs, compared.tookMs);
			}

			await wait(pauseMs * (0.5 + Math.random()));
		}
	};

	const load: Load = {
		tally: createTally(),
		async stop() {
			stopping.abort();
			await working;
		},
	};
	const working = Promise.all(subjects.flatMap(subject => Array.from({length: workers}, async () => work(subject))));
	return load;
};

/** The errors that an origin as it is now has in store for anyone. */
export const learnErrors = async (plain: Got, {plainErrors}: Tally): Promise<void> => {
	for (const position of garbage.keys()) {
		try {
			await plain(`garbage/${position}`);
		} catch (error) {
			plainErrors.add(kindOf(error));
		}
	}
};

/** What of the errors is the cache's doing: plain got met none of that kind. */
export const failuresOf = ({cachedErrors, plainErrors}: Tally): string[] => cachedErrors.filter(({kind}) => !plainErrors.has(kind)).map(({told}) => told);
