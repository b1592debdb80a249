import {validationHeaders, variantValidationHeaders} from '../http/conditional.ts';
import {decide} from '../http/decide.ts';
import type {BypassReason, Decision} from '../http/decision.ts';
import {isEarlyRefreshDue} from '../http/early-refresh.ts';
import {isSafe} from '../http/invalidation.ts';
import type {RequestHead} from '../http/message.ts';
import {isSelected} from '../http/vary.ts';
import type {RequestSettings} from '../options/resolve-options.ts';
import {observe, peek, select, type Selection} from '../resource/selection.ts';
import {noGuard, placeGuardFirst, takeGuard, type WriteGuard} from '../resource/write-guard.ts';
import {createBudget} from '../store/guard/budget.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {switchFor} from '../tags/switching.ts';
import {noVersions} from '../tags/validity.ts';
import type {StoredResponse, SwitchKind, VariantIndex} from '../types/stored.ts';
import {withinBudgetOf, type Asked, type Exchange, type ExchangeContext} from './exchange.ts';
import {candidateKeys, firstKeyOf, keyOf, mayHaveOtherKeys} from './keys.ts';

/** Decides about a stored response. With `refreshesAhead`, a fresh response may be refreshed before it expires. */
const decideOn = (request: RequestHead, stored: StoredResponse, nowMs: number, {http, refreshesAhead}: RequestSettings): Decision => {
	const decision = decide(request, stored, nowMs, http);

	return refreshesAhead && http.originSwitch === undefined && decision.kind === 'reuse' && decision.reason === 'fresh' && isEarlyRefreshDue(stored.policy, nowMs, 1 - Math.random())
		? {...decision, refresh: validationHeaders(stored)}
		: decision;
};

type Found = Selection & {readonly key: string};

const selectOptions = ({http: {matchHeaders}, tags}: RequestSettings) => ({matchHeaders, tags});

/** Looks a request up under its other keys if the first key had nothing. */
const findElsewhere = async (context: ExchangeContext, asked: Asked, {key: firstKey, ...first}: Found): Promise<Found> => {
	const {request, settings} = asked;
	const options = selectOptions(settings);
	const keys = await candidateKeys(context, asked);
	const [key] = keys;
	const otherKeys = keys.filter(each => each !== firstKey);
	let {versions} = first;
	let index = key === firstKey ? first.index : undefined;
	for (const other of otherKeys) {
		// eslint-disable-next-line no-await-in-loop -- what is stored for all comes first
		const selection = await select(context, request, other, options);
		versions = new Map([...versions, ...selection.versions]);
		if (selection.stored) {
			return {...selection, versions, key: other};
		}

		index = other === key ? selection.index : index;
	}

	return {stored: undefined, index, tier: 'store', versions, key};
};

const asksOrigin = ({kind}: Decision): boolean => kind === 'fetch' || kind === 'validate';

/** RFC 9110 §9.3.3: the response to a POST request may be stored for GET requests, so that the exchange needs a guard. */
const guardOfPost = async (context: ExchangeContext, {request, settings, keyInput}: Asked, {reason}: {readonly reason: BypassReason}): Promise<WriteGuard> => {
	if (reason !== 'method' || request.method !== 'POST' || settings.http.isReadOnly) {
		return noGuard;
	}

	return placeGuardFirst(context.store, keyOf(context, {...request, method: 'GET'}, {...keyInput, body: undefined}));
};

/** Whether `Vary`, and not only the options, selects among the variants. */
const isVaried = ({vary}: VariantIndex, {http: {matchHeaders}}: RequestSettings): boolean => vary.some(name => !matchHeaders.includes(name));

/** The settings of a request with the switch that is in force for its origin. */
export const withSwitch = (settings: RequestSettings, originSwitch: SwitchKind | undefined): RequestSettings =>
	settings.http.originSwitch === originSwitch ? settings : {...settings, http: {...settings.http, originSwitch}};

