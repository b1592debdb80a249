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

/** The origins of the first stored responses, up to the one that is looked for; `undefined` if there are too many to tell. */
const storedOrigins = async (origin: string, store: StoreAccess): Promise<Set<string> | undefined> => {
	const found = new Set<string>();
	let count = 0;
	for await (const {url} of store.open({isPlain: true}).entries()) {
		found.add(new URL(url).origin);
		count++;
		if (found.has(origin)) {
			return found;
		}

		if (count === mostEntries) {
			return undefined;
		}
	}

	return found;
};

/** Warns of an origin that no process has asked for and of which nothing is stored: it is likely misspelt. */
export const warnIfUnknown = async (origin: string, output: Output, store: StoreAccess): Promise<void> => {
	// Sockets of Unix have no origin of their own.
	if (origin === 'null') {
		return;
	}

	try {
		const counted = await countedOrigins(store);
		const stored = counted.includes(origin) ? undefined : await storedOrigins(origin, store);
		if (!stored || stored.has(origin)) {
			return;
		}

		const known = [...new Set([...counted, ...stored])];
		const names = known.length === 0 ? 'no origin is known there' : `known there: ${known.slice(0, mostNamed).join(', ')}${known.length > mostNamed ? ', …' : ''}`;
		output.warn(`Nothing is stored of ${origin}, and no process has asked for it in the last hour, in ${store.place}: is it spelt as in your program? (${names})`, {origin, known});
	} catch {
		// The switch is set. A store that cannot list its keys gives no advice.
	}
};
