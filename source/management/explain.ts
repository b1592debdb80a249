import type {Asked, ExchangeContext} from '../cache/exchange.ts';
import {decideSelected, whyBypassed, withSwitch} from '../cache/look-up.ts';
import type {Refusals} from '../cache/refusals.ts';
import {currentAgeSeconds, expiryOf, remainingFreshnessSeconds} from '../http/age.ts';
import {keyParts} from '../http/cache-key.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import {decide} from '../http/decide.ts';
import type {Decision} from '../http/decision.ts';
import {responseDirectives} from '../http/directives.ts';
import {headersOf} from '../http/header-fields.ts';
import type {RequestHead} from '../http/message.ts';
import {lifetimeFor, type ReceivedMessage} from '../http/policy.ts';
import {decisionTexts, refusalTexts} from '../http/reason-texts.ts';
import type {Settings} from '../http/settings.ts';
import {isStaleForbidden, staleIfErrorSeconds, staleWhileRevalidateSeconds} from '../http/stale.ts';
import {ignoredNamesIn} from '../http/url.ts';
import {hasValidator, validatorsOf} from '../http/validators.ts';
import {selectingFieldNames, selectingHeaders} from '../http/vary.ts';
import {readContent} from '../options/user-functions.ts';
import {switchFor} from '../tags/switching.ts';
import type {StoredPolicy, StoredResponse} from '../types/stored.ts';
import {textOfExplanation} from './explain-text.ts';
import {readFor, type Findings, type StoredUnderKey} from './explain-read.ts';
import type {
	ExplainedDecision,
	ExplainedFreshness,
	ExplainedKey,
	ExplainedRefusal,
	ExplainedResponse,
	ExplainedStaleness,
	Explanation,
	Seconds,
	ExplainedWindow,
} from './explanation.ts';
import {entryOf, storeNameOf} from './inventory.ts';

export type ExplainContext = ExchangeContext & {
	readonly refusals: Refusals;
};

const toSeconds = (seconds: number): Seconds => seconds === Infinity ? 'unlimited' : seconds;

const explainKey = (context: ExchangeContext, {request, settings, keyInput}: Asked, {key, searchVariance}: Findings): ExplainedKey => {
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
		noVarySearch: searchVariance?.field,
	};
};

/** A rounded `Date` that was added when the response was stored may differ by a second. */
const toleranceSeconds = 1;

/** The origin of a stored response's lifetime: the options and header fields that give it the lifetime that it has. */
const explainFreshness = (request: RequestHead, {policy, statusCode, statusMessage, httpVersion, rawHeaders, body}: StoredResponse, nowMs: number, settings: Settings): ExplainedFreshness => {
	const received: ReceivedMessage = {
		request,
		response: {statusCode, statusMessage, httpVersion, rawHeaders, content: readContent(body)},
		requestTimeMs: policy.requestTimeMs,
		responseTimeMs: policy.responseTimeMs,
		settings,
	};
	const {seconds, source} = lifetimeFor(received);
	const isSame = seconds === policy.freshnessLifetimeSeconds || Math.abs(seconds - policy.freshnessLifetimeSeconds) <= toleranceSeconds;

	return {
		isFresh: remainingFreshnessSeconds(policy, nowMs) > 0,
		lifetimeSeconds: toSeconds(policy.freshnessLifetimeSeconds),
		source: isSame ? source : 'other',
		field: responseDirectives(headersOf(rawHeaders), settings).field,
		ageSeconds: currentAgeSeconds(policy, nowMs),
		until: expiryOf(policy),
	};
};

const windowOf = (seconds: number, own: number | undefined, isForbidden: boolean): ExplainedWindow => {
	if (isForbidden || seconds === 0) {
		return {seconds: 0, source: 'none'};
	}

	return {seconds: toSeconds(seconds), source: seconds === own ? 'response' : 'option'};
};

const explainStaleness = (policy: StoredPolicy, settings: Settings): ExplainedStaleness => {
	const isForbidden = isStaleForbidden(policy);
	const directive = policy.isNoCache ? 'no-cache' : 'must-revalidate';

	return {
		forbiddenBy: isForbidden ? directive : undefined,
		whileRevalidate: windowOf(staleWhileRevalidateSeconds(policy, settings), policy.staleWhileRevalidateSeconds, isForbidden),
		ifError: windowOf(staleIfErrorSeconds(policy, 'error-status', settings), policy.staleIfErrorSeconds, isForbidden),
		ifDisconnected: windowOf(staleIfErrorSeconds(policy, 'disconnected', settings), policy.staleIfErrorSeconds, isForbidden),
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

const explainDecision = (decision: Decision): ExplainedDecision => {
	const {kind, reason} = decision;
	const {text, rfc} = decisionTexts[reason];

	return {kind, reason, text, rfc, insteadOf: 'insteadOf' in decision ? decision.insteadOf : undefined, addedHeaders: addedBy(decision)};
};

/** The last refusal of this process under any key of the request. */
const explainRefusal = ({refusals}: ExplainContext, keys: ReadonlySet<string>): ExplainedRefusal | undefined => {
	const known = [...keys].map(key => refusals.peek(key)).filter(refusal => refusal !== undefined);
	const [last] = known.toSorted((first, second) => second.atMs - first.atMs);
	if (!last) {
		return undefined;
	}

	const {text, rfc, mend} = refusalTexts[last.reason];

	return {reason: last.reason, text, rfc, mend, statusCode: last.statusCode, at: dateOf(last.atMs)};
};

const selectedBy = ({request, settings: {http}}: Asked, {responses, selection: {index}}: Findings): Record<string, string | undefined> => {
	const ofResponses = responses.flatMap(({stored}) => selectingFieldNames(stored.rawHeaders, http.matchHeaders) ?? []).filter(name => name !== '*');
	const names = [...new Set([...index?.vary ?? [], ...ofResponses])].toSorted();
	const values = selectingHeaders(names, request.headers);

	return Object.fromEntries(names.map(name => [name, values[name]]));
};

/** Explains what the cache would do with a request, without asking the origin and without a change in the store. */
export const explainRequest = async (context: ExplainContext, asked: Asked): Promise<Explanation> => {
	const {request, settings: {http}} = asked;
	const findings = await readFor(context, asked);
	const decision = decideFor(context, asked, findings.selection);
	const stored = findings.responses.map(found => explainResponse(context, asked, found, findings.selectedKey));
	const {state, lastError} = context.store.health();
	const explained = {
		method: request.method,
		url: redactedUrl(request.url, http.ignoredParameters),
		key: explainKey(context, asked, findings),
		decision: explainDecision(decision),
		stored,
		selectedBy: selectedBy(asked, findings),
		purges: stored.some(({isPurged}) => !isPurged) ? [] : findings.purges,
		lastRefusal: explainRefusal(context, findings.keys),
		store: {state, isAnswering: findings.isAnswering, lastError: findings.isAnswering ? undefined : lastError?.message},
	};

	return {...explained, text: textOfExplanation(explained, context.now())};
};
