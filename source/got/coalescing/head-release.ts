import type {IncomingMessage} from 'node:http';
import {setImmediate} from 'node:timers';
import {isTooLarge, decideOutcome} from '../../cache/decide-outcome.ts';
import {isSuccessful} from '../../http/status-codes.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/request-state.ts';
import type {GotOptions} from '../state/got-options.ts';
import {responseHead} from '../state/response-head.ts';
import {unshareableCooldownMs} from './resolve-flight.ts';
import {leaderOf} from './participation.ts';

/*
Got gives a promise's response to its hooks when the body is there, which may be long after its head has said that nobody else can have it.
*/

type Sending = {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
};

const isOfNoUse = ({context, state: {exchange}}: Sending, response: IncomingMessage): boolean => {
	try {
		const head = responseHead(response as Required<IncomingMessage>);
		return isTooLarge(exchange, head) || decideOutcome(context, exchange, head).kind === 'pass';
	} catch {
		// A function of the user's threw: it will again where that fails the request.
		return false;
	}
};

/** Lets requests that wait for a promise's response go as soon as its head says that they cannot have it. */
export const releaseAtHead = (sending: Sending, response: IncomingMessage): void => {
	const {options} = sending;
	const leader = options.isStream || !isSuccessful(response.statusCode ?? 0) ? undefined : leaderOf(options);
	leader?.judgeForWaiters(() => {
		// A body that came with its head is complete by then.
		setImmediate(() => {
			if (leaderOf(options) === leader && !leader.isOver && !response.complete && isOfNoUse(sending, response)) {
				leader.release(unshareableCooldownMs);
			}
		});
	});
};
