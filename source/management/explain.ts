import type {Asked, ExchangeContext} from '../cache/exchange.ts';
import {decideSelected, whyBypassed, withSwitch} from '../cache/look-up.ts';
import type {Refusals} from '../cache/refusals.ts';
import {keyParts} from '../http/cache-key.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import {decide} from '../http/decide.ts';
import type {Decision} from '../http/decision.ts';
import {headersOf} from '../http/header-fields.ts';
import {decisionTexts, refusalTextOf, refusalTexts} from '../http/reason-texts.ts';
import {mayServeStale} from '../http/stale.ts';
import {ignoredNamesIn, originOf} from '../http/url.ts';
import {hasValidator, validatorsOf} from '../http/validators.ts';
import {selectingFieldNames, selectingHeaders} from '../http/vary.ts';
import {switchesIn, switchFor} from '../tags/switching.ts';
import {explainFreshness, explainStaleness} from './explain-freshness.ts';
import {readFor, type Findings, type StoredUnderKey} from './explain-read.ts';
import {textOfExplanation} from './explain-text.ts';
import type {
	ExplainedDecision,
	ExplainedFleetRefusal,
	ExplainedKey,
	ExplainedRefusal,
	ExplainedResponse,
	Explanation,
} from './explanation.ts';
import {entryOf, storeNameOf} from './inventory.ts';
import {judge, type OriginAnswer} from './judge.ts';

/** The number of responses to a URL that were not stored for a reason. */
export type FleetRefusal = Pick<ExplainedFleetRefusal, 'reason' | 'responses'>;

/** Places beside the store that an explanation is read from. */
export type ExplainSources = {
	/** Asks the origin past the cache; `undefined` if it is not to be asked. */
	readonly askOrigin?: (() => Promise<OriginAnswer>) | undefined;
	/** Reads the refusals of all processes for a URL; `undefined` if they are not counted. */
	readonly refusalsOfFleet?: ((url: string) => Promise<readonly FleetRefusal[]>) | undefined;
};

export type ExplainContext = ExchangeContext & {
	readonly refusals: Refusals;
};

const explainKey = (context: ExchangeContext, {request, settings, keyInput}: Asked, {key, noVarySearch}: Findings): ExplainedKey => {
	const {ignoredParameters} = settings.http;
	const {method, host, content} = keyParts(request, settings.http, keyInput.body);

	return {
		key,
		storeKey: storeNameOf(context, key),
		method,
		url: redactedUrl(request.url, ignoredParameters),
		ignoredParameters: ignoredNamesIn(request.url, ignoredParameters),
		host,
		content: content[0],
		user: keyInput.user,
		extra: keyInput.extra,
		noVarySearch,
	};
};

const explainResponse = (context: ExchangeContext, {request, settings: {http}}: Asked, found: StoredUnderKey, selectedKey: string | undefined): ExplainedResponse => {
	const nowMs = context.now();
	const {storeKey, stored, held, purges, isEncoded, isInMemory, ttlMs} = found;
	const shown = held ?? stored;
	const entry = entryOf(shown, shown.body.byteLength, {storeKey: storeNameOf(context, storeKey), nowMs});

	return {
		...entry,
		isFresh: held !== undefined && entry.isFresh,
		isSelected: storeKey === selectedKey,
		isPurged: held === undefined,
		purges,
		isEncoded,
		isInMemory,
		range: shown.range,
		hasValidator: hasValidator(validatorsOf(headersOf(shown.rawHeaders))),
		freshness: explainFreshness(request, shown, nowMs, http),
		staleness: explainStaleness(shown.policy, http),
		ttlMs,
	};
};

/** The decision of a look-up that finds the same. */
const decideFor = (context: ExchangeContext, {request, settings: given}: Asked, selection: Findings['selection']): Decision => {
	const nowMs = context.now();
	const settings = withSwitch(given, switchFor(context.store, request.url, nowMs));
	const bypass = whyBypassed(context, request, settings, true);
	if (bypass) {
		return {kind: 'bypass', reason: bypass};
	}

	const early = decide(request, undefined, nowMs, settings.http);
	const isEarly = early.kind === 'bypass' || early.reason === 'reload';

	// Whether a fresh response is refreshed ahead of time is left to chance.
	return isEarly ? early : decideSelected(request, selection, nowMs, {...settings, refreshesAhead: false});
};

