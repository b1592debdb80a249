import {Buffer} from 'node:buffer';
import type {PlainResponse} from 'got';
import {invalidate} from '../cache/invalidating.ts';
import {settleResponse} from '../cache/apply-outcome.ts';
import {invalidationBy} from '../http/invalidation.ts';
import {storedAnswer} from '../observe/observed-exchange.ts';
import {resolveAfterFailure} from './coalescing/resolve-flight.ts';
import {refreshInBackground} from './refresh/refresh.ts';
import type {GotContext} from './state/context.ts';
import type {GotOptions} from './state/got-options.ts';
import {showCookies} from './state/hidden-cookies.ts';
import {reportEnd} from './state/report.ts';
import {linkHop, type GotExchange} from './state/request-state.ts';
import {responseHead} from './state/response-head.ts';

/**
Settles a redirect that got is about to follow. Got has no use for its body and lets it flow away; it is kept on the way, for a caller who does not follow.

@param onSettled - Called once, also when there was nothing to settle.
*/
const settleRedirect = (context: GotContext, state: GotExchange, response: PlainResponse, onSettled: () => void): void => {
	const head = responseHead(response);
	const {maxBodyBytes} = state.exchange.settings;
	const chunks: Uint8Array[] = [];
	let size = 0;
	let isSettling = false;

	response.on('data', (chunk: Uint8Array) => {
		size += chunk.byteLength;
		if (size <= maxBodyBytes) {
			chunks.push(chunk);
		}
	});

	const settle = async () => {
		try {
			const body = size > maxBodyBytes ? 'too-large' : Buffer.concat(chunks);
			// The responses that a redirect invalidates are purged before it is followed: the next hop may have stored it anew by now.
			state.settlement = await settleResponse(context, state.exchange, head, {body, isInvalidated: true});
		} catch (error) {
			context.reportError('A redirect was not stored', error);
		}

		onSettled();
	};

	response.once('end', () => {
		const contentLength = response.headers['content-length'];
		const isWhole = !state.isCutShort && (contentLength === undefined || Number(contentLength) === size);
		if (!isWhole) {
			return;
		}

		isSettling = true;
		void settle();
	});
	response.once('close', () => {
		if (!isSettling) {
			onSettled();
		}
	});
};

/** Purges what a redirect invalidates, unless that has been done: its next hop is looked up before the redirect is settled. */
const invalidateByRedirect = async (context: GotContext, {exchange, isReceived}: GotExchange, response: PlainResponse): Promise<void> => {
	if (isReceived) {
		return;
	}

	const invalidation = invalidationBy(exchange.request, responseHead(response));
	if (invalidation && !exchange.settings.http.isReadOnly) {
		await invalidate(context, exchange, invalidation);
	}
};

/** The steps before a redirect is followed. */
export const followRedirect = async (context: GotContext, state: GotExchange, response: PlainResponse, nextOptions: GotOptions): Promise<void> => {
	const {options} = response.request;
	const report = () => {
		reportEnd(context, options, state, {statusCode: response.statusCode, isHop: true});
	};

	showCookies(response, state.hiddenCookies);
	linkHop(nextOptions, state);
	if (storedAnswer(state)) {
		report();
		refreshInBackground(context, options, state);
		return;
	}

	settleRedirect(context, state, response, () => {
		resolveAfterFailure(context, options, state);
		report();
	});
	await invalidateByRedirect(context, state, response);
};
