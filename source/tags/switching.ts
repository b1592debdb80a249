import {dateOf} from '../http/dates.ts';
import {originOf} from '../http/url.ts';
import type {Store} from '../store/ports/store.ts';
import type {StoredSwitch, SwitchKind} from '../types/stored.ts';
import {bookkeepingOf, confirmLater} from './current-versions.ts';
import {learnSwitch, switchIn, writeSwitch} from './switches.ts';
import {ownTimeToLive} from './version-changes.ts';
import {originVersionKey, originVersionStart} from './versions.ts';

/*
Setting the switches of an origin, and asking which one is in force.
*/

/** The switch of an origin, as this process knows it. */
export type OriginSwitch = {
	/** The origin, such as `https://api.example.com`. */
	readonly origin: string;
	/** `'freeze'`: the origin is not asked. `'bypass'`: the cache takes no part. */
	readonly kind: SwitchKind;
	/** The time at which the switch ends by itself. */
	readonly until: Date;
};

const kindInForce = (originSwitch: StoredSwitch | undefined, nowMs: number): SwitchKind | undefined =>
	originSwitch && originSwitch.kind !== 'thaw' && originSwitch.untilMs > nowMs ? originSwitch.kind : undefined;

/** The switch in force for a URL, without I/O. A look-up has read it before. */
export const switchFor = (store: Store, url: string, nowMs: number): SwitchKind | undefined => {
	const {switches: {known}} = bookkeepingOf(store);
	return known.size === 0 ? undefined : kindInForce(known.get(originVersionKey(url)), nowMs);
};

/** The switches in force that this process knows. */
export const switchesIn = (store: Store, nowMs: number): OriginSwitch[] => bookkeepingOf(store).switches.known.values().flatMap(originSwitch => {
	const kind = kindInForce(originSwitch, nowMs);
	return kind === undefined ? [] : [{origin: originSwitch.origin, kind, until: dateOf(originSwitch.untilMs)}];
}).toArray();

/**
Looks for the switches of all origins in the store. This process knows them from then on.

@throws {Error} When the store does not answer, or cannot list its keys.
*/
export const findSwitches = async (store: Store, nowMs: number): Promise<OriginSwitch[]> => {
	const {switches} = bookkeepingOf(store);
	for await (const {record} of store.entries(undefined, originVersionStart)) {
		const originSwitch = switchIn(record);
		if (originSwitch) {
			learnSwitch(switches, originVersionKey(originSwitch.origin), record);
		}
	}

	return switchesIn(store, nowMs);
};

type SwitchChange = {
	readonly kind: StoredSwitch['kind'];
	/** Any URL of the origin. */
	readonly url: string;
	readonly untilMs: number;
	readonly nowMs: number;
};

/**
Sets the switch of an origin for all processes, in place of any other. A change that the store does not confirm applies in this process and is tried again.

@returns Whether the store confirmed the change.
*/
export const changeSwitch = async (store: Store, {kind, url, untilMs, nowMs}: SwitchChange): Promise<boolean> => {
	const {switches} = bookkeepingOf(store);
	const name = originVersionKey(url);
	const former = switches.known.get(name);
	const originSwitch: StoredSwitch = {
		kind,
		origin: originOf(url),
		changedAtMs: Math.max(nowMs, (former?.changedAtMs ?? 0) + 1),
		untilMs: kind === 'thaw' ? Math.max(untilMs, former?.untilMs ?? 0) : untilMs,
	};
	switches.known.set(name, originSwitch);
	switches.unwritten.set(name, {originSwitch, isChange: true});
	const wasAlone = store.isAlone;
	const isWritten = await writeSwitch(store, switches, name, ownTimeToLive(store));
	const isAlone = wasAlone || store.isAlone;
	if (isAlone) {
		switches.changedAlone.set(name, originSwitch);
	}

	if (!isWritten) {
		confirmLater(store);
	}

	return isWritten && !isAlone;
};
