import type {ExchangeContext} from '../cache/exchange.ts';
import {longestExchangeMs} from '../store/ports/guard-token.ts';
import {changeSwitch, findSwitches, type OriginSwitch} from '../tags/switching.ts';
import type {StoredSwitch} from '../types/stored.ts';
import {checkSwitchDuration} from './arguments.ts';
import {confirm} from './purging.ts';
import {checkSwitchable} from './request-arguments.ts';

/** The origin that a switch is for. */
export type Switchable = {
	/** An absolute URL without a path, such as `'https://api.example.com'`. */
	readonly origin: string | URL;
};

const change = async (context: ExchangeContext, origin: string | URL, kind: StoredSwitch['kind'], durationMs: number): Promise<boolean> => {
	const nowMs = context.now();
	const {href} = new URL(origin);

	return confirm(context, async ({store}) => changeSwitch(store, {kind, url: href, untilMs: nowMs + durationMs, nowMs}));
};

/** Sets a switch for a time. */
export const setSwitch = async (context: ExchangeContext, kind: 'freeze' | 'bypass', given: Switchable, duration: unknown): Promise<boolean> => {
	const where = `${kind}()`;
	const origin = checkSwitchable(given, where);

	return change(context, origin, kind, checkSwitchDuration(duration, where));
};

/** Ends any switch. The change is kept for an hour at least, for processes that know the former switch and hear of nothing meanwhile. */
export const endSwitch = async (context: ExchangeContext, given: Switchable): Promise<boolean> =>
	change(context, checkSwitchable(given, 'thaw()'), 'thaw', longestExchangeMs);

/** The switches in force, of all origins, the one that ends first at the beginning. */
export const listSwitches = async ({store, now}: ExchangeContext): Promise<OriginSwitch[]> => {
	const found = await findSwitches(store, now());
	return found.toSorted((one, other) => one.until.getTime() - other.until.getTime());
};
