import type {RedisCache, RedisCacheReadiness} from '../../index.ts';
import type {CommandContext} from '../commands/command.ts';
import {storeFailure, toFailure} from '../commands/failures.ts';
import {connectForKeys, connectServer, type Server} from '../commands/server.ts';
import type {StoreAccess} from '../commands/store-access.ts';
import type {Outcome} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';
import {pad, plain, wrapIndented} from '../terminal/text.ts';
import {checkRequests, checkValues, failedWith} from './cache-checks.ts';
import {failed, ok, type Finding, type Verdict} from './check.ts';
import {examineFile} from './file-checks.ts';
import {checkRights} from './rights.ts';
import {checkClock, checkInfo, checkLatency, checkTls, checkTracking, withRight} from './server-checks.ts';

/** The cache, and whether it can do what a request does: begun while the doctor connects, so that a store that hangs is waited for once. */
type Asked = {
	readonly cache: RedisCache;
	readonly readiness: Promise<RedisCacheReadiness>;
};

const askCache = (store: StoreAccess): Asked => {
	const cache = store.open();
	const readiness = cache.ready();
	// It may fail before anybody looks at it.
	readiness.catch(() => undefined);
	return {cache, readiness};
};

const examine = async function * (server: Server, store: StoreAccess, {cache, readiness}: Asked): AsyncGenerator<Finding> {
	yield * await checkInfo(server);
	yield checkTls(store.url);
	const keyed = await connectForKeys(store);
	try {
		yield * await checkRights(server, keyed, store.namespace);
	} finally {
		keyed.close();
	}

	if (!store.isCluster) {
		yield await checkTracking(store);
	}

	yield await withRight('latency', 'ping', async () => checkLatency(server));
	yield await withRight('clock', 'time', async () => checkClock(server));
	yield await checkRequests(readiness);
	yield await checkValues(cache, store);
};

/** Why no connection could be made, in the words of the library. */
const whyNoConnection = async ({readiness}: Asked, error: unknown): Promise<{readonly finding: Finding; readonly outcome: Outcome}> => {
	try {
		await readiness;
	} catch (error_) {
		return {finding: failedWith('connection', error_), outcome: toFailure(error_)?.outcome ?? 'unreachable'};
	}

	return {finding: failedWith('connection', error), outcome: error instanceof Error ? storeFailure(error).outcome : 'unreachable'};
};

const symbols: Readonly<Record<Verdict, readonly [text: string, style: Parameters<Output['style']>[0]]>> = {
	ok: ['ok', 'green'],
	warning: ['warning', 'yellow'],
	failed: ['FAILED', 'red'],
};

/** Where details begin. */
const indent = 22;

const write = async ({name, verdict, detail, advice}: Finding, output: Output): Promise<void> => {
	const [text, style] = symbols[verdict];
	const lines = wrapIndented(`${' '.repeat(indent)}${plain(detail)}`, output.columns, indent);
	await output.line(`${output.style(style, pad(text, 7))}  ${output.style('bold', pad(name, 11))}  ${lines.trimStart()}`);
	if (advice !== undefined) {
		await output.line(wrapIndented(`${' '.repeat(indent)}${plain(advice).replace(/(?<![.?])$/v, '.')}`, output.columns, indent));
	}
};

export const run = async ({output, store}: CommandContext): Promise<Outcome> => {
	const findings: Finding[] = [];
	const tell = async (finding: Finding): Promise<void> => {
		findings.push(finding);
		if (!output.isJson) {
			await write(finding, output);
		}
	};

	const diagnoseFile = async (file: string): Promise<Outcome> => {
		for await (const finding of examineFile(file, store)) {
			await tell(finding);
		}

		return findings.every(({verdict}) => verdict !== 'failed') ? 'done' : 'incomplete';
	};

	const diagnose = async (): Promise<Outcome> => {
		const asked = askCache(store);
		let server: Server;
		try {
			server = await connectServer(store);
		} catch (error) {
			const {finding, outcome} = await whyNoConnection(asked, error);
			await tell(finding);
			return outcome;
		}

		try {
			await tell(ok('connection', `${store.address}, in ${server.connectMs.toFixed(0)} ms`));
			for await (const finding of examine(server, store, asked)) {
				await tell(finding);
			}
		} catch (error) {
			await tell(failed('connection', `it was lost: ${error instanceof Error ? error.message : String(error)}`, 'See whether Redis is overloaded or restarting, and run the doctor again'));
			return 'unreachable';
		} finally {
			server.close();
		}

		if (findings.every(({verdict}) => verdict !== 'failed')) {
			return 'done';
		}

		return findings.some(({name, verdict}) => name === 'rights' && verdict === 'failed') ? 'refused' : 'incomplete';
	};

	const outcome = await (store.file === undefined ? diagnose() : diagnoseFile(store.file));
	if (output.isJson) {
		const verdicts = new Set(findings.map(({verdict}) => verdict));
		await output.json({store: store.address, namespace: store.namespace, verdict: (['failed', 'warning'] as const).find(verdict => verdicts.has(verdict)) ?? 'ok', checks: findings});
	}

	return outcome;
};