/** The reason why the cache takes no part in a request, as far as the request alone tells. */
export const whyBypassed = ({settings}: ExchangeContext, request: RequestHead, {isDisabled}: RequestSettings, isKeyable: boolean): BypassReason | undefined => {
	if (isDisabled) {
		return 'disabled';
	}

	if (!isKeyable) {
		return 'unkeyable-body';
	}

	return settings.filter?.(request) === false ? 'filtered' : undefined;
};

/** Decides about a selection: a stored response, or none among those that are stored. */
export const decideSelected = (request: RequestHead, {stored, index}: Pick<Selection, 'stored' | 'index'>, nowMs: number, settings: RequestSettings): Decision => {
	if (stored) {
		return decideOn(request, stored, nowMs, settings);
	}

	const decision = decide(request, undefined, nowMs, settings.http);

	return index && decision.kind === 'fetch' && decision.reason === 'not-stored'
		? {kind: 'fetch', reason: isVaried(index, settings) ? 'vary-mismatch' : 'not-stored', headers: variantValidationHeaders(request, index, nowMs)}
		: decision;
};

type LookUpOptions = {
	/** The reason why the cache takes no part, if already decided. */
	readonly bypass?: BypassReason | undefined;
	/** The request's key, if already computed. */
	readonly key?: string;
};

const notStored: Decision = {kind: 'fetch', reason: 'not-stored'};

/** @param decision - The decision, as far as it is known without the store. */
const begin = (context: ExchangeContext, {request, settings, keyInput, budget = createBudget()}: Asked, decision: Decision = notStored): Exchange => ({
	request,
	settings,
	keyInput,
	requestTimeMs: context.now(),
	startedMonoMs: ownTimers.now(),
	lookUpMs: 0,
	tier: 'memory',
	key: '',
	index: undefined,
	versions: noVersions,
	guard: noGuard,
	budget,
	decision,
});

// A repeated look-up finds out anew whether a switch is in force.
const withoutSwitch = (asked: Asked): Asked => asked.settings.http.originSwitch === undefined ? asked : {...asked, settings: withSwitch(asked.settings, undefined)};

/**
The exchange of a request that the cache takes no part in, without I/O.

@param bypass - The reason why, if already decided.
@returns `undefined` if the store may have to be asked.
*/
export const bypassNow = (context: ExchangeContext, given: Asked, bypass: BypassReason | undefined): Exchange | undefined => {
	if (bypass) {
		return begin(context, withoutSwitch(given), {kind: 'bypass', reason: bypass});
	}

	const {request, settings: {http}} = given;
	if (http.methods.has(request.method) || !isSafe(request.method)) {
		return undefined;
	}

	const asked = withoutSwitch(given);
	const decision = decide(request, undefined, context.now(), asked.settings.http);

	return decision.kind === 'bypass' ? begin(context, asked, decision) : undefined;
};

