import assert from 'node:assert/strict';
import test from 'node:test';
import type {Backend, Master} from '../../source/store/ports/backend.ts';
import type {Guard} from '../../source/store/guard/guard.ts';
import {createReplicas} from '../../source/store/replicas.ts';

/** A master that replies to `INFO` with one text after the other, the last one again and again. */
const masterOf = (address: string, ...replies: readonly string[]): Master => {
	let asked = 0;
	return {
		address,
		async send([name]) {
			return name === 'WAIT' ? 1 : replies[Math.min(asked++, replies.length - 1)];
		},
	};
};

const info = (id: string, {role = 'master', acknowledged = 10}: {role?: string; acknowledged?: number} = {}): string =>
	`role:${role}\r\nslave0:ip=127.0.0.1,port=1,state=online,offset=${acknowledged},lag=0\r\nmaster_replid:${id}\r\nmaster_replid2:a\r\nmaster_repl_offset:10\r\n`;

/** What a purge of the key `key` gives, and what is told of it. */
const purge = async (list: (key?: string) => readonly Master[], during = () => undefined as void) => {
	const errors: string[] = [];
	const backend = {
		prefix: '',
		connect: () => undefined,
		masters: {list, watch: () => () => undefined, identify: async () => undefined},
	} satisfies Partial<Backend>;
	const guard = {
		health: () => ({state: 'ok'} as const),
		report(error: Error) {
			errors.push(error.message.replace(/^.* it: /v, ''));
		},
	};
	const watch = await createReplicas({backend: backend as unknown as Backend, guard: guard as unknown as Guard, count: 1, timeoutMs: 30_000})();
	watch.note('key');
	during();
	return {isConfirmed: await watch.confirm(), errors};
};

test('a purge is confirmed by the replicas of the very master that has made it', async () => {
	const same = masterOf('a', info('one'), info('one'), info('one', {acknowledged: 9}), info('one'));
	assert.deepEqual(await purge(() => [same]), {isConfirmed: true, errors: []});

	for (const after of [info('two'), info('one', {role: 'slave'}), 'role:master']) {
		const {isConfirmed, errors} = await purge(() => [masterOf('a', info('one'), after)]);
		assert.deepEqual({isConfirmed, errors}, {isConfirmed: false, errors: ['of a, another master may have taken its place meanwhile']});
	}
});

test('a purge of what has moved to another master, or lies on none, is not confirmed', async () => {
	let address = 'a';
	const moved = await purge(() => [masterOf(address, info(address))], () => {
		address = 'b';
	});
	const nowhere = await purge(key => key === undefined ? [masterOf('a', info('a'))] : []);
	for (const {isConfirmed, errors} of [moved, nowhere]) {
		assert.deepEqual({isConfirmed, errors}, {isConfirmed: false, errors: ['another master may have taken the place of the one that keeps it']});
	}
});
