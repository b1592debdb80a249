import {longestExchangeMs} from '../store/ports/guard-token.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredRecord, StoredSwitch, StoredVersion} from '../types/stored.ts';
import {newVersion} from './versions.ts';

/*
Switches of an origin, for a whole fleet. A switch is part of the origin's version, which every look-up reads anyway, so that it costs no round trip.

This process remembers each switch that it has seen until its end, and writes it again if the store has lost it: a failover, an eviction, `clear()` or a restart ends no switch. Of two switches, the later one is in force.
*/

type Unwritten = {
	readonly originSwitch: StoredSwitch;
	/** Whether somebody has just set the switch. It then replaces any other; a switch that the store has lost replaces only earlier ones. */
	readonly isChange: boolean;
};

export type Switches = {
	/** The latest switch of each origin, by the key of its version. */
	readonly known: Hints<StoredSwitch>;
	/** Switches that the store has not confirmed, or has lost. */
	readonly unwritten: Map<string, Unwritten>;
	/** Switches that were set while memory replaced a store. They are written to the store when it takes over. */
	readonly changedAlone: Map<string, StoredSwitch>;
};

const maxSwitches = 10_000;

export const createSwitches = (): Switches => ({known: createHints(maxSwitches), unwritten: new Map(), changedAlone: new Map()});

export const switchIn = (record: StoredRecord | undefined): StoredSwitch | undefined => record?.kind === 'version' ? record.originSwitch : undefined;

const isOver = ({untilMs}: StoredSwitch): boolean => untilMs <= Date.now();

/** Learns from a record that was read. A switch that the record has lost is to be written again. */
export const learnSwitch = ({known, unwritten}: Switches, name: string, record: StoredRecord | undefined): void => {
	const found = switchIn(record);
	if ((found === undefined && known.size === 0) || unwritten.get(name)?.isChange) {
		return;
	}

	const latest = known.get(name);
	if (found && found.changedAtMs > (latest?.changedAtMs ?? -Infinity)) {
		known.set(name, found);
		return;
	}

	if (!latest || found?.changedAtMs === latest.changedAtMs || unwritten.has(name)) {
		return;
	}

	if (isOver(latest)) {
		known.delete(name);
	} else {
		unwritten.set(name, {originSwitch: latest, isChange: false});
	}
};

/** Takes over the switches of the store that this one replaces. */
export const carrySwitches = (from: Switches, to: Switches): void => {
	for (const [name, originSwitch] of from.known.entries()) {
		to.known.set(name, originSwitch);
	}

	for (const [name, originSwitch] of from.changedAlone) {
		to.unwritten.set(name, {originSwitch, isChange: true});
	}

	for (const [name, change] of from.unwritten) {
		to.unwritten.set(name, change);
	}
};

/** A new version with the switch of the one that it replaces: a purge ends no switch. */
export const withSwitchOf = (version: StoredVersion, former: StoredRecord | undefined): StoredVersion => {
	const originSwitch = switchIn(former);
	return originSwitch && !isOver(originSwitch) ? {...version, originSwitch} : version;
};

/** A version with a switch lives for an hour longer than the switch, or as long as the store keeps versions. */
export const timeToLiveWith = (originSwitch: StoredSwitch | undefined, timeToLive: TimeToLive): TimeToLive =>
	originSwitch === undefined || timeToLive === 'forever' ? timeToLive : Math.max(timeToLive, originSwitch.untilMs - Date.now() + longestExchangeMs);

/** The switch to write in place of another one; `undefined` if that one stays. */
const toWrite = ({originSwitch, isChange}: Unwritten, current: StoredSwitch | undefined): StoredSwitch | undefined => {
	if (!current) {
		return originSwitch;
	}

	const {kind, changedAtMs, untilMs} = originSwitch;
	if (!isChange) {
		return current.changedAtMs < changedAtMs ? originSwitch : undefined;
	}

	return {
		...originSwitch,
		// The clock of the process that wrote the other one may be ahead.
		changedAtMs: Math.max(changedAtMs, current.changedAtMs + 1),
		untilMs: kind === 'thaw' ? Math.max(untilMs, current.untilMs) : untilMs,
	};
};

/**
Writes a switch that the store has not confirmed.

@returns Whether the store has it now, or a later one.
*/
export const writeSwitch = async (store: Store, switches: Switches, name: string, timeToLive: TimeToLive): Promise<boolean> => {
	const wanted = switches.unwritten.get(name);
	if (!wanted) {
		return true;
	}

	const ttl = timeToLiveWith(wanted.originSwitch, timeToLive);
	let written = wanted.originSwitch;
	// A key that is there keeps a longer life. On one connection, this command goes first.
	store.extend(name, ttl);
	const updated = await store.update(name, current => {
		const next = toWrite(wanted, switchIn(current));
		if (!next) {
			return undefined;
		}

		written = next;
		const version: StoredVersion = current?.kind === 'version' ? current : {kind: 'version', version: store.isAtomic ? newVersion() : '', softVersion: '', purgedAtMs: 0};
		return {...version, originSwitch: next};
	}, current => current?.kind === 'version' ? 'keep' : ttl, 'switch');
	if (!updated) {
		return false;
	}

	if (switches.unwritten.get(name) === wanted) {
		switches.unwritten.delete(name);
		const latest = switchIn(updated.record) ?? written;
		switches.known.set(name, latest);
	}

	return true;
};
