import type {ListedEntry} from '../../index.ts';
import type {Output} from '../terminal/output.ts';
import type {StoreAccess} from './store-access.ts';

/** Looking at more stored responses than this would take long, and not finding an origin among so many says little. */
const mostEntries = 10_000;

const mostNamed = 5;

/** The origins of requests in the last hour, of all processes. */
const countedOrigins = async (store: StoreAccess): Promise<string[]> => {
	const {origins} = await store.open({isPlain: true, isCounting: true}).fleetStats({since: '1h'});
	return Object.keys(origins);
};

/**
Looks through what is stored.

@returns Whether a response is what was looked for; `undefined` if there are too many to tell.
*/
const isStored = async (store: StoreAccess, matches: (entry: ListedEntry) => boolean): Promise<boolean | undefined> => {
	let count = 0;
	for await (const entry of store.open({isPlain: true}).entries()) {
		if (matches(entry)) {
			return true;
		}

		count++;
		if (count === mostEntries) {
			return undefined;
		}
	}

	return false;
};

const knownNames = (names: Iterable<string>): string => {
	const known = [...names];
	return known.length === 0 ? 'none is known there' : `known there: ${known.slice(0, mostNamed).join(', ')}${known.length > mostNamed ? ', …' : ''}`;
};

/** Warns of an origin that no process has asked for and of which nothing is stored: it is likely misspelt. */
export const warnIfUnknown = async (origin: string, output: Output, store: StoreAccess): Promise<void> => {
	// Sockets of Unix have no origin of their own.
	if (origin === 'null') {
		return;
	}

	try {
		const known = new Set(await countedOrigins(store));
		if (known.has(origin) || await isStored(store, ({url}) => known.add(new URL(url).origin).has(origin)) !== false) {
			return;
		}

		output.warn(
			`Nothing is stored of ${origin}, and no process has asked for it in the last hour, in ${store.place}: is it spelt as in your program? (${knownNames(known)})`,
			{origin, known: [...known]},
		);
	} catch {
		// The switch is set. A store that cannot list its keys gives no advice.
	}
};

/** Looks for tags before they are purged. Returns a warning if no stored response has one of them: they are likely misspelt. */
export const unknownTags = async (tags: readonly string[], store: StoreAccess): Promise<string | undefined> => {
	const known = new Set<string>();
	try {
		const isKnown = await isStored(store, entry => {
			for (const tag of entry.tags) {
				known.add(tag);
			}

			return tags.some(tag => known.has(tag));
		});
		const names = tags.map(tag => `'${tag}'`).join(' or ');
		return isKnown === false ? `No stored response had the tag ${names} in ${store.place}: is it spelt as in your program? (${knownNames(known)})` : undefined;
	} catch {
		// The purge itself tells of a store that does not answer.
		return undefined;
	}
};
