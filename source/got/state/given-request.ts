import type {NormalizedOptions} from 'got';
import type {Asked, KeyInput} from '../../cache/exchange.ts';
import {requestOfUser, settingsOfUser} from '../../http/identity.ts';
import type {RequestHead} from '../../http/message.ts';
import type {RequestSettings} from '../../options/resolve-options.ts';
import {givenRequest} from '../../options/user-functions.ts';
import type {GotContext} from './context.ts';
import type {GotOptions} from './got-options.ts';

type AskedInput = {
	readonly head: RequestHead;
	readonly settings: RequestSettings;
	readonly content: Pick<KeyInput, 'body' | 'isEncoded'>;
	/** The rest of the budget of an earlier look-up. */
	readonly budget?: Asked['budget'];
};

/**
The request as the cache looks it up, with the results of the user's functions.

@throws If one of these functions does.
*/
export const askedBy = ({settings: {key, user, filter}}: GotContext, options: GotOptions, {head, settings, content, budget}: AskedInput): Asked => {
	if (!key && !user && !filter && !settings.http.lifetimes) {
		return {request: head, settings, keyInput: {...content, extra: undefined, user: undefined}, budget};
	}

	const normalized = options as NormalizedOptions;
	const given = givenRequest(head, normalized, content.body);
	const name = user?.(given, normalized);
	const keyInput = {...content, extra: key?.(given, normalized), user: name};

	return name === undefined
		? {request: {...head, given}, settings, keyInput, budget}
		: {request: {...requestOfUser(head), given}, settings: {...settings, http: settingsOfUser(settings.http)}, keyInput, budget};
};
