import {isCredentialName} from '../http/credentials.ts';
import {fieldValue} from '../http/header-fields.ts';
import type {HeaderFields} from '../http/message.ts';
import {ignoredNamesIn, normalizeUrl} from '../http/url.ts';
import {selectingFieldNames} from '../http/vary.ts';
import type {Hit} from '../got/state/hits.ts';
import type {Change} from './ask.ts';
import type {AuditedResponse} from './compare.ts';

/** A part of the request that does not tell stored responses apart, and that the origin's response may depend on all the same. */
export type Suspect = {
	readonly kind: 'header' | 'parameter';
	/** The lower-case name of a header field, or the name of a query parameter. */
	readonly name: string;
};

export type Suspects = {
	/** The likeliest first. */
	readonly all: readonly Suspect[];
	/** The suspects that a response is negotiated by: hardly any origin refuses a request without them. */
	readonly negotiable: readonly Suspect[];
	readonly credentials: readonly Suspect[];
	/** Names of the header fields that select a stored response, and are beyond suspicion. */
	readonly selecting: ReadonlySet<string>;
};

/** Fields that say by what a response is negotiated, the likeliest first. */
const negotiating: readonly string[] = 'accept-language accept origin user-agent accept-charset prefer referer'.split(' ');

/** Fields that the content of no response depends on. */
const innocentFields = {
	/** Bodies are compared as they are decoded. */
	coding: 'accept-encoding te',
	/** The request's own framing and connection. */
	framing: 'connection content-length content-type date expect host keep-alive proxy-authorization transfer-encoding upgrade via',
	/** Identifiers of one request. */
	request: 'b3 baggage correlation-id request-id sentry-trace traceparent tracestate x-amzn-trace-id x-b3-sampled x-b3-spanid x-b3-traceid x-correlation-id x-request-id x-trace-id',
} as const;

const innocent: ReadonlySet<string> = new Set(Object.values(innocentFields).flatMap(names => names.split(' ')));

const toSuspects = (kind: Suspect['kind'], names: readonly string[]): Suspect[] => names.map(name => ({kind, name}));

/** The fields that no audit sends. */
const isUnsent = (name: string): boolean => ['cache-control', 'pragma', 'range'].includes(name) || name.startsWith('if-');

/** Finds the parts of a request that do not tell stored responses apart. */
export const suspectsOf = ({options, exchange, stored}: Hit): Suspects => {
	const {request, keyInput, settings: {http}} = exchange;
	const selectingNames = selectingFieldNames(stored.rawHeaders, http.matchHeaders);
	const selecting = new Set([...Array.isArray(selectingNames) ? selectingNames as readonly string[] : [], ...Object.keys(stored.selectingHeaders)]);
	const sent: HeaderFields = {...options.headers, ...request.headers};
	const names = Object.keys(sent).filter(name => fieldValue(sent, name) !== undefined && !selecting.has(name) && !innocent.has(name) && !isUnsent(name));
	const negotiable = toSuspects('header', negotiating.filter(name => names.includes(name)));
	const parameters = toSuspects('parameter', ignoredNamesIn(request.url, http.ignoredParameters));
	const others = toSuspects('header', names.filter(name => !negotiating.includes(name) && !isCredentialName(name)));

	return {
		all: [...negotiable, ...parameters, ...others],
		negotiable,
		// A user who is known by name has responses of his own.
		credentials: keyInput.user === undefined ? toSuspects('header', names.filter(name => isCredentialName(name))) : [],
		selecting,
	};
};

/** The change that takes suspects out of a request. */
export const without = (suspects: readonly Suspect[], url: string): Change => {
	const parameters = suspects.filter(({kind}) => kind === 'parameter').map(({name}) => name.toLowerCase());

	return {
		headers: Object.fromEntries(suspects.filter(({kind}) => kind === 'header').map(({name}) => [name, undefined])),
		...parameters.length > 0 && {url: normalizeUrl(url, new Set(parameters))},
	};
};

/** Fields of a response that say which field of the request it was negotiated by. */
const traces = {'content-language': 'accept-language', 'content-type': 'accept', 'access-control-allow-origin': 'origin'} as const;

/** A suspect that a stored response points to, and the value that asks for that response. */
export type TracedSuspect = {
	readonly suspect: Suspect;
	readonly value: string;
};

/** Finds the suspect that the stored response points to, by a field that the current response has otherwise. */
export const tracedSuspect = (stored: AuditedResponse, current: AuditedResponse, {selecting}: Suspects): TracedSuspect | undefined => {
	for (const [trace, name] of Object.entries(traces)) {
		const value = fieldValue(stored.headers, trace);
		if (value !== undefined && value !== '*' && value !== fieldValue(current.headers, trace) && !selecting.has(name)) {
			const [wanted = ''] = value.split(';', 1);

			return {suspect: {kind: 'header', name}, value: wanted.trim()};
		}
	}

	return undefined;
};
