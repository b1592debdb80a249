import {randomBytes} from 'node:crypto';
import {ErrorReply} from '@redis/client';
import {isForbidden, type Server} from '../commands/server.ts';
import {failed, ok, warning, type Finding} from './check.ts';

/*
The commands that a cache sends, each tried on a key of the doctor's own. docs/security.md says what each is needed for.
*/

type Trial = {
	/** The command as in an ACL. */
	readonly right: string;
	readonly arguments: (key: string) => readonly string[];
	readonly without: string;
	/** Whether nothing works without it. */
	readonly isNeeded?: boolean;
};

/** A key that a doctor leaves behind, because it was killed, is gone after so long. */
const lifeMs = '30000';

/** The order matters: each finds the key as the former ones have left it. */
const trials: readonly Trial[] = [
	{right: 'set', arguments: key => ['SET', key, 'doctor', 'PX', lifeMs], without: 'nothing is stored', isNeeded: true},
	{right: 'get', arguments: key => ['GET', key], without: 'nothing is found', isNeeded: true},
	{right: 'mget', arguments: key => ['MGET', key], without: 'nothing is found', isNeeded: true},
	{right: 'eval', arguments: key => ['EVAL', 'return redis.call(\'GET\', KEYS[1])', '1', key], without: 'nothing is stored, and purges by URL are not confirmed', isNeeded: true},
	{right: 'evalsha', arguments: key => ['EVALSHA', '0'.repeat(40), '1', key], without: 'each script is sent whole, which is slower'},
	{right: 'pttl', arguments: key => ['PTTL', key], without: 'purges are not confirmed'},
	{right: 'persist', arguments: key => ['PERSIST', key], without: 'responses that are kept for ever may be lost early'},
	{right: 'pexpire', arguments: key => ['PEXPIRE', key, lifeMs], without: 'what tells of purges may be lost early'},
	{right: 'strlen', arguments: key => ['STRLEN', key], without: 'the second variant of a URL is not stored'},
	{right: 'getrange', arguments: key => ['GETRANGE', key, '0', '1'], without: 'nothing can be listed, and the second variant of a URL is not stored'},
	{right: 'setrange', arguments: key => ['SETRANGE', key, '0', 'd'], without: 'a 304 writes the whole response anew'},
	{right: 'unlink', arguments: key => ['UNLINK', key], without: 'purges by URL and prefix are not confirmed', isNeeded: true},
	{right: 'hset', arguments: key => ['HSET', key, '0', 'doctor'], without: 'long bodies are not stored'},
	{right: 'hget', arguments: key => ['HGET', key, '0'], without: 'long bodies are not read'},
	{right: 'hlen', arguments: key => ['HLEN', key], without: 'long bodies are not read'},
	{right: 'rename', arguments: key => ['RENAME', key, key], without: 'long bodies are not stored'},
	{right: 'hincrby', arguments: key => ['HINCRBY', key, 'doctor', '1'], without: 'requests are missing in the statistics of the fleet'},
	{right: 'hgetall', arguments: key => ['HGETALL', key], without: 'there are no statistics of the fleet'},
	{right: 'unlink', arguments: key => ['UNLINK', key], without: 'purges by URL and prefix are not confirmed', isNeeded: true},
	{right: 'zincrby', arguments: key => ['ZINCRBY', key, '1', 'doctor'], without: 'the hottest URLs are missing in the statistics of the fleet'},
	{right: 'zremrangebyrank', arguments: key => ['ZREMRANGEBYRANK', key, '0', '-1001'], without: 'the hottest URLs are missing in the statistics of the fleet'},
	{right: 'zrange', arguments: key => ['ZRANGE', key, '0', '-1'], without: 'there are no statistics of the fleet'},
	{right: 'scan', arguments: key => ['SCAN', '0', 'MATCH', key, 'COUNT', '1'], without: 'there are no lists, and no purges by prefix, pattern and age'},
	{right: 'info', arguments: () => ['INFO', 'replication'], without: 'after each connection, the purges of the last ten minutes are sent again'},
	{right: 'wait', arguments: () => ['WAIT', '0', '1'], without: '`waitForReplicas` confirms no purge'},
];

/** The commands, as in an ACL. */
export const triedRights: ReadonlySet<string> = new Set(trials.map(({right}) => right));

type Refusal = Pick<Trial, 'right' | 'without' | 'isNeeded'>;

const tryOne = async (server: Pick<Server, 'send'>, {right, arguments: argumentsFor, without, isNeeded}: Trial, key: string): Promise<Refusal | undefined> => {
	try {
		await server.send(...argumentsFor(key));
		return undefined;
	} catch (error) {
		if (!(error instanceof ErrorReply)) {
			throw error;
		}

		return isForbidden(error) ? {right, without, isNeeded} : undefined;
	}
};

const tryToClean = async ({send}: Pick<Server, 'send'>, key: string): Promise<void> => {
	try {
		await send('UNLINK', key);
	} catch {
		// The key expires by itself.
	}
};

const isKeyRefused = async ({send}: Pick<Server, 'send'>, key: string): Promise<boolean> => {
	try {
		await send('GET', key);
		return false;
	} catch (error) {
		return error instanceof Error && /permissions to access/iv.test(error.message);
	}
};

const whoAmI = async ({send}: Server): Promise<string> => {
	try {
		return String(await send('ACL', 'WHOAMI'));
	} catch {
		// Redis 5, or a user who may not ask.
		return '<user>';
	}
};

/**
Tries each command that a cache sends.

@param keyed - Sends a command for a key, in a cluster to the node that has it.
*/
export const checkRights = async (server: Server, keyed: Pick<Server, 'send'>, namespace: string): Promise<Finding[]> => {
	const key = `${namespace}:{doctor ${randomBytes(6).toString('base64url')}}`;
	const user = await whoAmI(server);
	if (await isKeyRefused(keyed, key)) {
		return [failed('rights', `the user ${user} may not use the keys of the namespace`, `Grant them: ACL SETUSER ${user} ~${namespace}:*`)];
	}

	const refusals = new Map<string, Refusal>();
	for (const trial of trials) {
		// eslint-disable-next-line no-await-in-loop -- one finds what the other has left
		const refusal = await tryOne(keyed, trial, key);
		if (refusal) {
			refusals.set(refusal.right, refusal);
		}
	}

	await tryToClean(keyed, key);
	if (refusals.size === 0) {
		return [ok('rights', `all ${triedRights.size} commands, as the user ${user}`)];
	}

	return refusals
		.values()
		.map(({right, without, isNeeded}) =>
			(isNeeded ? failed : warning)('rights', `${user} may not run ${right.toUpperCase()}: ${without}`, `Grant it: ACL SETUSER ${user} +${right}`),
		)
		.toArray();
};
