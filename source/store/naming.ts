import {createHmac} from 'node:crypto';
import {createHints} from '../types/hints.ts';
import type {KeyRing} from './codec/encryption.ts';
import type {Store} from './ports/store.ts';

/** Begins what is hidden already; no hash does. */
const version = '~';

/** The suffixes that say nothing of a request. */
const plainSuffixes: ReadonlySet<string> = new Set(['', 'HEAD', 'guard', 'encoded', 'long']);

const maxNames = 10_000;

/**
Names of keys that tell nothing to those who can guess a URL: keyed hashes. The text in the braces has one name, whatever follows. A name that is hidden already stays as it is.
*/
export const createNaming = ({last: {secret}}: KeyRing): (key: string) => string => {
	const names = createHints<string>(maxNames);
	const hide = (text: string) => text.startsWith(version) ? text : version + createHmac('sha256', secret).update('got-redis-cache: name').update(text).digest('base64url').slice(0, 22);

	return key => {
		const known = names.get(key);
		if (known !== undefined) {
			return known;
		}

		const end = key.indexOf('}');
		const suffixes = key.slice(end + 1).split(':').map(suffix => plainSuffixes.has(suffix) ? suffix : hide(suffix));
		const name = `{${hide(key.slice(1, end))}}${suffixes.join(':')}`;
		names.set(key, name);
		return name;
	};
};

/**
A store whose keys have other names than those that it is asked for.
*/
export const withNames = (store: Store, nameOf: (key: string) => string): Store => {
	const {command, watchReplicas} = store;
	return {
		get address() {
			return store.address;
		},
		peek: key => store.peek(nameOf(key)),
		peekAll: keys => store.peekAll(keys.map(key => nameOf(key))),
		text: store.text,
		takeBody: store.takeBody,
		get: async keys => store.get(keys.map(key => nameOf(key))),
		isAlone: store.isAlone,
		get needsExtraRoundTrip() {
			return store.needsExtraRoundTrip;
		},
		set: async (key, ...parameters) => store.set(nameOf(key), ...parameters),
		placeGuard: async (key, sinceMonoMs) => store.placeGuard(nameOf(key), sinceMonoMs),
		settleGuard(key) {
			store.settleGuard(nameOf(key));
		},
		commit: async ({guard, records, deletedKeys}) => store.commit({
			guard: {...guard, key: nameOf(guard.key)},
			records: records.map(record => ({...record, key: nameOf(record.key)})),
			deletedKeys: deletedKeys.map(key => nameOf(key)),
		}),
		purge: async ({guardKey, keys, indexes}) => store.purge({
			guardKey: nameOf(guardKey),
			keys: keys.map(key => nameOf(key)),
			indexes: indexes.map(({key, index}) => ({key: nameOf(key), index})),
		}),
		replaceGuards: async () => store.replaceGuards(),
		...watchReplicas && {
			async watchReplicas() {
				const watch = await watchReplicas();
				return {
					...watch,
					note(key?: string) {
						watch.note(key === undefined ? undefined : nameOf(key));
					},
				};
			},
		},
		onDoubt(listener) {
			store.onDoubt(listener);
		},
		extend(key, timeToLive) {
			store.extend(nameOf(key), timeToLive);
		},
		update: async (key, ...parameters) => store.update(nameOf(key), ...parameters),
		longBodyBytes: store.longBodyBytes,
		mostBodyBytes: store.mostBodyBytes,
		isAtomic: store.isAtomic,
		keepsOrder: store.keepsOrder,
		nameOf,
		forget(key) {
			store.forget(nameOf(key));
		},
		// A hidden name does not show how the key begins.
		entries: (onUnreadable, _start, onUnlisted) => store.entries(onUnreadable, undefined, onUnlisted),
		delete: async keys => store.delete(keys.map(key => nameOf(key))),
		clear: async () => store.clear(),
		command: command && (async (key, toArguments) => command(nameOf(key), toArguments)),
		plainCommand: store.plainCommand,
		ready: async expires => store.ready(expires),
		confirmConnection: async patienceMs => store.confirmConnection(patienceMs),
		flush: async () => store.flush(),
		get isHealthy() {
			return store.isHealthy;
		},
		isAnswering: store.isAnswering,
		isReadable: key => store.isReadable(nameOf(key)),
		isWritable: key => store.isWritable(nameOf(key)),
		health: () => store.health(),
		counters: store.counters,
		close: async () => store.close(),
	};
};
