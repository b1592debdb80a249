import type {NormalizedOptions} from 'got';
import type {Asked, KeyInput} from '../exchange.ts';
import {requestOfUser, settingsOfUser} from '../http/identity.ts';
import type {RequestHead} from '../http/message.ts';
import type {RequestSettings} from '../resolve-options.ts';
import type {GotContext, GotOptions} from './context.ts';

type AskedInput = {
	readonly head: RequestHead;
	readonly settings: RequestSettings;
	readonly content: Pick<KeyInput, 'body' | 'isEncoded'>;
};

/**
What is asked of the cache, with what the user's functions say of it.

@throws If one of these functions does.
*/
export const askedBy = ({settings: {key, user}}: GotContext, options: GotOptions, {head, settings, content}: AskedInput): Asked => {
	const name = user?.(head, options as NormalizedOptions);
	const keyInput = {...content, extra: key?.(head, options as NormalizedOptions), user: name};

	return name === undefined
		? {request: head, settings, keyInput}
		: {request: {...requestOfUser(head), given: head}, settings: {...settings, http: settingsOfUser(settings.http)}, keyInput};
};
