import type {Backend} from '../ports/backend.ts';
import {StorePermissionError} from '../ports/error-reply.ts';
import type {Guard} from './guard.ts';

/*
Redis confirms a write before its replicas have it. If one of these takes the place of the master, what it had not received is undone: a purge, too. So what was confirmed is remembered, and done again where the data may be another's.
*/

/** Redis promotes no replica that has been out of touch with its master for much longer than two or three minutes, unless told to. */
export const failoverMemoryMs = 600_000;

/** The steps for purges that another master may not know. */
export type Doubt = {
	/** The data is the same as before. */
	settle(): void;
	/** The data is another, or may be. */
	renew(): void;
};

export type FailoverOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	/** At once, before anything is read from the other master. */
	readonly onDoubt: () => readonly Doubt[];
};

export type Failovers = {
	/** To be called before a purge is sent. */
	note(): void;
	close(): void;
};

/**
Tells when the data in the store may be that of another master than the one that has confirmed a purge.
*/
export const createFailovers = ({backend, guard, onDoubt}: FailoverOptions): Failovers => {
	const {masters} = backend;
	if (!masters) {
		return {
			note() {
				// Nothing fails over.
			},
			close() {
				// Nothing is watched.
			},
		};
	}

	/** The identity of the data that purges are sent to; it is not asked for before there is a purge. */
	let identity: Promise<string | undefined> | undefined;

	// Past the circuit breaker: it may be its probe that has connected.
	const identify = async (): Promise<string | undefined> => {
		try {
			await backend.connect();
			return await masters.identify();
		} catch (error) {
			if (error instanceof StorePermissionError) {
				guard.report(error);
			}

			return undefined;
		}
	};

	const check = async (before: Promise<string | undefined> | undefined, doubts: readonly Doubt[]): Promise<void> => {
		identity = identify();
		const [known, current] = await Promise.all([before, identity]);
		for (const doubt of doubts) {
			if (known !== undefined && known === current) {
				doubt.settle();
			} else {
				doubt.renew();
			}
		}
	};

	const close = masters.watch(() => {
		const before = identity;
		identity = undefined;
		const doubts = onDoubt();
		if (doubts.length > 0) {
			void check(before, doubts);
		}
	});

	return {
		note() {
			identity ??= identify();
		},
		close,
	};
};