const addedBy = (decision: Decision): Record<string, string> => {
	const headers = 'headers' in decision ? decision.headers : undefined;

	return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
};

/** The failures of the origin that the selected response would replace. */
const standsInFor = (context: ExchangeContext, {request, settings: {http}}: Asked, {kind}: Decision, {stored}: Findings['selection']): ExplainedDecision['standsInFor'] => {
	const isAsked = kind === 'fetch' || kind === 'validate';
	const circumstances = {request, nowMs: context.now(), settings: http};

	return isAsked && stored ? (['error-status', 'disconnected'] as const).filter(failure => mayServeStale(stored, failure, circumstances)) : [];
};

const unavailableFrozen = 'The origin must not be asked: an operator has called `freeze()` for it, and nothing is stored that may answer. The answer is 504.';

const explainDecision = (decision: Decision, failures: ExplainedDecision['standsInFor']): ExplainedDecision => {
	const {kind, reason} = decision;
	const {text, rfc, mend} = decisionTexts[reason];

	return {
		kind,
		reason,
		text: kind === 'unavailable' && reason === 'frozen' ? unavailableFrozen : text,
		rfc,
		mend: kind === 'reuse' ? undefined : mend,
		insteadOf: 'insteadOf' in decision ? decision.insteadOf : undefined,
		standsInFor: failures,
		addedHeaders: addedBy(decision),
	};
};

/** The last refusal of this process under any key of the request. */
const explainRefusal = ({refusals}: ExplainContext, keys: ReadonlySet<string>): ExplainedRefusal | undefined => {
	const known = [...keys].map(key => refusals.peek(key)).filter(refusal => refusal !== undefined);
	const [last] = known.toSorted((first, second) => second.atMs - first.atMs);
	if (!last) {
		return undefined;
	}

	const {text, rfc, mend} = refusalTextOf(last.reason, last.statusCode);

	return {reason: last.reason, text, rfc, mend, statusCode: last.statusCode, at: dateOf(last.atMs)};
};

const explainFleetRefusal = ({reason, responses}: FleetRefusal): ExplainedFleetRefusal => {
	const {text, rfc, mend} = refusalTexts[reason];

	return {reason, text, rfc, mend, responses};
};

const selectedBy = ({request, settings: {http}}: Asked, {responses, selection: {index}}: Findings): Record<string, string | undefined> => {
	const ofResponses = responses.flatMap(({stored}) => selectingFieldNames(stored.rawHeaders, http.matchHeaders) ?? []).filter(name => name !== '*');
	const names = [...new Set([...index?.vary ?? [], ...ofResponses])].toSorted();
	const values = selectingHeaders(names, request.headers);

	return Object.fromEntries(names.map(name => [name, values[name]]));
};

const explainSwitch = ({store, now}: ExchangeContext, url: string): Explanation['originSwitch'] => {
	const found = switchesIn(store, now()).find(({origin}) => origin === originOf(url));

	return found && {kind: found.kind, until: found.until};
};

/** Explains what the cache would do with a request, without a change in the store. */
export const explainRequest = async (context: ExplainContext, asked: Asked, {askOrigin, refusalsOfFleet}: ExplainSources = {}): Promise<Explanation> => {
	const {request, settings: {http}} = asked;
	const [findings, answer, refusals = []] = await Promise.all([readFor(context, asked), askOrigin?.(), refusalsOfFleet?.(request.url)]);
	const decision = decideFor(context, asked, findings.selection);
	const stored = findings.responses.map(found => explainResponse(context, asked, found, findings.selectedKey));
	const {state, lastError} = context.store.health();
	const explained = {
		method: request.method,
		url: redactedUrl(request.url, http.ignoredParameters),
		key: explainKey(context, asked, findings),
		decision: explainDecision(decision, standsInFor(context, asked, decision, findings.selection)),
		stored,
		selectedBy: selectedBy(asked, findings),
		purges: stored.some(({isPurged}) => !isPurged) ? [] : findings.purges,
		lastRefusal: explainRefusal(context, findings.keys),
		fleetRefusals: refusals.toSorted((one, other) => other.responses - one.responses).map(refusal => explainFleetRefusal(refusal)),
		originSwitch: explainSwitch(context, request.url),
		store: {state, isAnswering: findings.isAnswering, lastError: findings.isAnswering ? undefined : lastError?.message},
		origin: answer && judge(context, asked, decision, answer),
	};

	return {...explained, text: textOfExplanation(explained, context.now())};
};
