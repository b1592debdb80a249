import type {Response} from 'got';
import type {Exchange} from '../cache/exchange.ts';
import type {Decision} from '../http/decision.ts';
import type {HeaderFields} from '../http/message.ts';
import {isRedirect} from './redirect.ts';
import {isReplaceable, type GotExchange} from './state/exchanges.ts';
import type {GotOptions} from './state/got-options.ts';

/** Whether what is stored may be given in place of what the origin said. */
export const mayTakePlaceOf = ({statusCode}: Response, {exchange: {decision}}: GotExchange): boolean =>
	statusCode !== 200 && (decision.kind === 'validate' || (decision.kind === 'fetch' && (decision.stored ?? decision.headers) !== undefined));

/**
The exchange of a request that cannot be answered by putting parts together: a stream has its response when it arrives, too early for that, and of a promise of JSON got parses the part that comes by itself, before any hook sees it.

@returns One that asks for all that was asked for.
*/
export const inOnePiece = ({isStream, responseType}: Pick<GotOptions, 'isStream' | 'responseType'>, exchange: Exchange): Exchange => {
	const {decision} = exchange;
	const isPart = decision.kind === 'validate' && decision.reason === 'range-incomplete';

	return isPart && (isStream || responseType === 'json') ? {...exchange, decision: {kind: 'fetch', reason: 'range-not-stored', stored: decision.stored}} : exchange;
};

/**
The answer to a promise is replaced when got is done with it, too late for a redirect to be followed; that to a stream when it arrives, too early for a variant to be looked for.

@returns The header fields to ask the origin with about what is stored.
*/
export const headersToAdd = (options: GotOptions, decision: Decision): HeaderFields | undefined => {
	if (decision.kind === 'fetch') {
		return options.isStream ? undefined : decision.headers;
	}

	if (decision.kind !== 'validate') {
		return undefined;
	}

	const canBeReplaced = options.isStream ? isReplaceable(options) : !isRedirect(decision.stored.statusCode);
	return canBeReplaced ? decision.headers : undefined;
};
