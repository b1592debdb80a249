import type {Command, CommandContext} from '../commands/command.ts';
import {storeFailure, toFailure} from '../commands/failures.ts';
import type {StoreAccess} from '../commands/store-access.ts';
import type {Outcome} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';
import {pad, plain} from '../terminal/text.ts';
import {checkRequests, checkValues, failedWith} from './cache-checks.ts';
import {ok, type Finding, type Verdict} from './check.ts';
import {checkRights} from './rights.ts';
import {checkClock, checkInfo, checkLatency, checkTls, checkTracking, withRight} from './server-checks.ts';
import {connectServer, type Server} from './server.ts';

const addressOf = (url: string): string => url.replace(/(?<=\/\/)[^\/]*@/v, '');

/** Sends commands for a key to the node that has it. */
const keyedSender = async (server: Server, store: StoreAccess): Promise<Pick<Server, 'send'> & {readonly close: () => void}> => {
	if (!store.isCluster) {
		return {
			send: server.send,
			close() {}, // eslint-disable-line @typescript-eslint/no-empty-function -- The server is closed by itself.
		};
	}

	const cluster = store.openCluster();
	await cluster.connect();

	return {
		send: async (...arguments_) => cluster.sendCommand(arguments_.find(argument => argument.startsWith(`${store.namespace}:`)), false, [...arguments_]),
		close() {
			cluster.destroy();
		},
	};
};

const examine = async function * (server: Server, store: StoreAccess): AsyncGenerator<Finding> {
	const cache = store.open();
	yield * await checkInfo(server);
	yield checkTls(store.url);
	const keyed = await keyedSender(server, store);
	try {
		yield * await checkRights(server, keyed, store.namespace);
	} finally {
		keyed.close();
	}

	if (!store.isCluster) {
		yield await checkTracking(store.url);
	}

	yield await withRight('latency', 'ping', async () => checkLatency(server));
	yield await withRight('clock', 'time', async () => checkClock(server));
	yield await checkRequests(cache);
	yield await checkValues(cache, store);
};

/** Why no connection could be made, in the words of the library. */
const whyNoConnection = async (store: StoreAccess, error: unknown): Promise<{readonly finding: Finding; readonly outcome: Outcome}> => {
	try {
		await store.open().ready();
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

const write = async ({name, verdict, detail, advice}: Finding, output: Output): Promise<void> => {
	const [text, style] = symbols[verdict];
	await output.line(`${output.style(style, pad(text, 7))}  ${output.style('bold', pad(name, 11))}  ${plain(detail)}`);
	if (advice !== undefined) {
		await output.line(`${' '.repeat(22)}${plain(advice)}.`);
	}
};

const run = async ({output, store}: CommandContext): Promise<Outcome> => {
	const findings: Finding[] = [];
	const tell = async (finding: Finding): Promise<void> => {
		findings.push(finding);
		if (!output.isJson) {
			await write(finding, output);
		}
	};

	const diagnose = async (): Promise<Outcome> => {
		let server: Server;
		try {
			server = await connectServer(store);
		} catch (error) {
			const {finding, outcome} = await whyNoConnection(store, error);
			await tell(finding);
			return outcome;
		}

		try {
			await tell(ok('connection', `${addressOf(store.url)}, in ${server.connectMs.toFixed(0)} ms`));
			for await (const finding of examine(server, store)) {
				await tell(finding);
			}
		} finally {
			server.close();
		}

		if (findings.every(({verdict}) => verdict !== 'failed')) {
			return 'done';
		}

		return findings.some(({name, verdict}) => name === 'rights' && verdict === 'failed') ? 'refused' : 'incomplete';
	};

	const outcome = await diagnose();
	if (output.isJson) {
		const verdicts = new Set(findings.map(({verdict}) => verdict));
		await output.json({store: addressOf(store.url), namespace: store.namespace, verdict: (['failed', 'warning'] as const).find(verdict => verdicts.has(verdict)) ?? 'ok', checks: findings});
	}

	return outcome;
};

export const doctor: Command = {
	name: 'doctor',
	summary: 'check the connection, the server, permissions and settings',
	usage: '[options]',
	arguments: [0, 0],
	options: {},
	details: 'Each line has a verdict and, unless all is well, what to do. Commands are tried on a key of the doctor\'s own, which it removes.',
	examples: [
		['the Redis on this machine', 'got-redis-cache doctor'],
		['another one, for a monitor', 'got-redis-cache doctor --store rediss://cache.example.com --json'],
	],
	run,
};
