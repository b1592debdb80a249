import type {ListedEntry} from '../../index.ts';
import {HttpError} from './request.ts';

/** The number of entries that are kept, however many there are. */
const mostKept = 10_000;

const timeOf = (date: Date | undefined): number => date?.getTime() ?? Infinity;

const byNumber = (valueOf: (entry: ListedEntry) => number) => (one: ListedEntry, other: ListedEntry): number => {
	const [first, second] = [valueOf(one), valueOf(other)];
	// Two that never end are equal, and have no difference.
	return first === second ? 0 : first - second;
};

const orders = {
	url: (one: ListedEntry, other: ListedEntry) => (one.url < other.url ? -1 : Number(one.url > other.url)),
	status: byNumber(({statusCode}) => statusCode),
	largest: byNumber(({size}) => -size),
	newest: byNumber(({storedAt}) => -storedAt.getTime()),
	oldest: byNumber(({storedAt}) => storedAt.getTime()),
	expires: byNumber(({expiresAt}) => timeOf(expiresAt)),
	gone: byNumber(({keptUntil}) => timeOf(keptUntil)),
};

const isOrder = (text: string): text is keyof typeof orders => Object.hasOwn(orders, text);

/** Entries in an order: the first ones of any number. */
export type Sorted = {
	push(entry: ListedEntry): void;
	/** Says that there are no more. */
	complete(): void;
	readonly isComplete: boolean;
	/** Whether all were taken. */
	readonly isEmpty: boolean;
	/** Takes the next ones. */
	take(count: number): ListedEntry[];
};

/**
@throws {HttpError} If there is no such order.
*/
export const sortedBy = (order: string | undefined): Sorted | undefined => {
	if (order === undefined) {
		return undefined;
	}

	if (!isOrder(order)) {
		throw new HttpError(400, `The parameter sort is ${order}: expected one of ${Object.keys(orders).join(', ')}`);
	}

	const compare = orders[order];
	let kept: ListedEntry[] = [];
	let isComplete = false;

	return {
		push(entry) {
			kept.push(entry);
			if (kept.length >= 2 * mostKept) {
				kept = kept.toSorted(compare).slice(0, mostKept);
			}
		},
		complete() {
			kept = kept.toSorted(compare).slice(0, mostKept);
			isComplete = true;
		},
		get isComplete() {
			return isComplete;
		},
		get isEmpty() {
			return kept.length === 0;
		},
		take: count => kept.splice(0, count),
	};
};
