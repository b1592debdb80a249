import assert from 'node:assert/strict';
import {setTimeout as delay} from 'node:timers/promises';
import {randomFrom} from './random.ts';
import {ask, hear, type Act, type Scene, type Subject} from './scene.ts';

const pathCount = 8;
const languages = ['en', 'de'];
const stepCount = 250;
const askedAtOnce = 4;

/** A store that is given up for now is not asked, and nothing would come to light. It is waited for, but not for ever. */
const createRecovery = () => {
	let tries = 0;
	return async ({cache}: Subject): Promise<void> => {
		while (tries < 300 && cache.health().state !== 'ok') {
			tries++;
			await delay(10);
		}
	};
};

/**
Requests and purges in turn, the same each time. A body is right if it is of the URL, the language and the user that it was asked for, in a version that is no older than the last purge: one of the same cache, or of any where the store is reliable.
*/
export const traffic = (isReliable: boolean): Act => async (scene: Scene) => {
	const {origin, one, other} = scene;
	const subjects = [one, other];
	const random = randomFrom(1);
	const below = (count: number) => Math.floor(random() * count);
	const versions = Array.from({length: pathCount}, () => 0);
	/** The oldest version of each path that each cache may give. */
	const floors = new Map(subjects.map(subject => [subject, [...versions]]));
	const recovery = createRecovery();
	let hits = 0;

	origin.answer = ({method, path, headers}) => {
		const number = Number(path.slice('/'.length));
		if (method === 'POST') {
			versions[number] = (versions[number] ?? 0) + 1;
			return {status: 204};
		}

		return {
			headers: {
				'cache-control': headers.authorization === undefined ? 'max-age=60' : 'private, max-age=60',
				vary: 'accept-language, authorization',
				'cache-tag': `tag-${number}`,
				etag: `"${versions[number]}"`,
			},
			body: [number, headers['accept-language'], headers.authorization ?? 'all', versions[number]].join(' '),
		};
	};

	const read = async (subject: Subject) => {
		const number = below(pathCount);
		const language = languages[below(languages.length)] ?? '';
		const authorization = random() < 0.2 ? `user-${below(2)}` : undefined;
		const floor = floors.get(subject)?.[number] ?? 0;
		const {status, statusCode, body} = await ask(subject, `${origin.url}/${number}`, {headers: {'accept-language': language, authorization}});
		const version = Number(body.split(' ').at(-1));
		assert.deepEqual([statusCode, body], [200, `${number} ${language} ${authorization ?? 'all'} ${version}`], 'the body is of what was asked for');
		assert.ok(version >= floor, `/${number} was purged up to version ${floor}, and given in version ${version}`);
		hits += status === 'hit' ? 1 : 0;
	};

	const purge = async (subject: Subject) => {
		const number = below(pathCount);
		const url = `${origin.url}/${number}`;
		const kind = below(3);
		if (kind === 0) {
			await ask(subject, url, {method: 'POST'});
		} else {
			// The change by itself tells no cache.
			versions[number] = (versions[number] ?? 0) + 1;
			await (kind === 1 ? subject.cache.delete(url) : subject.cache.invalidate({tag: `tag-${number}`}));
		}

		for (const each of isReliable ? subjects : [subject]) {
			(floors.get(each) ?? [])[number] = versions[number] ?? 0;
		}
	};

	for (let step = 0; step < stepCount; step++) {
		const subject = subjects[below(subjects.length)] ?? one;
		if (random() < 0.15) {
			await purge(subject);
			await (isReliable ? Promise.all(subjects.map(async each => hear(each))) : recovery(subject));
		} else {
			await Promise.all(Array.from({length: askedAtOnce}, async () => read(subject)));
		}
	}

	if (isReliable) {
		assert.ok(hits > 0, 'the cache answered nothing');
	}
};
