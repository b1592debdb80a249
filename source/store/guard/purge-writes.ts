import type {Backend} from '../ports/backend.ts';
import type {Purpose} from '../ports/records.ts';
import type {Limits, OperationKind} from './guard.ts';

/*
Purges write: a tag's new version, or a note. A Redis that is full refuses that, and lets keys be removed.
*/

const consequences = {
	purge: 'what is stored was removed for all, but what is being asked for just now may be stored',
	'soft purge': 'it holds in this process alone until Redis takes it',
	switch: 'it holds in this process alone until Redis takes it',
};

/** How a write is attempted, and what is told of it if the store is full. */
export const attemptFor = (purpose: Purpose, {isFull}: Pick<Backend, 'isFull'>): {readonly kind: OperationKind; readonly limits: Limits} => purpose === undefined
	? {kind: 'write', limits: {}}
	: {
		kind: 'delete',
		limits: {
			explain: error => isFull?.(error) ? new Error(`Redis is full and makes no room, so a ${purpose} was not confirmed: ${consequences[purpose]}`, {cause: error}) : error,
		},
	};
