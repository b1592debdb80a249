import type {Hit} from '../got/state/hits.ts';
import {redactedUrl} from '../http/credentials.ts';
import {requestDirectives} from '../http/directives.ts';
import {headersOf} from '../http/header-fields.ts';
import {isSafe} from '../http/invalidation.ts';
import {askAgain, type Ask} from './ask.ts';
import {differencesOf, type AuditedResponse, type ComparisonRules} from './compare.ts';
import {diagnose, type AuditCause, type Diagnosis} from './diagnose.ts';
import type {AuditSettings} from './options.ts';
import {createQueue} from './queue.ts';
import {reportOf, type WrongAnswer} from './report.ts';
import {suspectsOf} from './suspects.ts';

/**
The result of an audit so far, as plain data.

New properties may be added in a minor version.
*/
export type AuditStats = {
	/** The hits that could be compared with the origin's response. */
	readonly audited: number;
	/** The hits whose answer the origin would not have given. */
	readonly wrong: number;
	/** `wrong / audited`; 0 if nothing was audited. */
	readonly rate: number;
	/** The wrong answers by their likeliest cause. */
	readonly byCause: Readonly<Record<AuditCause, number>>;
	/** The hits that could not be compared, because the origin gives something else at each request. */
	readonly unstable: number;
	/** The hits that could not be compared, because the origin failed: no response, 429, or a status code from 500 on. */
	readonly failed: number;
	/** The hits that were chosen, and passed over because too many were waiting. */
	readonly skipped: number;
};

/** Where an audit tells what it finds. */
export type AuditOutput = {
	wrong(report: WrongAnswer): void;
	failed(error: Error): void;
};

export type Auditor = {
	/** Receives each hit. */
	onHit(hit: Hit): void;
	stats(): AuditStats;
	whenIdle(): Promise<void>;
	/** Ends what is under way. */
	close(): void;
};

/** Whether a hit says what the origin would say now: it is fresh and whole, and the origin may be asked. */
const isComparable = ({exchange, stored}: Hit): boolean => {
	const {decision, request, settings} = exchange;
	const isFresh = decision.kind === 'reuse' && (decision.reason === 'fresh' || decision.reason === 'immutable');

	const mayAsk = settings.http.originSwitch === undefined && settings.http.mode !== 'only-if-cached' && !requestDirectives(request.headers).has('only-if-cached');

	return isFresh && isSafe(request.method) && stored.range === undefined && mayAsk;
};

const hasFailed = ({statusCode}: AuditedResponse, stored: AuditedResponse): boolean => statusCode !== stored.statusCode && (statusCode >= 500 || statusCode === 429 || statusCode === 408);

const noBody = new Uint8Array();

/** The stored response, as the origin would give it. */
const storedResponse = ({exchange, stored}: Hit): AuditedResponse => ({
	statusCode: stored.statusCode,
	headers: headersOf(stored.rawHeaders),
	body: exchange.request.method === 'HEAD' ? noBody : stored.body,
});

/** Compares a hit with what the origin says now. */
const judge = async (hit: Hit, ask: Ask, rules: ComparisonRules): Promise<Diagnosis> => {
	const stored = storedResponse(hit);
	const suspects = suspectsOf(hit);
	const askOrFail: Ask = async change => {
		const response = await ask(change);
		if (hasFailed(response, stored)) {
			throw new Error(`the origin answered ${response.statusCode}`);
		}

		return response;
	};

	const current = await askOrFail();
	const differences = differencesOf(stored, current, rules);

	return differences.size === 0 ? {kind: 'right'} : diagnose({url: hit.exchange.request.url, stored, suspects, ask: askOrFail, rules}, current, differences);
};

/**
@param random - Returns a number from 0 to 1, exclusive, that decides about each hit.
*/
export const createAuditor = ({share, concurrency, comparison}: AuditSettings, output: AuditOutput, random: () => number): Auditor => {
	const counts = {audited: 0, wrong: 0, unstable: 0, failed: 0, skipped: 0};
	const byCause: Record<AuditCause, number> = {vary: 0, credentials: 0, parameter: 0, lifetime: 0, unknown: 0};
	const abort = new AbortController();
	const queue = createQueue(concurrency);

	const count = (hit: Hit, diagnosis: Diagnosis, atMs: number): void => {
		if (diagnosis.kind === 'unstable') {
			counts.unstable++;
			return;
		}

		counts.audited++;
		if (diagnosis.kind === 'right') {
			return;
		}

		counts.wrong++;
		byCause[diagnosis.cause]++;
		output.wrong(reportOf(hit, diagnosis, atMs));
	};

	const auditHit = async (hit: Hit, ask: Ask, atMs: number): Promise<void> => {
		try {
			count(hit, await judge(hit, ask, comparison), atMs);
		} catch (error) {
			if (abort.signal.aborted) {
				return;
			}

			counts.failed++;
			const {request, settings: {http}} = hit.exchange;
			output.failed(
				new Error(
					`got-redis-cache: A hit could not be audited, ${request.method} ${redactedUrl(request.url, http.ignoredParameters)}: ${error instanceof Error ? error.message : String(error)}`,
					{cause: error},
				),
			);
		}
	};

	return {
		onHit(hit) {
			if (random() >= share || !isComparable(hit)) {
				return;
			}

			if (queue.isFull) {
				counts.skipped++;
				return;
			}

			const ask = askAgain(hit, abort.signal);
			const atMs = Date.now();
			queue.add(async () => auditHit(hit, ask, atMs), hit.stored.body.byteLength);
		},
		stats: () => ({...counts, rate: counts.audited === 0 ? 0 : counts.wrong / counts.audited, byCause: {...byCause}}),
		whenIdle: async () => queue.whenIdle(),
		close() {
			queue.clear();
			abort.abort();
		},
	};
};