/**
Looks a request up and decides what to do with it.
*/
export const lookUp = async (context: ExchangeContext, given: Asked, {bypass, key: givenKey}: LookUpOptions = {}): Promise<Exchange> => {
	const bypassed = bypassNow(context, given, bypass);
	if (bypassed) {
		return bypassed;
	}

	const asked = withoutSwitch(given);
	const exchange = begin(context, asked);
	const {request, settings, requestTimeMs} = exchange;
	const firstKey = givenKey ?? firstKeyOf(context, asked);
	// Some decisions need no look at the store.
	const early = decide(request, undefined, requestTimeMs, settings.http);
	if (early.kind === 'bypass') {
		return {...exchange, key: firstKey, decision: early, guard: await guardOfPost(withinBudgetOf(context, exchange), asked, early)};
	}

	/** Adds the guard's token to the versions, so that waiters of this exchange can tell whether it is older than a purge they have seen. */
	const guarded = (found: Omit<Exchange, 'guard'>): Exchange => {
		const lookUpMs = ownTimers.now() - found.startedMonoMs;
		if (!asksOrigin(found.decision)) {
			return {...found, lookUpMs, guard: noGuard};
		}

		const versions = new Map(found.versions);
		const guard = takeGuard(context.store, found.key, {versions, startedMonoMs: found.startedMonoMs}, (name, token) => {
			versions.set(name, token);
		});

		return {...found, lookUpMs, versions, guard};
	};

	const steps = withinBudgetOf(context, exchange);
	const settingsNow = () => withSwitch(settings, switchFor(context.store, request.url, requestTimeMs));
	if (early.kind === 'fetch' && early.reason === 'reload') {
		const versions = await observe(steps, request, firstKey, settings.tags);
		if (settingsNow() === settings) {
			return guarded({...exchange, key: firstKey, decision: early, versions});
		}
	}

	const first = await select(steps, request, firstKey, selectOptions(settings));
	// Without another key to look under, the function must not yield: it would miss the result of an equal request.
	const isDone = first.stored !== undefined || !mayHaveOtherKeys(context, request.url, firstKey);
	const {stored, ...found} = isDone ? {...first, key: firstKey} : await findElsewhere(steps, asked, {...first, key: firstKey});
	const current = settingsNow();
	const decision = decideSelected(request, {stored, index: found.index}, requestTimeMs, current);
	if (decision.kind === 'bypass') {
		return {...exchange, settings: current, decision, lookUpMs: ownTimers.now() - exchange.startedMonoMs};
	}

	return guarded({...exchange, ...found, settings: current, decision});
};

/**
Looks a request up in the memory tier, without I/O; `undefined` if memory has no response to reuse.
*/
export const lookUpNow = (context: ExchangeContext, {request, settings: given, keyInput}: Asked, key: string): Exchange | undefined => {
	const startedMonoMs = ownTimers.now();
	const selection = peek(context, request, key);
	if (!selection?.stored || !isSelected(request, selection.stored, given.http.matchHeaders)) {
		return undefined;
	}

	const requestTimeMs = context.now();
	const settings = withSwitch(given, switchFor(context.store, request.url, requestTimeMs));
	const decision = decideOn(request, selection.stored, requestTimeMs, settings);

	return decision.kind === 'reuse'
		? {
			request,
			settings,
			keyInput,
			requestTimeMs,
			startedMonoMs,
			lookUpMs: ownTimers.now() - startedMonoMs,
			tier: selection.tier,
			key,
			index: selection.index,
			versions: selection.versions,
			guard: noGuard,
			budget: createBudget(),
			decision,
		}
		: undefined;
};

/**
Prepares the exchange of a background refresh: the origin is asked regardless of the stored response, unless that is newer by now.

@param seen - The response that the caller was given.
*/
export const asRefresh = (context: ExchangeContext, exchange: Exchange, seen: StoredResponse): Exchange => {
	const {decision, settings} = exchange;
	// A switch that was set meanwhile keeps the refresh from the origin.
	if (decision.kind !== 'reuse' || settings.http.originSwitch !== undefined || decision.stored.policy.responseTimeMs > seen.policy.responseTimeMs) {
		return exchange;
	}

	const {stored} = decision;
	const headers = validationHeaders(stored);

	return {
		...exchange,
		guard: takeGuard(context.store, exchange.key, {versions: exchange.versions, startedMonoMs: exchange.startedMonoMs}),
		decision: Object.keys(headers).length === 0 ? {kind: 'fetch', reason: 'no-validator', stored} : {kind: 'validate', reason: 'stale', stored, headers},
	};
};

/** Prepares the exchange of a repeated request, after the origin's answer did not match the stored response. The origin is not asked about that response again. */
export const askedAgain = (exchange: Exchange): Exchange => {
	const {decision} = exchange;
	if (decision.kind === 'fetch') {
		return {...exchange, decision: {...decision, headers: undefined}};
	}

	// A switch that was set meanwhile comes too late: the origin has the request already.
	return decision.kind === 'validate' || decision.kind === 'unavailable' ? {...exchange, decision: {kind: 'fetch', reason: 'not-stored'}} : exchange;
};
