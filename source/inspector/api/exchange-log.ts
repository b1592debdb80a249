import type {ExchangeReport, RedisCache} from '../../index.ts';
import {exchangeToWire} from './to-wire.ts';
import type {WireExchange, WireExchanges} from './wire.ts';

/*
The latest exchanges of this process. The cache is listened to only while a page asks for them.
*/

const mostKept = 500;

/** A page asks each second. */
const idleMs = 30_000;

export type ExchangeLog = {
	/** Gives the exchanges after the one with this id, and listens from then on. */
	read(after: number): WireExchanges;
};

export const createExchangeLog = (cache: RedisCache): ExchangeLog => {
	let kept: WireExchange[] = [];
	let last = 0;
	let timer: NodeJS.Timeout | undefined;

	const note = (report: ExchangeReport): void => {
		last++;
		kept.push(exchangeToWire(report, last));
		if (kept.length >= 2 * mostKept) {
			kept = kept.slice(-mostKept);
		}
	};

	const stop = (): void => {
		timer = undefined;
		cache.off('exchange', note);
	};

	return {
		read(after) {
			if (timer === undefined) {
				cache.on('exchange', note);
				timer = setTimeout(stop, idleMs).unref();
			} else {
				timer.refresh();
			}

			// A page that was served by a former process has a higher id.
			const known = after > last ? 0 : after;
			const exchanges = kept.filter(({id}) => id > known).slice(-mostKept);
			return {exchanges, last, missed: last - known - exchanges.length};
		},
	};
};
